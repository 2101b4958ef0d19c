// Many adapters over one base in one pass: every row and every gradient has the bits of its adapter's own pass.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"
#include "llm/models/causal_lm.h"
#include "tests/llm/models/random_llama.h"

namespace hearth::llm {
namespace {

using Sequence = std::vector<int32_t>;

std::vector<uint32_t> bits(const Tensor& x) {
  const std::vector<float> values = to_vector<float>(x);
  std::vector<uint32_t> out(values.size());
  if (!out.empty()) std::memcpy(out.data(), values.data(), values.size() * sizeof(float));
  return out;
}

Tensor integers(const std::vector<int64_t>& values) {
  return from_values<int64_t>(std::span<const int64_t>(values), {int64_t(values.size())});
}

std::unique_ptr<CausalLm> small_model(Dtype dtype, bool tied) {
  auto model = random_llama(
      {.vocab = 301, .hidden = 48, .inner = 100, .context = 128, .tied = tied, .seed = 3, .spread = 0.2}, dtype);
  model->requires_grad_(false);
  return model;
}

LoraAdapter make_adapter(const CausalLm& model, int64_t rank, bool head, uint64_t seed, double dropout = 0) {
  LoraConfig config{.rank = rank, .alpha = double(seed % 3 + rank), .dropout = dropout};
  if (head) config.target_modules = {"q_proj", "v_proj", "o_proj", "up_proj", "down_proj", "lm_head"};
  LoraAdapter adapter(config, model.linear_layers(), seed);
  std::mt19937_64 engine(seed);
  NoGrad guard;
  for (const Tensor& p : adapter.parameters()) {
    std::vector<float> values(size_t(p.numel()));
    for (float& v : values) v = (float(engine() >> 40) / 8388608.0f - 1.0f) * 0.2f;
    copy_(p, from_values<float>(std::span<const float>(values), p.shape()));
  }
  adapter.requires_grad_(true);
  return adapter;
}

/// Some sequences of one adapter (null: of the base), with a weight for each token; a weight of 0 stands for no target.
struct Part {
  const LoraAdapter* adapter;
  std::vector<Sequence> sequences;
  std::vector<int64_t> targets;
  std::vector<float> weights;
};

Part make_part(const LoraAdapter* adapter, std::vector<int> lengths, uint64_t seed) {
  std::mt19937_64 engine(seed);
  Part part{adapter, {}, {}, {}};
  for (int length : lengths) {
    part.sequences.emplace_back();
    for (int i = 0; i < length; ++i) {
      part.sequences.back().push_back(int32_t(engine() % 301));
      const bool none = engine() % 4 == 0;
      part.targets.push_back(none ? ignored_token : int64_t(engine() % 301));
      part.weights.push_back(none ? 0 : float(engine() % 100) / 50 - 1);
    }
  }
  return part;
}

/// What a pass gives: by part, the bits of log-probabilities and of every gradient.
struct Results {
  std::vector<std::vector<uint32_t>> log_probs;
  std::vector<std::vector<std::vector<uint32_t>>> gradients;
  bool operator==(const Results&) const = default;
};

enum class Way { cross_entropy, weighted_loss, log_probs };

Results run(const CausalLm& model, const std::vector<Part>& parts, Way way, const DropoutSeed& dropout = {}) {
  std::vector<Sequence> sequences;
  std::vector<int64_t> targets, starts = {0};
  std::vector<float> weights;
  std::vector<AdapterRows> ranges;
  for (const Part& p : parts) {
    sequences.insert(sequences.end(), p.sequences.begin(), p.sequences.end());
    targets.insert(targets.end(), p.targets.begin(), p.targets.end());
    weights.insert(weights.end(), p.weights.begin(), p.weights.end());
    ranges.push_back({p.adapter, starts.back(), int64_t(targets.size())});
    starts.push_back(int64_t(targets.size()));
    if (p.adapter)
      for (const Tensor& w : p.adapter->parameters()) w.set_grad({});
  }
  const RowAdapters adapters(ranges);
  const Tensor hidden = model.hidden(pack(sequences), adapters, nullptr, dropout), wanted = integers(targets);
  const Tensor factors = from_values<float>(std::span<const float>(weights), {int64_t(weights.size())});
  Tensor loss, log_probs = model.log_probs(hidden, wanted, adapters);
  if (way == Way::weighted_loss) loss = model.weighted_loss(hidden, wanted, factors, adapters);
  if (way == Way::log_probs) loss = neg(sum(mul(log_probs, factors)));
  if (way == Way::cross_entropy) {
    const CrossEntropy c = model.cross_entropy(hidden, wanted, factors, adapters);
    loss = c.loss;
    EXPECT_EQ(bits(c.log_probs), bits(log_probs.detach()));
  }
  if (loss.requires_grad()) backward(loss);
  Results results;
  for (size_t i = 0; i < parts.size(); ++i) {
    results.log_probs.push_back(bits(narrow(log_probs.detach(), 0, starts[i], starts[i + 1] - starts[i])));
    results.gradients.emplace_back();
    if (!parts[i].adapter) continue;
    for (const Tensor& w : parts[i].adapter->parameters()) results.gradients.back().push_back(bits(w.grad()));
  }
  return results;
}

class Adapters : public testing::TestWithParam<std::tuple<Dtype, cpu::Isa>> {
 protected:
  void SetUp() override {
    if (std::get<1>(GetParam()) > cpu::best_isa()) GTEST_SKIP() << "this processor lacks the instruction set";
    cpu::set_isa(std::get<1>(GetParam()));
    model = small_model(std::get<0>(GetParam()), std::get<1>(GetParam()) == cpu::Isa::avx2);
    adapters.push_back(make_adapter(*model, 4, true, 1));
    adapters.push_back(make_adapter(*model, 9, false, 2));
    adapters.push_back(make_adapter(*model, 1, true, 3));
    parts = {make_part(&adapters[0], {17, 5}, 1), make_part(nullptr, {9}, 2), make_part(&adapters[1], {1}, 3),
             make_part(&adapters[2], {30, 2, 11}, 4)};
  }
  void TearDown() override {
    cpu::set_isa(before_);
    cpu::set_num_threads(threads_);
  }

  void expect_alone_as_merged(Way way, const DropoutSeed& dropout = {}) {
    const Results merged = run(*model, parts, way, dropout);
    const std::vector<Part> turned(parts.rbegin(), parts.rend());
    const Results backwards = run(*model, turned, way, dropout);
    for (size_t i = 0; i < parts.size(); ++i) {
      const Results alone = run(*model, {parts[i]}, way, dropout);
      EXPECT_EQ(merged.log_probs[i], alone.log_probs[0]) << i;
      EXPECT_EQ(backwards.log_probs[parts.size() - 1 - i], alone.log_probs[0]) << i;
      EXPECT_EQ(merged.gradients[i], alone.gradients[0]) << i;
      EXPECT_EQ(backwards.gradients[parts.size() - 1 - i], alone.gradients[0]) << i;
    }
  }

  std::unique_ptr<CausalLm> model;
  std::vector<LoraAdapter> adapters;
  std::vector<Part> parts;

 private:
  cpu::Isa before_ = cpu::isa();
  int threads_ = cpu::num_threads();
};

TEST_P(Adapters, APartsBitsAreThoseOfItAlone) {
  for (Way way : {Way::cross_entropy, Way::weighted_loss, Way::log_probs}) expect_alone_as_merged(way);
}

TEST_P(Adapters, AlsoWithLayersComputedAgain) {
  const Results plain = run(*model, parts, Way::cross_entropy);
  model->model.checkpoint_layers = true;
  EXPECT_TRUE(run(*model, parts, Way::cross_entropy) == plain);
  expect_alone_as_merged(Way::cross_entropy);
}

TEST_P(Adapters, AlsoWithDropout) {
  const LoraAdapter dropping = make_adapter(*model, 3, true, 5, 0.4);
  parts.push_back(make_part(&dropping, {12}, 6));
  const Results still = run(*model, parts, Way::log_probs);
  const DropoutSeed seed{.active = true, .seed = 4, .step = 2};
  expect_alone_as_merged(Way::log_probs, seed);
  const Results dropped = run(*model, parts, Way::log_probs, seed);
  EXPECT_NE(dropped.log_probs.back(), still.log_probs.back());
  EXPECT_EQ(dropped.log_probs[0], still.log_probs[0]) << "an adapter without dropout";
}

TEST_P(Adapters, AnyNumberOfThreads) {
  cpu::set_num_threads(1);
  const Results one = run(*model, parts, Way::cross_entropy);
  for (int threads : {2, 3}) {
    cpu::set_num_threads(threads);
    EXPECT_TRUE(run(*model, parts, Way::cross_entropy) == one) << threads;
  }
}

TEST_P(Adapters, APointerIsARangeOfAllRows) {
  const TokenBatch batch = pack(parts[0].sequences);
  const Tensor ranged = model->hidden(batch, RowAdapters({{&adapters[0], 0, batch.size()}}));
  EXPECT_EQ(bits(model->hidden(batch, &adapters[0]).detach()), bits(ranged.detach()));
  EXPECT_EQ(bits(model->hidden(batch, nullptr)), bits(model->hidden(batch)));
  EXPECT_EQ(bits(model->hidden(batch, RowAdapters({{nullptr, 0, 3}}))), bits(model->hidden(batch)));
}

/// One token a step for every sequence, as a sampler decodes: the rows of each step belong to different adapters.
TEST_P(Adapters, DecodingTogetherHasTheBitsOfTraining) {
  std::vector<std::vector<uint32_t>> expected(parts.size()), got(parts.size());
  NoGrad guard;
  for (size_t i = 0; i < parts.size(); ++i) {
    Part& p = parts[i];
    const Sequence first = p.sequences[0];
    p.sequences = {first};
    p.targets.resize(first.size());
    for (int64_t& t : p.targets) t = std::abs(t) % 301;
    const Tensor hidden = model->hidden(pack(p.sequences), p.adapter);
    expected[i] = bits(model->log_probs(hidden, integers(p.targets), p.adapter));
  }
  KvCache cache(model->config());
  std::vector<int64_t> slots;
  for (size_t i = 0; i < parts.size(); ++i) slots.push_back(cache.add());
  for (size_t t = 0; t < 30; ++t) {
    std::vector<int64_t> tokens, positions, starts = {0}, running;
    std::vector<AdapterRows> ranges;
    std::vector<size_t> owner;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (t >= parts[i].sequences[0].size()) continue;
      ranges.push_back({parts[i].adapter, int64_t(tokens.size()), int64_t(tokens.size()) + 1});
      tokens.push_back(parts[i].sequences[0][t]);
      positions.push_back(int64_t(t));
      starts.push_back(int64_t(tokens.size()));
      running.push_back(slots[i]);
      owner.push_back(i);
    }
    const TokenBatch batch = {integers(tokens), integers(positions), integers(starts)};
    cache.begin(running, batch);
    const RowAdapters adapters(ranges);
    const Tensor rows = log_softmax(model->logits(model->hidden(batch, adapters, &cache), adapters), -1);
    for (size_t r = 0; r < owner.size(); ++r)
      got[owner[r]].push_back(bits(narrow(select(rows, 0, int64_t(r)), 0, parts[owner[r]].targets[t], 1))[0]);
  }
  EXPECT_EQ(got, expected);
}

TEST_P(Adapters, AHeadInTrainingKeepsTheBits) {
  if (std::get<0>(GetParam()) != Dtype::float32) GTEST_SKIP() << "full fine-tuning keeps float32 weights";
  const auto frozen = run(*model, parts, Way::cross_entropy).log_probs;
  model->requires_grad_(true);
  EXPECT_EQ(run(*model, parts, Way::cross_entropy).log_probs, frozen);
  model->requires_grad_(false);
}

std::string case_name(const testing::TestParamInfo<std::tuple<Dtype, cpu::Isa>>& info) {
  return std::string(dtype_name(std::get<0>(info.param))) + "_" + std::string(cpu::isa_name(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(EveryWay, Adapters,
                         testing::Combine(testing::Values(Dtype::float32, Dtype::bfloat16),
                                          testing::Values(cpu::Isa::avx512, cpu::Isa::avx2, cpu::Isa::generic)),
                         case_name);

TEST(RowAdapters, RefusesRangesOutOfOrderOrBeyondTheBatch) {
  const auto model = small_model(Dtype::float32, true);
  const LoraAdapter a = make_adapter(*model, 2, true, 1);
  EXPECT_THROW(RowAdapters({{&a, 0, 5}, {&a, 4, 6}}), ValueError);
  EXPECT_THROW(RowAdapters({{&a, 3, 5}, {&a, 0, 2}}), ValueError);
  EXPECT_THROW(RowAdapters({{&a, -1, 5}}), ValueError);
  EXPECT_THROW(RowAdapters({{&a, 5, 4}}), ValueError);
  const TokenBatch batch = pack({{1, 2, 3}});
  EXPECT_THROW(model->hidden(batch, RowAdapters({{&a, 0, 4}})), ValueError);
  const Tensor hidden = model->hidden(batch);
  EXPECT_THROW(model->logits(hidden, RowAdapters({{&a, 0, 4}})), ValueError);
  EXPECT_THROW(model->log_probs(hidden, integers({1, 2, 3}), RowAdapters({{&a, 0, 4}})), ValueError);
  EXPECT_TRUE(RowAdapters({{&a, 2, 2}, {nullptr, 3, 9}}).empty());
}

}  // namespace
}  // namespace hearth::llm
