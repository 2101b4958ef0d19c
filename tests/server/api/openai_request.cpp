// OpenAI request: what is read, and what is refused by name.
#include "server/api/openai_request.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

OpenAiRequest completion(const std::string& fields) {
  return read_openai_request(R"({"model":"m")" + std::string(fields.empty() ? "" : ",") + fields + "}", false);
}

OpenAiRequest chat(const std::string& fields) {
  return read_openai_request(R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
                                 std::string(fields.empty() ? "" : ",") + fields + "}",
                             true);
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const ValueError& error) {
    return error.what();
  }
  return "(none)";
}

TEST(OpenAiRequest, DefaultsAreThoseOfTheEndpoints) {
  OpenAiRequest one = completion(R"("prompt":"Once")");
  EXPECT_EQ(one.model, "m");
  ASSERT_EQ(one.prompts.size(), 1u);
  EXPECT_EQ(one.prompts[0].text, "Once");
  EXPECT_EQ(one.sample.max_tokens, 16);
  EXPECT_EQ(one.sample.num_samples, 1);
  EXPECT_EQ(one.sample.temperature, 1);
  EXPECT_FALSE(one.sample.seed || one.stream || one.logprobs);
  EXPECT_FALSE(chat("").sample.max_tokens);
  EXPECT_EQ(chat("").prompts[0].messages, R"([{"role":"user","content":"hi"}])");
}

TEST(OpenAiRequest, EveryFormOfAPrompt) {
  EXPECT_EQ(completion(R"("prompt":[5,6])").prompts[0].tokens, (std::vector<int32_t>{5, 6}));
  EXPECT_EQ(completion(R"("prompt":["a","b"])").prompts[1].text, "b");
  EXPECT_EQ(completion(R"("prompt":[[5],[6,7]])").prompts[1].tokens, (std::vector<int32_t>{6, 7}));
  for (const char* bad : {R"("prompt":"")", R"("prompt":[])", R"("prompt":[[]])", R"("prompt":[-1])",
                          R"("prompt":[1.5])", R"("prompt":[5,"a"])", R"("prompt":{"a":1})", R"("prompt":null)"})
    EXPECT_EQ(refusal([&] { completion(bad); }).rfind("prompt:", 0), 0u) << bad;
}

TEST(OpenAiRequest, MessagesKeepRoleContentAndName) {
  OpenAiRequest one = read_openai_request(
      R"({"model":"m","messages":[{"role":"user","name":"Ann","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]})",
      true);
  EXPECT_EQ(one.prompts[0].messages, R"([{"role":"user","content":"ab","name":"Ann"}])");
  for (const char* bad :
       {R"({"model":"m","messages":[]})", R"({"model":"m"})", R"({"model":"m","messages":[{"content":"a"}]})",
        R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})",
        R"({"model":"m","messages":[{"role":"assistant","content":"a","tool_calls":[{}]}]})"})
    EXPECT_EQ(refusal([&] { read_openai_request(bad, true); }).rfind("messages:", 0), 0u) << bad;
}

TEST(OpenAiRequest, WhatIsNotHonouredIsRefusedByName) {
  for (const char* name : {"frequency_penalty", "presence_penalty", "best_of"})
    EXPECT_EQ(refusal([&] { completion("\"prompt\":\"a\",\"" + std::string(name) + "\":2"); }),
              std::string(name) + ": is not supported; leave it out");
  for (const char* field :
       {R"("logit_bias":{"5":1})", R"("echo":true)", R"("suffix":"x")", R"("no_such_field":1)", R"("messages":[])"})
    EXPECT_NE(refusal([&] { completion(std::string(R"("prompt":"a",)") + field); }), "(none)") << field;
  for (const char* field : {R"("tools":[{"type":"function"}])", R"("response_format":{"type":"json_object"})",
                            R"("reasoning_effort":"low")", R"("prompt":"x")"})
    EXPECT_NE(refusal([&] { chat(field); }), "(none)") << field;
}

TEST(OpenAiRequest, SettingsThatChangeNothingAreAccepted) {
  completion(
      R"("prompt":"a","frequency_penalty":0,"presence_penalty":0.0,"logit_bias":{},"best_of":1,"echo":false,"user":"u")");
  completion(R"("prompt":"a","n":3,"best_of":3,"suffix":null,"logit_bias":null)");
  chat(R"("tools":[],"tool_choice":"none","response_format":{"type":"text"},"store":false,"reasoning_effort":null)");
}

TEST(OpenAiRequest, RangesAreChecked) {
  for (const char* bad : {R"("n":0)", R"("n":1.5)", R"("n":1000)", R"("temperature":-1)", R"("top_p":0)",
                          R"("top_p":1.1)", R"("max_tokens":0)", R"("logprobs":21)", R"("stop":[""])", R"("stop":5)",
                          R"("stream":1)", R"("seed":"a")", R"("stream_options":{})", R"("temperature":"hot")"})
    EXPECT_NE(refusal([&] { completion(std::string(R"("prompt":"a",)") + bad); }), "(none)") << bad;
}

TEST(OpenAiRequest, LogprobsOfBothEndpoints) {
  EXPECT_TRUE(completion(R"("prompt":"a","logprobs":0)").logprobs);
  EXPECT_EQ(completion(R"("prompt":"a","logprobs":3)").sample.topk_sample_logprobs, 3);
  EXPECT_FALSE(chat(R"("logprobs":false)").logprobs);
  EXPECT_EQ(chat(R"("logprobs":true,"top_logprobs":2)").sample.topk_sample_logprobs, 2);
  EXPECT_NE(refusal([] { chat(R"("top_logprobs":2)"); }), "(none)");
}

TEST(OpenAiRequest, BodiesThatAreNoJsonAreRefused) {
  for (const char* bad : {"", "{", "[]", "null", R"({"model":5,"prompt":"a"})", R"({"prompt":"a"})"})
    EXPECT_NE(refusal([&] { read_openai_request(bad, false); }), "(none)") << bad;
}

}  // namespace
}  // namespace hearth::server
