// A small random model with a vocabulary larger than its tokenizer's, adapters for it, and results compared by bits.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>

#include "hearth/hearth.h"
#include "llm/models/causal_lm.h"
#include "llm/sample/sample_batch.h"
#include "llm/tokenizer/small_tokenizers.h"
#include "llm/tokenizer/tokenizer.h"
#include "tests/llm/models/random_llama.h"

namespace hearth::llm {

/// Sizes that are no multiples of a vector; 300 rows of embedding for the 271 tokens of `small_tokenizer`.
inline std::unique_ptr<CausalLm> small_model(int64_t context = 512) {
  auto model = random_llama(
      {.vocab = 300, .hidden = 72, .inner = 200, .heads = 6, .context = context, .seed = 11, .spread = 0.15});
  model->requires_grad_(false);
  return model;
}

inline Tokenizer small_tokenizer() { return parse_tokenizer_json(small_tokenizer_json(), "small"); }

/// An adapter that changes every layer, the output layer too.
inline std::shared_ptr<LoraAdapter> random_adapter(const CausalLm& model, uint64_t seed, int64_t rank = 5) {
  LoraConfig config;
  config.rank = rank;
  config.target_modules = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"};
  auto adapter = std::make_shared<LoraAdapter>(config, model.linear_layers(), seed);
  NoGrad guard;
  Generator generator(seed + 1);
  for (const Tensor& p : adapter->parameters()) copy_(p, mul(randn(p.shape(), Dtype::float32, &generator), 0.05));
  return adapter;
}

/// Bits, so that equal means equal and NaN equals itself.
inline std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> out(values.size());
  if (!out.empty()) std::memcpy(out.data(), values.data(), values.size() * sizeof(float));
  return out;
}

inline void expect_same(const TokenTable& a, const TokenTable& b) {
  EXPECT_EQ(a.k, b.k);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(bits(a.logprobs), bits(b.logprobs));
}

inline void expect_same(const SampleResult& a, const SampleResult& b) {
  ASSERT_EQ(a.sequences.size(), b.sequences.size());
  for (size_t i = 0; i < a.sequences.size(); ++i) {
    EXPECT_EQ(a.sequences[i].tokens, b.sequences[i].tokens);
    EXPECT_EQ(bits(a.sequences[i].logprobs), bits(b.sequences[i].logprobs));
    EXPECT_EQ(a.sequences[i].reason, b.sequences[i].reason);
    EXPECT_EQ(a.sequences[i].text, b.sequences[i].text);
    expect_same(a.sequences[i].top, b.sequences[i].top);
  }
  EXPECT_EQ(bits(a.prompt_logprobs), bits(b.prompt_logprobs));
  EXPECT_EQ(bits(a.target_prompt), bits(b.target_prompt));
  expect_same(a.prompt_top, b.prompt_top);
  expect_same(a.prompt_alt, b.prompt_alt);
}

/// Runs a batch to its end; what failed raises.
inline std::map<uint64_t, SampleResult> drain(SampleBatch& batch) {
  std::map<uint64_t, SampleResult> results;
  while (!batch.empty())
    for (FinishedSample& finished : batch.step()) {
      if (finished.error) std::rethrow_exception(finished.error);
      results[finished.id] = std::move(finished.result);
    }
  return results;
}

inline SampleResult run_alone(const CausalLm& model, const Tokenizer* tokenizer, const SampleRequest& request,
                              const SampleLimits& limits = {}) {
  SampleBatch batch(model, tokenizer, limits);
  const uint64_t id = batch.add(request);
  return drain(batch).at(id);
}

/// Some tokens, different for each seed.
inline std::vector<int32_t> some_prompt(int64_t length, int64_t seed) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < length; ++i) tokens.push_back(int32_t((i * 31 + seed * 17 + i * i % 7) % 270));
  return tokens;
}

}  // namespace hearth::llm
