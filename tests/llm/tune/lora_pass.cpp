// Requests to LoRA trainers: units, merging, bits, requests that fail.
#include <gtest/gtest.h>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/allocator.h"
#include "llm/sample/generate.h"
#include "llm/tune/lora_trainer.h"
#include "llm/tune/small_trainers.h"

namespace hearth::llm {
namespace {

/// Length of datums that make several units: 2048 tokens are the most that one has.
const std::vector<int64_t> three_units = {700, 700, 640, 900, 1100, 100};

TEST(LoraPass, splitting_a_batch_over_calls_keeps_the_gradients_bits) {
  const auto base = small_base();
  const auto data = random_data(2, three_units);
  LoraTrainer whole = small_trainer(base), split = small_trainer(base);
  warm_up(whole);
  warm_up(split);
  const LossResult all = run(whole, data);
  const std::vector<size_t> units = cut_into_units(data);
  ASSERT_EQ(units.size(), 3u);
  double loss = 0;
  auto at = data.begin();
  for (size_t count : units) {
    loss += run(split, {at, at + ptrdiff_t(count)}).loss;
    at += ptrdiff_t(count);
  }
  EXPECT_EQ(whole.state_hash(), split.state_hash());
  EXPECT_NEAR(all.loss, loss, 1e-9 * std::abs(loss));
}

/// Four trainers of different ranks and layers, ten requests of different losses and lengths.
struct Crowd {
  std::vector<LoraTrainer> trainers;
  std::vector<std::vector<TrainDatum>> data;
  std::vector<LossSpec> specs;
  std::vector<size_t> owner;
  std::vector<bool> forward_only;

  explicit Crowd(const std::shared_ptr<const CausalLm>& base) {
    trainers.push_back(small_trainer(base, 1, 4));
    trainers.push_back(small_trainer(base, 2, 7));
    trainers.emplace_back(base, lora_config({.rank = 3, .mlp = false, .unembed = false}), 3, "");
    trainers.emplace_back(base, lora_config({.rank = 16, .attn = false}), 4, "");
    for (LoraTrainer& trainer : trainers) warm_up(trainer);
    const auto request = [&](size_t trainer, const char* loss, std::vector<int64_t> lengths, bool forward = false) {
      owner.push_back(trainer);
      specs.push_back({loss, {}});
      data.push_back(random_data(100 + data.size(), lengths));
      forward_only.push_back(forward);
    };
    request(0, "cross_entropy", {5, 17, 40});
    request(1, "importance_sampling", {33, 9});
    request(0, "ppo", {64, 3, 1});
    request(2, "cispo", {1000, 900, 600});
    request(3, "dro", {21});
    request(3, "cross_entropy", {12, 13}, true);
    request(1, "gspo", {50, 40});
    std::mt19937_64 engine(9);
    request(0, "cross_entropy", {});
    data.back() = {random_datum(engine, 6, 3), random_datum(engine, 4, 1), random_datum(engine, 5, 2)};
    request(2, "importance_sampling", {30}, true);
    request(2, "importance_sampling", {30});
  }

  std::vector<PassRequest> requests(size_t first, size_t last) {
    std::vector<PassRequest> out;
    for (size_t i = first; i < last; ++i) out.push_back({&trainers[owner[i]], &data[i], &specs[i], forward_only[i]});
    return out;
  }
  std::vector<PassOutcome> merged() { return forward_backward(requests(0, owner.size())); }
  std::vector<PassOutcome> one_by_one() {
    std::vector<PassOutcome> out;
    for (size_t i = 0; i < owner.size(); ++i) out.push_back(forward_backward(requests(i, i + 1))[0]);
    return out;
  }
  std::vector<std::string> hashes() const {
    std::vector<std::string> out;
    for (const LoraTrainer& trainer : trainers) out.push_back(trainer.state_hash());
    return out;
  }
};

void expect_equal(const std::vector<PassOutcome>& a, const std::vector<PassOutcome>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_TRUE(std::holds_alternative<LossResult>(a[i]) && std::holds_alternative<LossResult>(b[i]))
        << "request " << i;
    const auto &x = std::get<LossResult>(a[i]), &y = std::get<LossResult>(b[i]);
    EXPECT_EQ(x.loss, y.loss);
    EXPECT_EQ(x.metrics, y.metrics);
    ASSERT_EQ(x.log_probs.size(), y.log_probs.size());
    for (size_t d = 0; d < x.log_probs.size(); ++d) EXPECT_EQ(bits(x.log_probs[d]), bits(y.log_probs[d]));
  }
}

TEST(LoraPass, merging_requests_of_many_trainers_changes_no_bit) {
  const auto base = small_base();
  Crowd together(base), alone(base);
  expect_equal(together.merged(), alone.one_by_one());
  EXPECT_EQ(together.hashes(), alone.hashes());
  for (size_t t = 0; t < together.trainers.size(); ++t) {
    together.trainers[t].optim_step({});
    alone.trainers[t].optim_step({});
  }
  EXPECT_EQ(together.hashes(), alone.hashes());
}

/// The output layer works on chunks of 1024 rows: here a chunk ends inside the second request, alone none does.
TEST(LoraPass, merging_over_the_borders_of_chunks_changes_no_bit) {
  const auto base = small_base();
  const LossSpec spec;
  const auto first = random_data(41, {700}), second = random_data(42, {600, 90}), third = random_data(43, {600});
  std::vector<std::string> hashes;
  for (bool merged : {true, false}) {
    LoraTrainer a = small_trainer(base, 1, 4), b = small_trainer(base, 2, 9);
    warm_up(a);
    warm_up(b);
    const std::vector<PassRequest> all = {{&a, &first, &spec}, {&b, &second, &spec}, {&a, &third, &spec}};
    if (merged) {
      forward_backward(all);
    } else {
      for (const PassRequest& request : all) forward_backward({request});
    }
    hashes.push_back(a.state_hash() + b.state_hash());
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

TEST(LoraPass, the_number_of_threads_changes_no_bit) {
  const auto base = small_base(true, Dtype::bfloat16);
  const int before = cpu::num_threads();
  cpu::set_num_threads(1);
  Crowd one(base);
  const auto a = one.merged();
  cpu::set_num_threads(2);
  Crowd two(base);
  const auto b = two.merged();
  cpu::set_num_threads(before);
  expect_equal(a, b);
  EXPECT_EQ(one.hashes(), two.hashes());
}

TEST(LoraPass, memory_is_that_of_one_unit) {
  LoraTrainer trainer = small_trainer(small_base());
  warm_up(trainer);
  const auto peak = [&](size_t datums, bool forward_only) {
    const auto data = random_data(3, std::vector<int64_t>(datums, 256));
    const size_t before = allocator({}).stats().in_use;
    allocator({}).reset_peak();
    run(trainer, data, {"ppo", {}}, forward_only);
    trainer.optim_step({});
    return double(allocator({}).stats().peak - before);
  };
  peak(8, false);
  for (bool forward_only : {false, true})
    EXPECT_LT(peak(40, forward_only), 1.05 * peak(8, forward_only)) << forward_only;
  EXPECT_LT(peak(8, true), 0.5 * peak(8, false));
}

TEST(LoraPass, a_new_adapter_is_its_base) {
  const auto base = small_base();
  LoraTrainer trainer = small_trainer(base);
  const auto data = random_data(3, {20, 7});
  const LossResult result = run(trainer, data, {}, true);
  NoGrad guard;
  for (size_t i = 0; i < data.size(); ++i) {
    const Tensor targets =
        from_values<int64_t>(std::span<const int64_t>(data[i].targets), {int64_t(data[i].targets.size())});
    const Tensor alone = base->log_probs(base->hidden(pack({data[i].tokens})), targets);
    EXPECT_EQ(bits(result.log_probs[i]), bits(to_vector<float>(alone)));
  }
}

TEST(LoraPass, log_probs_are_the_bits_that_sampling_gives) {
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    const auto base = small_base(true, dtype);
    LoraTrainer trainer = small_trainer(base);
    warm_up(trainer);
    const auto adapter = trainer.snapshot();
    SamplingParams params;
    params.temperature = 1;
    params.max_tokens = 40;
    params.seed = 3;
    const std::vector<int32_t> prompt = {4, 9, 77, 12, 30};
    const Generated generated = Generator(*base, adapter.get(), nullptr).run({{prompt, params}})[0];
    ASSERT_EQ(generated.tokens.size(), 40u);
    TrainDatum datum;
    datum.tokens = prompt;
    datum.tokens.insert(datum.tokens.end(), generated.tokens.begin(), generated.tokens.end() - 1);
    datum.targets.assign(prompt.begin() + 1, prompt.end());
    datum.targets.insert(datum.targets.end(), generated.tokens.begin(), generated.tokens.end());
    datum.inputs["weights"].assign(datum.targets.size(), 0.0f);
    std::vector<TrainDatum> data = random_data(8, {31});
    data.push_back(datum);
    const std::vector<float> all = run(trainer, data, {}, true).log_probs[1];
    EXPECT_EQ(bits({all.begin() + ptrdiff_t(prompt.size()) - 1, all.end()}), bits(generated.logprobs));
  }
}

TEST(LoraPass, forward_leaves_no_trace_and_gives_the_same_numbers) {
  const auto base = small_base();
  std::mt19937_64 engine(7);
  const std::vector<TrainDatum> data = {random_datum(engine, 30), random_datum(engine, 2), random_datum(engine, 9, 4)};
  for (const std::string& loss : loss_names()) {
    LoraTrainer trainer = small_trainer(base);
    warm_up(trainer);
    run(trainer, random_data(6, {12}));
    const std::string before = trainer.state_hash();
    const LossResult forward = run(trainer, data, {loss, {}}, true);
    EXPECT_EQ(trainer.state_hash(), before);
    const LossResult both = run(trainer, data, {loss, {}});
    EXPECT_NE(trainer.state_hash(), before);
    expect_equal({forward}, {both});
  }
}

TEST(LoraPass, several_targets_a_token_are_the_sum_over_each) {
  const auto base = small_base();
  std::mt19937_64 engine(12);
  const std::vector<TrainDatum> wide = {random_datum(engine, 11, 3)};
  LoraTrainer one = small_trainer(base);
  warm_up(one);
  const LossResult together = run(one, wide, {}, true);
  ASSERT_EQ(together.log_probs[0].size(), 33u);
  double loss = 0;
  for (size_t k = 0; k < 3; ++k) {
    TrainDatum column;
    column.tokens = wide[0].tokens;
    for (size_t t = 0; t < 11; ++t) {
      column.targets.push_back(wide[0].targets[t * 3 + k]);
      column.inputs["weights"].push_back(wide[0].inputs.at("weights")[t * 3 + k]);
    }
    const LossResult alone = run(one, {column});
    loss += alone.loss;
    for (size_t t = 0; t < 11; ++t) EXPECT_EQ(alone.log_probs[0][t], together.log_probs[0][t * 3 + k]);
  }
  EXPECT_NEAR(loss, together.loss, 1e-9 * std::abs(loss));
  LoraTrainer other = small_trainer(base);
  warm_up(other);
  run(other, wide);
  EXPECT_NEAR(one.optim_step({}).at("unclipped_grad_l2:mean"), other.optim_step({}).at("unclipped_grad_l2:mean"), 1e-4);
}

TEST(LoraPass, a_gradient_that_is_not_finite_fails_its_request_alone) {
  const auto base = small_base();
  Crowd with(base), without(base);
  // The ratio overflows at one target of the third request.
  with.data[2][0].inputs["advantages"][40] = -1;
  with.data[2][0].inputs["logprobs"][40] = -2000;
  auto outcomes = with.merged();
  ASSERT_TRUE(std::holds_alternative<std::exception_ptr>(outcomes[2]));
  try {
    std::rethrow_exception(std::get<std::exception_ptr>(outcomes[2]));
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find("datum 0: the loss is not finite"), std::string::npos) << error.what();
  }
  without.owner.erase(without.owner.begin() + 2);
  without.data.erase(without.data.begin() + 2);
  without.specs.erase(without.specs.begin() + 2);
  without.forward_only.erase(without.forward_only.begin() + 2);
  outcomes.erase(outcomes.begin() + 2);
  expect_equal(outcomes, without.merged());
  EXPECT_EQ(with.hashes(), without.hashes());
}

TEST(LoraPass, a_loss_that_is_finite_with_a_gradient_that_is_not_fails) {
  LoraTrainer trainer = small_trainer(small_base());
  warm_up(trainer);
  const std::string before = trainer.state_hash();
  auto data = random_data(3, {8});
  data[0].inputs["weights"][5] = 3e38f;
  try {
    run(trainer, data);
    FAIL() << "no error";
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find("the gradient is not finite"), std::string::npos) << error.what();
  }
  EXPECT_EQ(trainer.state_hash(), before);
  EXPECT_FALSE(trainer.has_gradient());
}

TEST(LoraPass, refuses_requests_over_different_bases) {
  LoraTrainer a = small_trainer(small_base()), b = small_trainer(small_base());
  const auto data = random_data(1, {5});
  const LossSpec spec;
  EXPECT_THROW(forward_backward({{&a, &data, &spec}, {&b, &data, &spec}}), ValueError);
  EXPECT_THROW(forward_backward({{&a, nullptr, &spec}}), ValueError);
  EXPECT_TRUE(forward_backward({}).empty());
}

}  // namespace
}  // namespace hearth::llm
