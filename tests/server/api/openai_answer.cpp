// OpenAI answer: the shapes of answers, pieces and errors.
#include "server/api/openai_answer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>

namespace hearth::server {
namespace {

AnswerHead head_of(bool chat) {
  OpenAiRequest request;
  request.chat = chat;
  request.model = "m";
  AnswerHead head(request);
  head.id = "id";
  head.created = 5;
  return head;
}

Choice choice_of(int64_t index, const std::string& text) {
  Choice choice;
  choice.index = index;
  choice.text = text;
  choice.stopped = true;
  choice.told = {{{7, -0.5f, "a"}, {{7, -0.5f, "a"}, {8, -INFINITY, "\xFF"}}, 3}};
  return choice;
}

TEST(OpenAiAnswer, Completion) {
  EXPECT_EQ(whole_answer(head_of(false), {choice_of(1, "ab")}, {3, 2, 1}, true), boost::json::parse(R"({
    "id":"id","object":"text_completion","created":5,"model":"m",
    "choices":[{"index":1,"text":"ab","finish_reason":"stop","logprobs":{"tokens":["a"],"token_logprobs":[-0.5],
                "top_logprobs":[{"a":-0.5,"\uFFFD":-9999.0}],"text_offset":[3]}}],
    "usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":1}}})"));
}

TEST(OpenAiAnswer, Chat) {
  EXPECT_EQ(whole_answer(head_of(true), {choice_of(0, "ab")}, {}, false).at("choices"), boost::json::parse(R"([
    {"index":0,"message":{"role":"assistant","content":"ab","refusal":null},"logprobs":null,"finish_reason":"stop"}])"));
  auto told = whole_answer(head_of(true), {choice_of(0, "ab")}, {}, true);
  EXPECT_EQ(told.at("object"), "chat.completion");
  EXPECT_EQ(told.at("choices").as_array()[0].at("logprobs"), boost::json::parse(R"({"refusal":null,"content":[
    {"token":"a","logprob":-0.5,"bytes":[97],"top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]},
     {"token":"\uFFFD","logprob":-9999.0,"bytes":[255]}]}]})"));
}

TEST(OpenAiAnswer, Pieces) {
  Choice choice;
  choice.text = "x";
  auto of = [](const boost::json::value& value) { return value.at("choices").as_array()[0]; };
  EXPECT_EQ(of(piece_answer(head_of(true), choice, true, false, false)),
            boost::json::parse(
                R"({"index":0,"delta":{"role":"assistant","content":"x"},"logprobs":null,"finish_reason":null})"));
  choice.text = "";
  EXPECT_EQ(of(piece_answer(head_of(true), choice, false, true, false)),
            boost::json::parse(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"length"})"));
  EXPECT_EQ(of(piece_answer(head_of(false), choice, false, true, false)),
            boost::json::parse(R"({"index":0,"text":"","logprobs":null,"finish_reason":"length"})"));
  EXPECT_EQ(usage_answer(head_of(true), {1, 2, 0}).at("choices"), boost::json::array());
}

TEST(OpenAiAnswer, ErrorsNameTheField) {
  auto error = [](int status, const char* message) { return error_value(status, message).at("error"); };
  EXPECT_EQ(
      error(400, "top_p: wants more than 0"),
      boost::json::parse(
          R"({"message":"top_p: wants more than 0","type":"invalid_request_error","param":"top_p","code":null})"));
  EXPECT_EQ(error(404, "model 'x' not found").at("code"), "model_not_found");
  EXPECT_TRUE(error(404, "model 'x' not found").at("param").is_null());
  EXPECT_EQ(error(429, "busy").at("type"), "rate_limit_error");
  EXPECT_EQ(openai_error(503, "ends").status, 503);
}

}  // namespace
}  // namespace hearth::server
