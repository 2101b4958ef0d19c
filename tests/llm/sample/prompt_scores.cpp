// What a request learns about its prompt: against float64 references, in pieces, draws against their distribution.
#include "llm/sample/prompt_scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "llm/sample/small_model.h"

namespace hearth::llm {
namespace {

class Prompt : public testing::Test {
 protected:
  /// log softmax(logits / temperature) in float64 after each token of the prompt: [prompt][vocab].
  std::vector<std::vector<double>> reference(const LoraAdapter* adapter, double temperature = 1) const {
    NoGrad guard;
    const Tensor logits = model->logits(model->hidden(pack({prompt}), adapter), adapter);
    std::vector<std::vector<double>> rows;
    for (size_t r = 0; r < prompt.size(); ++r) {
      const float* row = logits.data<float>() + r * 300;
      std::vector<double> scaled(300);
      for (size_t i = 0; i < 300; ++i) scaled[i] = double(row[i]) / temperature;
      const double most = *std::max_element(scaled.begin(), scaled.end());
      double sum = 0;
      for (double x : scaled) sum += std::exp(x - most);
      for (double& x : scaled) x = x - most - std::log(sum);
      rows.push_back(scaled);
    }
    return rows;
  }
  SampleRequest scoring() const { return {.prompt = prompt, .params = {.seed = 5, .max_tokens = 1}}; }

  std::unique_ptr<CausalLm> model = small_model();
  Tokenizer tokenizer = small_tokenizer();
  std::shared_ptr<const LoraAdapter> adapter = random_adapter(*model, 1);
  std::vector<int32_t> prompt = some_prompt(150, 3);
};

TEST_F(Prompt, LogProbabilitiesAndLikelyTokens) {
  for (const auto& a : {std::shared_ptr<const LoraAdapter>(), adapter}) {
    SampleRequest request = scoring();
    request.adapter = a;
    request.prompt_logprobs = true;
    const SampleResult plain = run_alone(*model, &tokenizer, request);
    request.topk_prompt_logprobs = 7;
    const SampleResult result = run_alone(*model, &tokenizer, request, {.step_tokens = 11});
    EXPECT_EQ(bits(result.prompt_logprobs), bits(plain.prompt_logprobs)) << "the same from whole rows";
    const auto expected = reference(a.get());
    ASSERT_EQ(result.prompt_logprobs.size(), 150u);
    ASSERT_EQ(result.prompt_top.tokens.size(), 150u * 7);
    EXPECT_TRUE(std::isnan(result.prompt_logprobs[0]));
    for (size_t j = 0; j < 7; ++j) {
      EXPECT_EQ(result.prompt_top.tokens[j], 0);
      EXPECT_EQ(result.prompt_top.logprobs[j], -99999.0f);
    }
    for (size_t i = 1; i < 150; ++i) {
      const std::vector<double>& row = expected[i - 1];
      EXPECT_NEAR(result.prompt_logprobs[i], row[size_t(prompt[i])], 1e-4);
      std::vector<int32_t> order(300);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int32_t x, int32_t y) { return row[size_t(x)] > row[size_t(y)]; });
      for (size_t j = 0; j < 7; ++j) {
        EXPECT_EQ(result.prompt_top.tokens[i * 7 + j], order[j]) << "position " << i;
        EXPECT_NEAR(result.prompt_top.logprobs[i * 7 + j], row[size_t(order[j])], 1e-4);
      }
    }
  }
}

TEST_F(Prompt, OnlyTheLastOnes) {
  SampleRequest request = scoring();
  request.prompt_logprobs = true;
  request.topk_prompt_logprobs = 2;
  const SampleResult all = run_alone(*model, &tokenizer, request);
  for (int64_t n : {0, 1, 60, 149, 150, 1000}) {
    request.prompt_logprobs_last_n = n;
    request.topk_prompt_logprobs = n % 2 == 0 ? 2 : 0;
    const SampleResult some = run_alone(*model, &tokenizer, request, {.step_tokens = 40});
    const size_t first = size_t(150 - std::clamp<int64_t>(n, 0, 149));
    for (size_t i = 0; i < 150; ++i) {
      if (i < first)
        EXPECT_TRUE(std::isnan(some.prompt_logprobs[i])) << n << ", " << i;
      else
        EXPECT_EQ(some.prompt_logprobs[i], all.prompt_logprobs[i]) << n << ", " << i;
      if (n % 2 != 0) continue;
      EXPECT_EQ(some.prompt_top.logprobs[i * 2], i < first ? -99999.0f : all.prompt_top.logprobs[i * 2]);
    }
  }
}

TEST_F(Prompt, GivenTokens) {
  SampleRequest request = scoring();
  request.adapter = adapter;
  request.target_prompt_k = 3;
  for (int64_t p = 0; p < 149; ++p)
    request.target_prompt.insert(request.target_prompt.end(),
                                 {(p * 7) % 300, p % 5 == 0 ? -1 : 299, prompt[size_t(p) + 1]});
  request.prompt_logprobs = true;
  request.prompt_logprobs_last_n = 3;  // does not hold for tokens that are named
  const SampleResult result = run_alone(*model, &tokenizer, request, {.step_tokens = 64});
  const auto expected = reference(adapter.get());
  ASSERT_EQ(result.target_prompt.size(), 149u * 3);
  for (size_t c = 0; c < 149 * 3; ++c) {
    const int64_t id = request.target_prompt[c];
    if (id < 0)
      EXPECT_EQ(result.target_prompt[c], 0.0f);
    else
      EXPECT_NEAR(result.target_prompt[c], expected[c / 3][size_t(id)], 1e-4);
  }
  EXPECT_EQ(result.prompt_logprobs[149], result.target_prompt[148 * 3 + 2]);
}

TEST_F(Prompt, AlternativesFollowTheDistribution) {
  SampleRequest request = scoring();
  constexpr int64_t draws = 4096;
  prompt.resize(6);
  request.prompt = prompt;
  request.prompt_alt_tokens_k = draws;
  for (double temperature : {1.0, 0.6}) {
    request.params.temperature = temperature;
    const SampleResult result = run_alone(*model, nullptr, request);
    ASSERT_EQ(result.prompt_alt.tokens.size(), size_t(5 * draws));
    const auto expected = reference(nullptr, temperature);
    for (size_t p = 0; p < 5; ++p) {
      std::vector<double> counts(300);
      for (size_t j = 0; j < draws; ++j) {
        const size_t cell = p * draws + j, token = size_t(result.prompt_alt.tokens[cell]);
        ++counts[token];
        EXPECT_NEAR(result.prompt_alt.logprobs[cell], expected[p][token], 1e-4);
      }
      // Pearson's sum over tokens that are expected at least five times, the others together, is about as large as
      // there are tokens.
      double sum = 0, rest = 0, rest_expected = 0, cells = 1;
      for (size_t i = 0; i < 300; ++i) {
        const double wanted = draws * std::exp(expected[p][i]);
        if (wanted < 5) {
          rest += counts[i], rest_expected += wanted;
          continue;
        }
        sum += (counts[i] - wanted) * (counts[i] - wanted) / wanted;
        ++cells;
      }
      if (rest_expected > 0) sum += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
      EXPECT_LT(sum, cells + 5 * std::sqrt(2 * cells)) << "position " << p;
    }
    // Another piece of the prompt in a step, the same draws.
    expect_same(run_alone(*model, nullptr, request, {.step_tokens = 2}).prompt_alt, result.prompt_alt);
    ++request.params.seed;
    EXPECT_NE(run_alone(*model, nullptr, request).prompt_alt.tokens, result.prompt_alt.tokens);
  }
}

TEST_F(Prompt, GreedyAlternativesAreTheBest) {
  SampleRequest request = scoring();
  request.params.temperature = 0;
  request.prompt_alt_tokens_k = 2;
  request.topk_prompt_logprobs = 1;
  const SampleResult result = run_alone(*model, nullptr, request);
  for (size_t p = 0; p < 149; ++p)
    for (size_t j = 0; j < 2; ++j) {
      EXPECT_EQ(result.prompt_alt.tokens[p * 2 + j], result.prompt_top.tokens[p + 1]);
      EXPECT_EQ(result.prompt_alt.logprobs[p * 2 + j], result.prompt_top.logprobs[p + 1]);
    }
}

TEST_F(Prompt, OfOneToken) {
  SampleRequest request = scoring();
  request.prompt = {7};
  request.prompt_logprobs = true;
  request.topk_prompt_logprobs = 2;
  request.prompt_alt_tokens_k = 3;
  request.target_prompt_k = 4;
  const SampleResult result = run_alone(*model, nullptr, request);
  ASSERT_EQ(result.prompt_logprobs.size(), 1u);
  EXPECT_TRUE(std::isnan(result.prompt_logprobs[0]));
  EXPECT_EQ(result.prompt_top.tokens, (std::vector<int32_t>{0, 0}));
  EXPECT_TRUE(result.prompt_alt.tokens.empty() && result.target_prompt.empty());
  EXPECT_EQ(result.sequences[0].tokens.size(), 1u);
}

TEST_F(Prompt, SampledTokensHaveLikelyOnesBesideThem) {
  SampleRequest request = scoring();
  request.params.max_tokens = 10;
  request.ignore_eos = true;
  request.topk_sample_logprobs = 4;
  const SampledSequence sampled = run_alone(*model, &tokenizer, request).sequences[0];
  SampleRequest whole = scoring();
  whole.prompt.insert(whole.prompt.end(), sampled.tokens.begin(), sampled.tokens.end());
  whole.topk_prompt_logprobs = 4;
  const TokenTable table = run_alone(*model, &tokenizer, whole).prompt_top;
  ASSERT_EQ(sampled.top.tokens.size(), 40u);
  EXPECT_EQ(sampled.top.k, 4);
  EXPECT_EQ(sampled.top.tokens, std::vector<int32_t>(table.tokens.end() - 40, table.tokens.end()));
  EXPECT_EQ(bits(sampled.top.logprobs), bits(std::vector<float>(table.logprobs.end() - 40, table.logprobs.end())));
}

}  // namespace
}  // namespace hearth::llm
