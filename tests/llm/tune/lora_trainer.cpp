// LoRA trainers: gradients, steps, snapshots, choices.
#include "llm/tune/lora_trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "llm/tune/small_trainers.h"

namespace hearth::llm {
namespace {

TEST(LoraTrainer, a_snapshot_is_never_changed) {
  const auto base = small_base();
  LoraTrainer trainer = small_trainer(base);
  warm_up(trainer);
  const auto snapshot = trainer.snapshot();
  std::vector<std::vector<float>> before;
  for (const Tensor& t : snapshot->parameters()) before.push_back(to_vector<float>(t));
  warm_up(trainer);
  size_t changed = 0;
  const TensorList now = snapshot->parameters(), trained = trainer.snapshot()->parameters();
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(bits(before[i]), bits(to_vector<float>(now[i])));
    changed += bits(before[i]) != bits(to_vector<float>(trained[i]));
  }
  EXPECT_EQ(changed, before.size());
}

/// The gradient of the cross-entropy by plain autograd, one sequence at a time.
std::vector<std::vector<double>> gradients(const LoraTrainer& trainer, const std::vector<TrainDatum>& data) {
  const CausalLm& base = trainer.base();
  const auto adapter = trainer.snapshot();
  adapter->requires_grad_(true);
  TensorList losses;
  for (const TrainDatum& d : data) {
    const Shape shape = {int64_t(d.targets.size())};
    const Tensor targets = from_values<int64_t>(std::span<const int64_t>(d.targets), shape);
    const Tensor weights = from_values<float>(std::span<const float>(d.inputs.at("weights")), shape);
    const Tensor hidden = base.hidden(pack({d.tokens}), adapter.get());
    losses.push_back(neg(sum(mul(base.log_probs(hidden, targets, adapter.get()), weights))));
  }
  backward(losses, TensorList(losses.size()));
  std::vector<std::vector<double>> out;
  for (const Tensor& p : adapter->parameters()) {
    out.push_back(to_vector<double>(p.grad()));
    p.set_grad({});
  }
  adapter->requires_grad_(false);
  return out;
}

std::vector<std::vector<double>> zeros_of(const TensorList& like) {
  std::vector<std::vector<double>> out;
  for (const Tensor& t : like) out.emplace_back(size_t(t.numel()), 0.0);
  return out;
}

TEST(LoraTrainer, gradients_are_those_of_one_autograd_pass) {
  const auto base = small_base();
  LoraTrainer trainer = small_trainer(base);
  warm_up(trainer);
  const auto data = random_data(4, {15, 22, 8});
  const auto adapter = trainer.snapshot();
  const std::vector<std::vector<double>> expected = gradients(trainer, data);
  // With beta1 = 0 and a huge eps the step is the gradient, divided by eps.
  run(trainer, data);
  trainer.optim_step({.learning_rate = 1e6, .beta1 = 0, .beta2 = 0, .eps = 1e6});
  const TensorList before = adapter->parameters(), after = trainer.snapshot()->parameters();
  for (size_t p = 0; p < before.size(); ++p) {
    const auto x = to_vector<double>(before[p]), y = to_vector<double>(after[p]);
    double largest = 0;
    for (double g : expected[p]) largest = std::max(largest, std::abs(g));
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i] - y[i], expected[p][i], 1e-4 * largest + 1e-6);
  }
}

TEST(LoraTrainer, learns_a_small_text_by_heart) {
  const auto base = small_base();
  for (const char* loss : {"cross_entropy", "importance_sampling"}) {
    LoraTrainer trainer(base, lora_config({.rank = 8}), 1, "");
    std::vector<TrainDatum> data = random_data(21, {16, 12});
    for (TrainDatum& d : data) {
      d.inputs["weights"].assign(d.targets.size(), 1.0f);
      d.inputs["advantages"].assign(d.targets.size(), 1.0f);
    }
    double first = 0, last = 0;
    for (int step = 0; step < 60; ++step) {
      for (size_t i = 0; i < data.size(); ++i) data[i].inputs["logprobs"] = run(trainer, data, {}, true).log_probs[i];
      const double now = run(trainer, data, {}, true).loss;
      run(trainer, data, {loss, {}});
      trainer.optim_step({.learning_rate = 0.01});
      (step == 0 ? first : last) = now;
    }
    EXPECT_GT(first, 28 * 3.5) << loss;
    EXPECT_LT(last, 28 * 0.2) << loss;
  }
}

/// Two steps against AdamW (Loshchilov and Hutter 2019) in double, from gradients that are known.
TEST(LoraTrainer, a_step_is_that_of_adamw) {
  const auto base = small_base();
  LoraTrainer trainer = small_trainer(base);
  const auto data = random_data(14, {20, 9});
  const AdamStep settings[] = {{.learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.3},
                               {.learning_rate = 0.02, .beta1 = 0.7, .beta2 = 0.95, .eps = 1e-4, .weight_decay = 0.1},
                               {.learning_rate = 0.03}};
  std::vector<std::vector<double>> m, v;
  for (int step = 1; step <= 3; ++step) {
    const AdamStep& s = settings[step - 1];
    const auto snapshot = trainer.snapshot();
    const TensorList before = snapshot->parameters();
    // The last step has no gradient: it is zero.
    const std::vector<std::vector<double>> gradient = step < 3 ? gradients(trainer, data) : zeros_of(before);
    if (step < 3) run(trainer, data);
    EXPECT_EQ(trainer.optim_step(s).at("step:max"), step);
    EXPECT_EQ(trainer.step(), step);
    const TensorList after = trainer.snapshot()->parameters();
    m.resize(before.size());
    v.resize(before.size());
    for (size_t p = 0; p < before.size(); ++p) {
      const auto x = to_vector<double>(before[p]), y = to_vector<double>(after[p]);
      m[p].resize(x.size());
      v[p].resize(x.size());
      for (size_t i = 0; i < x.size(); ++i) {
        const double g = gradient[p][i];
        m[p][i] = s.beta1 * m[p][i] + (1 - s.beta1) * g;
        v[p][i] = s.beta2 * v[p][i] + (1 - s.beta2) * g * g;
        const double rate = s.learning_rate / (1 - std::pow(s.beta1, step));
        const double root = std::sqrt(v[p][i] / (1 - std::pow(s.beta2, step))) + s.eps;
        ASSERT_NEAR(y[i], x[i] * (1 - s.learning_rate * s.weight_decay) - rate * m[p][i] / root, 2e-6) << step;
      }
    }
  }
}

TEST(LoraTrainer, clips_by_the_norm_of_all_gradients) {
  const auto base = small_base();
  const auto data = random_data(13, {40});
  const auto moved = [&](double clip, std::map<std::string, double>& metrics) {
    LoraTrainer trainer = small_trainer(base);
    warm_up(trainer);
    const TensorList before = trainer.snapshot()->parameters();
    const auto keep = trainer.snapshot();
    run(trainer, data);
    metrics = trainer.optim_step(
        {.learning_rate = 1e6, .beta1 = 0, .beta2 = 0, .eps = 1e6, .weight_decay = 0, .grad_clip_norm = clip});
    const TensorList after = trainer.snapshot()->parameters();
    double squares = 0;
    for (size_t p = 0; p < before.size(); ++p) {
      const auto x = to_vector<double>(before[p]), y = to_vector<double>(after[p]);
      for (size_t i = 0; i < x.size(); ++i) squares += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return std::sqrt(squares);
  };
  std::map<std::string, double> free, clipped, wide;
  const double norm = moved(0, free);
  EXPECT_NEAR(norm, free.at("unclipped_grad_l2:mean"), 1e-4 * norm);
  EXPECT_NEAR(moved(norm / 4, clipped), norm / 4, 1e-4 * norm);
  EXPECT_EQ(clipped.at("unclipped_grad_l2:mean"), free.at("unclipped_grad_l2:mean"));
  EXPECT_NEAR(clipped.at("grad_clip_factor:mean"), 0.25, 1e-3);
  EXPECT_EQ(moved(2 * norm, wide), norm);
}

TEST(LoraTrainer, refuses_settings_of_a_step_by_name) {
  LoraTrainer trainer = small_trainer(small_base());
  run(trainer, random_data(1, {5}));
  const std::string before = trainer.state_hash();
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const auto refused = [&](const AdamStep& step, const std::string& name) {
    try {
      trainer.optim_step(step);
      ADD_FAILURE() << "no error for " << name;
    } catch (const ValueError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
    EXPECT_EQ(trainer.state_hash(), before);
  };
  for (double bad : {-1.0, nan, infinity}) {
    refused({.learning_rate = bad}, "learning_rate");
    refused({.beta1 = bad}, "beta1");
    refused({.beta2 = bad}, "beta2");
    refused({.eps = bad}, "eps");
    refused({.weight_decay = bad}, "weight_decay");
    refused({.grad_clip_norm = bad}, "grad_clip_norm");
  }
  refused({.beta1 = 1}, "beta1");
  refused({.beta2 = 1}, "beta2");
}

TEST(LoraTrainer, choices_name_the_layers) {
  const auto layers = [](const LoraChoice& choice) {
    LoraTrainer trainer(small_base(), lora_config(choice), 1, "");
    EXPECT_EQ(lora_choice(trainer.config()).rank, choice.rank);
    EXPECT_EQ(lora_choice(trainer.config()).attn, choice.attn);
    EXPECT_EQ(lora_choice(trainer.config()).mlp, choice.mlp);
    EXPECT_EQ(lora_choice(trainer.config()).unembed, choice.unembed);
    size_t count = 0;
    for (size_t i = 0; i < trainer.base().linear_layers().size(); ++i)
      if (const LoraWeights* w = trainer.snapshot()->at(i)) {
        ++count;
        EXPECT_EQ(w->a.size(0), choice.rank);
        EXPECT_EQ(w->scale, 32.0 / double(choice.rank));
      }
    return count;
  };
  EXPECT_EQ(layers({.rank = 4}), 15u);
  EXPECT_EQ(layers({.rank = 8, .mlp = false, .unembed = false}), 8u);
  EXPECT_EQ(layers({.rank = 8, .attn = false, .unembed = false}), 6u);
  EXPECT_EQ(layers({.rank = 1, .attn = false, .mlp = false}), 1u);
  EXPECT_THROW(lora_config({.attn = false, .mlp = false, .unembed = false}), ValueError);
  EXPECT_THROW(lora_config({.rank = 0}), ValueError);
  EXPECT_THROW(lora_config({.rank = 1 << 20}), ValueError);
  EXPECT_THROW(lora_choice({.rank = 4, .alpha = 8, .target_modules = {"q_proj"}}), ValueError);
}

TEST(LoraTrainer, the_output_layer_alone_can_be_trained_where_it_is_tied) {
  const auto base = small_base(true);
  LoraTrainer trainer(base, lora_config({.rank = 4, .attn = false, .mlp = false}), 1, "");
  auto data = random_data(21, {16, 12});
  const double before = run(trainer, data, {}, true).loss;
  for (int step = 0; step < 20; ++step) {
    run(trainer, data);
    trainer.optim_step({.learning_rate = 0.02});
  }
  EXPECT_LT(run(trainer, data, {}, true).loss, before - 5);
}

}  // namespace
}  // namespace hearth::llm
