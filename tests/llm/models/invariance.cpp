// One arithmetic: a token's log-probability is the same bits however it is computed, and gradients do not know the
// number of threads; for every instruction set, family and weight type, with and without an adapter.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"
#include "llm/lora/files.h"
#include "llm/models/causal_lm.h"
#include "llm/weights/load.h"
#include "tests/llm/models/random_llama.h"

namespace hearth::llm {
namespace {

using Sequence = std::vector<int32_t>;

/// Where a model comes from, and on what it runs.
struct Case {
  const char* model;
  Dtype dtype;
  cpu::Isa isa;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.model << " " << dtype_name(c.dtype); }

/// Bits of a row of numbers, so that -0 and 0 differ and NaN equals itself.
std::vector<uint32_t> bits(const Tensor& x) {
  const std::vector<float> values = to_vector<float>(x);
  std::vector<uint32_t> out(values.size());
  if (!out.empty()) std::memcpy(out.data(), values.data(), values.size() * sizeof(float));
  return out;
}

/// A model whose products are wide and long enough to be cut into several pieces for threads.
std::unique_ptr<CausalLm> wide_model(Dtype dtype) {
  return random_llama({.vocab = 1003, .hidden = 192, .inner = 520, .heads = 6, .context = 512, .spread = 0.08}, dtype);
}

/// An adapter on every linear layer, the output layer too, with nothing zero in it.
LoraAdapter random_adapter(const CausalLm& model) {
  LoraConfig config;
  config.rank = 5;
  config.target_modules = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"};
  LoraAdapter adapter(config, model.linear_layers(), 3);
  std::mt19937_64 engine(11);
  NoGrad guard;
  for (const Tensor& p : adapter.parameters()) {
    std::vector<float> values(size_t(p.numel()));
    for (float& v : values) v = (float(engine() >> 40) / 8388608.0f - 1.0f) * 0.1f;
    copy_(p, from_values<float>(std::span<const float>(values), p.shape()));
  }
  return adapter;
}

class Invariance : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().isa > cpu::best_isa()) GTEST_SKIP() << "this processor lacks " << cpu::isa_name(GetParam().isa);
    before_ = cpu::isa();
    cpu::set_isa(GetParam().isa);
    changed_ = true;
    load();
  }
  void TearDown() override {
    cpu::set_num_threads(2);
    model.reset();
    if (changed_) cpu::set_isa(before_);
  }

  void load() {
    const std::string name = GetParam().model;
    if (name == "wide") {
      model = wide_model(GetParam().dtype);
    } else {
      const std::string path = name == "stories260K" ? std::string(HEARTH_SHARED) + "/data/stories260K/stories260K.bin"
                                                     : std::string(HEARTH_TEST_DATA) + "/models/" + name;
      if (!std::filesystem::exists(path)) GTEST_SKIP() << "shared data is absent: " << path;
      model = load_model(path, GetParam().dtype);
    }
    model->requires_grad_(false);
    std::mt19937_64 engine(5);
    for (int length : {21, 2, 38, 3, 18, 70, 8, 66}) {
      Sequence sequence;
      for (int i = 0; i < length; ++i) sequence.push_back(int32_t(engine() % uint64_t(model->config().vocab_size)));
      sequences.push_back(sequence);
    }
  }

  static Sequence inputs(const Sequence& s) { return Sequence(s.begin(), s.end() - 1); }

  /// log p of each sequence's own next tokens from the training forward over all the named ones, packed.
  std::vector<std::vector<uint32_t>> packed(const std::vector<size_t>& which, const LoraAdapter* adapter) const {
    std::vector<Sequence> rows;
    std::vector<int64_t> targets;
    for (size_t s : which) {
      rows.push_back(inputs(sequences[s]));
      targets.insert(targets.end(), sequences[s].begin() + 1, sequences[s].end());
    }
    const Tensor hidden = model->hidden(pack(rows), adapter);
    const std::vector<uint32_t> all = bits(model->log_probs(hidden, target_tensor(targets), adapter));
    std::vector<std::vector<uint32_t>> out;
    size_t at = 0;
    for (const Sequence& row : rows) {
      out.emplace_back(all.begin() + long(at), all.begin() + long(at + row.size()));
      at += row.size();
    }
    return out;
  }

  static Tensor target_tensor(const std::vector<int64_t>& targets) {
    return from_values<int64_t>(std::span<const int64_t>(targets), {int64_t(targets.size())});
  }

  /// The same by a paged cache: all the named sequences run together, each call takes the next `chunk` tokens of each,
  /// as a sampler does with prompts and continuations; log p is taken from the logits as sampling takes it.
  std::vector<std::vector<uint32_t>> cached(const std::vector<size_t>& which, size_t chunk,
                                            const LoraAdapter* adapter) const {
    NoGrad guard;
    KvCache cache(model->config());
    std::vector<int64_t> slots;
    for (size_t i = 0; i < which.size(); ++i) slots.push_back(cache.add());
    std::vector<std::vector<uint32_t>> out(which.size());
    for (size_t begin = 0;; begin += chunk) {
      std::vector<int64_t> tokens, positions, starts = {0}, targets, running;
      std::vector<size_t> owner;
      for (size_t i = 0; i < which.size(); ++i) {
        const Sequence& s = sequences[which[i]];
        if (begin + 1 >= s.size()) continue;
        for (size_t t = begin; t < std::min(begin + chunk, s.size() - 1); ++t) {
          tokens.push_back(s[t]);
          positions.push_back(int64_t(t));
          targets.push_back(s[t + 1]);
          owner.push_back(i);
        }
        starts.push_back(int64_t(tokens.size()));
        running.push_back(slots[i]);
      }
      if (tokens.empty()) return out;
      const TokenBatch batch = {target_tensor(tokens), target_tensor(positions), target_tensor(starts)};
      cache.begin(running, batch);
      const Tensor logits = model->logits(model->hidden(batch, adapter, &cache), adapter);
      const Tensor rows = log_softmax(logits, -1);
      for (size_t r = 0; r < owner.size(); ++r) {
        uint32_t pattern;
        std::memcpy(&pattern, rows.data<float>() + int64_t(r) * rows.size(1) + targets[r], sizeof pattern);
        out[owner[r]].push_back(pattern);
      }
    }
  }

  void expect_one_arithmetic(const LoraAdapter* adapter);
  void expect_same_gradients(const LoraAdapter* adapter);

  std::unique_ptr<CausalLm> model;
  std::vector<Sequence> sequences;

 private:
  cpu::Isa before_ = cpu::Isa::generic;
  bool changed_ = false;
};

const std::vector<size_t> everyone = {0, 1, 2, 3, 4, 5, 6, 7};

void Invariance::expect_one_arithmetic(const LoraAdapter* adapter) {
  if (adapter) adapter->requires_grad_(true);
  cpu::set_num_threads(1);
  std::vector<std::vector<uint32_t>> alone;
  for (size_t s : everyone) alone.push_back(packed({s}, adapter)[0]);
  for (size_t s : {size_t(0), size_t(3), size_t(7)}) {
    SCOPED_TRACE(s);
    EXPECT_EQ(cached({s}, 1000, adapter)[0], alone[s]) << "prefill alone";
    EXPECT_EQ(cached({s}, 1, adapter)[0], alone[s]) << "decoding alone";
    EXPECT_EQ(packed({5, s, 1}, adapter)[1], alone[s]) << "other neighbours";
    EXPECT_EQ(packed({4, 6, 2, s}, adapter)[3], alone[s]) << "other neighbours, another place";
  }
  EXPECT_EQ(cached(everyone, 7, adapter), alone) << "pieces of seven tokens";
  for (int threads : {1, 2, 3}) {
    SCOPED_TRACE(threads);
    cpu::set_num_threads(threads);
    EXPECT_EQ(packed(everyone, adapter), alone) << "training forward over eight";
    EXPECT_EQ(packed({5}, adapter)[0], alone[5]) << "alone";
    EXPECT_EQ(cached(everyone, 1000, adapter), alone) << "prefill of eight";
    EXPECT_EQ(cached(everyone, 1, adapter), alone) << "decoding eight";
  }
  NoGrad guard;
  EXPECT_EQ(packed(everyone, adapter), alone) << "without recording gradients";
}

void Invariance::expect_same_gradients(const LoraAdapter* adapter) {
  std::vector<Sequence> rows;
  std::vector<int64_t> targets;
  for (const Sequence& s : sequences) {
    rows.push_back(inputs(s));
    targets.insert(targets.end(), s.begin() + 1, s.end());
  }
  const Tensor weights = full({int64_t(targets.size())}, 1.0 / double(targets.size()));
  const auto parameters = adapter ? adapter->named_parameters() : model->named_parameters();
  std::vector<std::vector<uint32_t>> first;
  for (int threads : {1, 2, 3}) {
    cpu::set_num_threads(threads);
    for (const auto& [name, parameter] : parameters) parameter.set_grad({});
    const Tensor loss =
        model->weighted_loss(model->hidden(pack(rows), adapter), target_tensor(targets), weights, adapter);
    backward(loss);
    std::vector<std::vector<uint32_t>> now = {bits(loss)};
    for (const auto& [name, parameter] : parameters) {
      ASSERT_TRUE(parameter.grad().defined()) << name;
      now.push_back(bits(to(parameter.grad(), Dtype::float32)));
    }
    if (first.empty()) first = now;
    ASSERT_EQ(now[0], first[0]) << "loss, " << threads << " threads";
    for (size_t i = 0; i < parameters.size(); ++i)
      EXPECT_EQ(now[i + 1], first[i + 1]) << parameters[i].first << ", " << threads << " threads";
  }
}

TEST_P(Invariance, LogProbabilitiesOfTheBaseModel) { expect_one_arithmetic(nullptr); }

TEST_P(Invariance, LogProbabilitiesWithAnAdapter) {
  const LoraAdapter adapter = random_adapter(*model);
  expect_one_arithmetic(&adapter);
}

TEST_P(Invariance, LogProbabilitiesOfWeightsInTraining) {
  if (GetParam().dtype != Dtype::float32) GTEST_SKIP() << "full fine-tuning keeps float32 weights";
  const auto frozen = packed(everyone, nullptr);
  model->requires_grad_(true);
  EXPECT_EQ(packed(everyone, nullptr), frozen) << "weights that are trained are not packed, yet the bits are the same";
}

TEST_P(Invariance, GradientsOfAnAdapter) {
  const LoraAdapter adapter = random_adapter(*model);
  adapter.requires_grad_(true);
  expect_same_gradients(&adapter);
}

TEST_P(Invariance, GradientsOfAllWeights) {
  if (GetParam().dtype != Dtype::float32) GTEST_SKIP() << "full fine-tuning keeps float32 weights";
  model->requires_grad_(true);
  expect_same_gradients(nullptr);
}

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const char* model : {"llama-tiny", "llama-tied", "qwen2-tiny", "qwen3-tiny", "stories260K", "wide"})
    for (Dtype dtype : {Dtype::float32, Dtype::bfloat16})
      for (cpu::Isa isa : {cpu::Isa::avx512, cpu::Isa::avx2, cpu::Isa::generic}) {
        // The larger two are here for the sizes of their products: that needs no repetition where it is slow.
        if (dtype == Dtype::bfloat16 && std::string(model) == "stories260K") continue;
        if (dtype == Dtype::bfloat16 && std::string(model) == "wide" && isa == cpu::Isa::generic) continue;
        out.push_back({model, dtype, isa});
      }
  return out;
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = std::string(info.param.model) + "_" + std::string(dtype_name(info.param.dtype)) + "_" +
                     std::string(cpu::isa_name(info.param.isa));
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(EveryWay, Invariance, testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace hearth::llm
