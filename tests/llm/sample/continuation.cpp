// What ends a continuation: the model's own tokens, tokens and texts of the request, at every place.
#include "llm/sample/continuation.h"

#include <gtest/gtest.h>

#include "llm/sample/small_model.h"

namespace hearth::llm {
namespace {

class Stops : public testing::Test {
 protected:
  /// What a request without stops gives; its text is of many short tokens.
  SampledSequence run(SampleRequest request) const {
    return run_alone(*model, &tokenizer, request, {.step_tokens = 9}).sequences[0];
  }
  SampleRequest free_request(uint64_t seed) const {
    return {.prompt = some_prompt(20, 3),
            .params = {.temperature = 1.5, .seed = seed, .max_tokens = 60},
            .ignore_eos = true,
            .text = true};
  }

  std::unique_ptr<CausalLm> model = small_model();
  Tokenizer tokenizer = small_tokenizer();
};

TEST_F(Stops, TokensEndWhereTheyFirstCome) {
  const SampledSequence all = run(free_request(1));
  ASSERT_EQ(all.tokens.size(), 60u);
  EXPECT_EQ(all.reason, FinishReason::length);
  for (size_t at : {0, 1, 30, 59}) {
    SampleRequest request = free_request(1);
    request.params.stop_tokens = {299, all.tokens[at]};
    const SampledSequence cut = run(request);
    const size_t first = size_t(std::find(all.tokens.begin(), all.tokens.end(), all.tokens[at]) - all.tokens.begin());
    EXPECT_EQ(cut.tokens, std::vector<int32_t>(all.tokens.begin(), all.tokens.begin() + long(first) + 1));
    EXPECT_EQ(cut.logprobs.size(), first + 1);
    EXPECT_EQ(cut.reason, FinishReason::stop);
    EXPECT_EQ(all.text.rfind(cut.text, 0), 0u) << "a beginning of the text, without the stop token";
  }
}

TEST_F(Stops, TheLastTokenAllowedMayBeAStop) {
  SampleRequest request = free_request(1);
  const SampledSequence all = run(request);
  const size_t first = size_t(std::find(all.tokens.begin(), all.tokens.end(), all.tokens[20]) - all.tokens.begin());
  request.params.stop_tokens = {all.tokens[20]};
  request.params.max_tokens = int64_t(first) + 1;
  EXPECT_EQ(run(request).reason, FinishReason::stop);
  if (first > 0) {
    --request.params.max_tokens;
    EXPECT_EQ(run(request).reason, FinishReason::length);
  }
}

TEST_F(Stops, TheModelsOwnEnd) {
  const SampledSequence all = run(free_request(2));
  DecoderConfig config = model->config();
  config.eos_token_ids = {all.tokens[7], 5};
  CausalLm ending(config);
  ending.initialize(11, 0.15);
  ending.requires_grad_(false);
  SampleRequest request = free_request(2);
  EXPECT_EQ(run_alone(ending, &tokenizer, request).sequences[0].tokens, all.tokens) << "it is told to go on";
  request.ignore_eos = false;
  const SampledSequence cut = run_alone(ending, &tokenizer, request).sequences[0];
  EXPECT_LE(cut.tokens.size(), 8u);
  EXPECT_EQ(cut.reason, FinishReason::stop);
}

TEST_F(Stops, TextsEndWithTheTokenThatCompletesThem) {
  int found = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const SampledSequence all = run(free_request(seed));
    // The text of each beginning of the tokens, as far as it is whole characters.
    std::vector<std::string> texts;
    StreamDecoder decoder(tokenizer, false);
    for (int32_t token : some_prompt(20, 3)) decoder.push(token);
    std::string text;
    for (int32_t token : all.tokens) texts.push_back(text += decoder.push(token));
    // Every part of the text of two to four bytes, in steps, may be the stop.
    for (size_t at = 0; at + 4 < text.size(); at += 3) {
      const std::string stop = text.substr(at, 2 + at % 3);
      SampleRequest request = free_request(seed);
      request.params.stop = {"never to be seen", stop};
      const SampledSequence cut = run(request);
      size_t last = 0;
      while (texts[last].find(stop) == std::string::npos) ++last;
      EXPECT_EQ(cut.tokens, std::vector<int32_t>(all.tokens.begin(), all.tokens.begin() + long(last) + 1)) << stop;
      EXPECT_EQ(cut.reason, FinishReason::stop);
      EXPECT_EQ(cut.text.find(stop), std::string::npos);
      ++found;
    }
  }
  EXPECT_GT(found, 50);
}

TEST_F(Stops, TextsMayNameSpecialTokens) {
  const int32_t special = *tokenizer.token_to_id("<|user|>");
  SampleRequest request = free_request(0);
  Continuation plain(request, 0, {}, &tokenizer);
  EXPECT_EQ(plain.take(special, false), "") << "not shown";
  EXPECT_FALSE(plain.stopped());
  request.params.stop = {"a<|user|>"};
  Continuation watching(request, 0, {}, &tokenizer);
  watching.take(tokenizer.encode("a")[0], false);
  EXPECT_FALSE(watching.stopped());
  watching.take(special, false);
  EXPECT_TRUE(watching.stopped());
}

TEST_F(Stops, WhatThePromptHoldsDoesNotStop) {
  SampleRequest request = free_request(3);
  request.prompt = tokenizer.encode("the cat and the hat");
  const SampledSequence all = run(request);
  request.params.stop = {"the hat"};
  const SampledSequence again = run(request);
  EXPECT_EQ(again.tokens, all.tokens);
}

TEST_F(Stops, TextIsThatOfTheTokens) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    SampleRequest request = free_request(seed);
    request.prompt = tokenizer.encode("the cat");
    const SampledSequence s = run(request);
    std::vector<int32_t> ids = request.prompt;
    ids.insert(ids.end(), s.tokens.begin(), s.tokens.end());
    EXPECT_EQ(tokenizer.decode(request.prompt, true) + s.text, tokenizer.decode(ids, true));
  }
}

}  // namespace
}  // namespace hearth::llm
