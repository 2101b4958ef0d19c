// The sampler: each filter against distributions worked out by hand, seeds, the penalty, refusals.
#include "llm/sample/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hearth/core/error.h"

namespace hearth::llm {
namespace {

/// Logits whose softmax is 0.5, 0.25, 0.125, 0.0625, 0.0625 in this order of tokens: 3, 0, 4, 1, 2.
const std::vector<float> halves = {std::log(0.25f), std::log(0.0625f), std::log(0.0625f), std::log(0.5f),
                                   std::log(0.125f)};

/// How often each token is chosen in many draws, each by a sampler of its own seed or all by one.
std::vector<double> frequencies(SamplingParams params, const std::vector<float>& logits, bool own_seeds = false) {
  constexpr int draws = 20000;
  std::vector<double> counts(logits.size());
  params.seed = 42;
  Sampler sampler(params);
  for (int i = 0; i < draws; ++i) {
    if (own_seeds) {
      params.seed = uint64_t(i);
      sampler = Sampler(params);
    }
    ++counts[size_t(sampler.choose(logits))];
  }
  for (double& c : counts) c /= draws;
  return counts;
}

void expect_distribution(const SamplingParams& params, const std::vector<float>& logits,
                         const std::vector<double>& expected) {
  for (bool own_seeds : {false, true}) {
    const std::vector<double> seen = frequencies(params, logits, own_seeds);
    for (size_t i = 0; i < expected.size(); ++i) {
      // Five standard deviations of a frequency; what has no probability is never chosen.
      if (expected[i] == 0)
        EXPECT_EQ(seen[i], 0) << "token " << i;
      else
        EXPECT_NEAR(seen[i], expected[i], 5 * std::sqrt(expected[i] * (1 - expected[i]) / 20000) + 1e-9)
            << "token " << i << (own_seeds ? ", a seed for each draw" : "");
    }
  }
}

TEST(Sampler, TakesTheModelsOwnDistribution) { expect_distribution({}, halves, {0.25, 0.0625, 0.0625, 0.5, 0.125}); }

TEST(Sampler, Temperature) {
  // Half the temperature squares the probabilities: sum of squares is 0.3359375.
  const double total = 0.25 + 0.0625 + 0.015625 + 2 * 0.00390625;
  expect_distribution({.temperature = 0.5}, halves,
                      {0.0625 / total, 0.00390625 / total, 0.00390625 / total, 0.25 / total, 0.015625 / total});
  expect_distribution({.temperature = 0}, halves, {0, 0, 0, 1, 0});
}

TEST(Sampler, TopK) {
  expect_distribution({.top_k = 1}, halves, {0, 0, 0, 1, 0});
  expect_distribution({.top_k = 2}, halves, {1.0 / 3, 0, 0, 2.0 / 3, 0});
  // Tokens 1 and 2 are equally likely: of the two the smaller id is kept.
  expect_distribution({.top_k = 4}, halves, {4.0 / 15, 1.0 / 15, 0, 8.0 / 15, 2.0 / 15});
  expect_distribution({.top_k = 99}, halves, {0.25, 0.0625, 0.0625, 0.5, 0.125});
}

TEST(Sampler, TopP) {
  expect_distribution({.top_p = 0.4}, halves, {0, 0, 0, 1, 0});
  expect_distribution({.top_p = 0.7}, halves, {1.0 / 3, 0, 0, 2.0 / 3, 0});
  expect_distribution({.top_p = 0.8}, halves, {2.0 / 7, 0, 0, 4.0 / 7, 1.0 / 7});
  expect_distribution({.top_p = 1e-9}, halves, {0, 0, 0, 1, 0});
}

TEST(Sampler, MinP) {
  expect_distribution({.min_p = 0.6}, halves, {0, 0, 0, 1, 0});
  expect_distribution({.min_p = 0.4}, halves, {1.0 / 3, 0, 0, 2.0 / 3, 0});
  expect_distribution({.min_p = 0.2}, halves, {2.0 / 7, 0, 0, 4.0 / 7, 1.0 / 7});
}

TEST(Sampler, FiltersTogether) {
  // top_k keeps tokens 3, 0, 4 (4/7, 2/7, 1/7 of what is left); 0.8 of that is reached by the first two.
  expect_distribution({.top_k = 3, .top_p = 0.8}, halves, {1.0 / 3, 0, 0, 2.0 / 3, 0});
}

TEST(Sampler, RepetitionPenalty) {
  const std::vector<float> logits = {2, 1.5f, -1, -1.2f};
  Sampler sampler({.temperature = 0, .repetition_penalty = 2});
  EXPECT_EQ(sampler.choose(logits), 0);
  EXPECT_EQ(sampler.choose(logits), 1) << "2 / 2 is less than 1.5";
  EXPECT_EQ(sampler.choose(logits), 0) << "1 against 0.75";
  const std::vector<float> negative = {-1, -1.2f};
  Sampler other({.temperature = 0, .repetition_penalty = 1.5});
  other.see(std::vector<int32_t>{0, 77, -5});
  EXPECT_EQ(other.choose(negative), 1) << "-1.5 is less than -1.2; ids outside the vocabulary do not matter";
}

TEST(Sampler, DependsOnSeedAlone) {
  const auto draw = [](uint64_t seed) {
    Sampler sampler({.seed = seed});
    std::vector<int32_t> tokens;
    for (int i = 0; i < 50; ++i) tokens.push_back(sampler.choose(halves));
    return tokens;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
  EXPECT_NE(draw(0), draw(1));
}

TEST(Sampler, NumbersThatAreNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (double temperature : {0.0, 1.0}) {
    Sampler sampler({.temperature = temperature});
    EXPECT_EQ(sampler.choose(std::vector<float>{nan, 1, -inf}), 1);
    EXPECT_THROW(sampler.choose(std::vector<float>{nan, nan}), ValueError);
    EXPECT_THROW(sampler.choose(std::vector<float>{-inf, -inf}), ValueError);
    EXPECT_THROW(sampler.choose(std::vector<float>{inf, 1}), ValueError);
    EXPECT_THROW(sampler.choose(std::vector<float>{}), ValueError);
  }
}

TEST(Sampler, RefusesImpossibleParameters) {
  EXPECT_THROW(Sampler({.temperature = -1}), ValueError);
  EXPECT_THROW(Sampler({.temperature = std::nan("")}), ValueError);
  EXPECT_THROW(Sampler({.top_k = -1}), ValueError);
  EXPECT_THROW(Sampler({.top_p = 0}), ValueError);
  EXPECT_THROW(Sampler({.top_p = 1.01}), ValueError);
  EXPECT_THROW(Sampler({.top_p = std::nan("")}), ValueError);
  EXPECT_THROW(Sampler({.min_p = -0.1}), ValueError);
  EXPECT_THROW(Sampler({.repetition_penalty = 0}), ValueError);
  EXPECT_THROW(Sampler({.max_tokens = -1}), ValueError);
  EXPECT_THROW(Sampler({.stop = {""}}), ValueError);
}

}  // namespace
}  // namespace hearth::llm
