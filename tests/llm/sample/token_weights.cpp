// Rows made ready to draw from: sums, draws at every place of the unit interval, the most likely tokens, big filters.
#include "llm/sample/token_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "hearth/core/error.h"
#include "llm/sample/sampler.h"

namespace hearth::llm {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

std::vector<float> random_row(size_t n, uint32_t seed, float spread = 3) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> row(n);
  for (float& x : row) x = normal(engine);
  return row;
}

TEST(TokenWeights, AreExponentialsOfDifferences) {
  for (size_t n : {1, 15, 256, 257, 5000})
    for (double temperature : {0.3, 1.0, 4.0}) {
      const std::vector<float> row = random_row(n, uint32_t(n));
      const TokenWeights weights(row, temperature);
      const double most = double(*std::max_element(row.begin(), row.end()));
      double total = 0;
      for (size_t i = 0; i < n; ++i) {
        const double expected = std::exp((double(row[i]) - most) / temperature);
        EXPECT_NEAR(weights.values()[i], expected, 1e-5 * expected + 1e-30);
        total += double(weights.values()[i]);
      }
      EXPECT_NEAR(weights.total(), total, 1e-12 * total);
    }
}

TEST(TokenWeights, DrawsWalkAlongTheTokens) {
  for (size_t n : {1, 7, 256, 1000}) {
    const std::vector<float> row = random_row(n, 3);
    const TokenWeights weights(row, 1);
    double before = 0;
    for (size_t i = 0; i < n; ++i) {
      const double share = double(weights.values()[i]) / weights.total();
      if (share > 1e-9) {
        EXPECT_EQ(weights.draw(before + share * 0.01), int32_t(i));
        EXPECT_EQ(weights.draw(before + share * 0.99), int32_t(i));
      }
      before += share;
    }
    EXPECT_EQ(weights.draw(0), 0);
    EXPECT_EQ(weights.draw(1), int32_t(n) - 1) << "rounding may lead here";
  }
}

TEST(TokenWeights, WhatIsNotFiniteWeighsNothing) {
  std::vector<float> row(600, -inf);
  row[300] = 1;
  row[301] = std::nanf("");
  row[302] = 0;
  const TokenWeights weights(row, 1);
  EXPECT_EQ(weights.draw(0), 300);
  EXPECT_EQ(weights.draw(0.9), 302);
  EXPECT_EQ(weights.draw(1), 302) << "not a token behind the last that has weight";
  EXPECT_EQ(TokenWeights(row, 1e-300).draw(0.999), 300);
  EXPECT_EQ(TokenWeights(row, 1e300).draw(0.6), 302);
  EXPECT_THROW(TokenWeights(std::vector<float>{inf, 1}, 1), ValueError);
  EXPECT_THROW(TokenWeights(std::vector<float>{}, 1), ValueError);
}

TEST(TopTokens, AreThoseOfAFullSort) {
  for (size_t n : {1, 50, 3000})
    for (int64_t k : {0, 1, 3, 50, 1024, 1500, 4000}) {
      std::vector<float> row = random_row(n, uint32_t(n) + 1);
      for (size_t i = 0; i < n; i += 3) row[i] = std::round(row[i]);  // many are equal
      if (n > 10) row[4] = std::nanf(""), row[5] = -inf;
      std::vector<int32_t> expected;
      for (size_t i = 0; i < n; ++i)
        if (row[i] > -inf) expected.push_back(int32_t(i));
      std::stable_sort(expected.begin(), expected.end(),
                       [&](int32_t a, int32_t b) { return row[size_t(a)] > row[size_t(b)]; });
      expected.resize(std::min(expected.size(), size_t(k)));
      EXPECT_EQ(top_tokens(row, k), expected) << n << ", " << k;
    }
}

/// Which tokens a sampler ever chooses, by a full sort in float64.
std::vector<int32_t> nucleus(const std::vector<float>& row, double temperature, double top_p) {
  std::vector<int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return row[size_t(a)] > row[size_t(b)]; });
  std::vector<double> weight;
  for (int32_t t : order)
    weight.push_back(std::exp((double(row[size_t(t)]) - double(row[size_t(order[0])])) / temperature));
  const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
  size_t kept = 0;
  for (double sum = 0; kept < order.size() && sum < top_p * total; ++kept) sum += weight[kept];
  order.resize(kept);
  std::sort(order.begin(), order.end());
  return order;
}

TEST(TopP, KeepsThoseOfAFullSort) {
  for (double temperature : {0.5, 1.0, 20.0})
    for (double top_p : {0.1, 0.5, 0.9, 0.99}) {
      const std::vector<float> row = random_row(400, 17);
      const std::vector<int32_t> expected = nucleus(row, temperature, top_p);
      // Equal draws over the unit interval are not at hand, so many random ones: all that are chosen belong to it, and
      // of those with a fair share none is missed.
      Sampler sampler({.temperature = temperature, .top_p = top_p, .seed = 1});
      std::vector<int> counts(row.size());
      for (int i = 0; i < 20000; ++i) ++counts[size_t(sampler.choose(row))];
      const TokenWeights weights(row, temperature);
      for (size_t t = 0; t < row.size(); ++t) {
        const bool kept = std::binary_search(expected.begin(), expected.end(), int32_t(t));
        EXPECT_TRUE(kept || counts[t] == 0) << t;
        const bool likely = double(weights.values()[t]) / weights.total() > 1e-3;
        EXPECT_TRUE(!kept || !likely || counts[t] > 0) << t;
      }
    }
}

TEST(TopP, EqualLogitsAreKeptById) {
  const std::vector<float> row(1000, 0.5f);
  Sampler sampler({.top_p = 0.01, .seed = 1});
  std::vector<int> counts(row.size());
  for (int i = 0; i < 2000; ++i) ++counts[size_t(sampler.choose(row))];
  for (size_t t = 0; t < 10; ++t) EXPECT_GT(counts[t], 100);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.begin() + 10, 0), 2000);
}

}  // namespace
}  // namespace hearth::llm
