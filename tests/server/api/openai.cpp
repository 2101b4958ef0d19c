// OpenAI's endpoints on the bundled model: answers whole and streamed, several prompts, stops, log-probabilities,
// errors.
#include <gtest/gtest.h>

#include "server/api/stage.h"

namespace hearth::server {
namespace {

struct OpenAi : testing::Test, Stage {
  OpenAi() {
    add_openai_routes(router, api);
    std::exception_ptr trouble;
    engine.recover([&](std::exception_ptr error) {
      trouble = error;
      loop.stop();
    });
    loop.run();
    EXPECT_FALSE(trouble);
  }

  boost::json::value post(const std::string& path, const std::string& fields) {
    return json("POST", path, std::string(R"({"model":"stories",)") + fields + "}");
  }
  boost::json::value complete(const std::string& fields) {
    return post("/v1/completions", R"("prompt":"Once upon a time",)" + fields);
  }
  static std::string text(const boost::json::value& answer, size_t index = 0) {
    return answer.at("choices").as_array().at(index).at("text").as_string().c_str();
  }

  /// The events of a stream, without [DONE], which must be there.
  std::vector<boost::json::value> events(const std::string& path, const std::string& fields) {
    Response response = call("POST", path, std::string(R"({"model":"stories","stream":true,)") + fields + "}");
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_TRUE(response.body.ends_with("data: [DONE]\n\n")) << response.body;
    std::vector<boost::json::value> list;
    for (size_t begin = 0; begin < response.body.size();) {
      size_t end = response.body.find("\n\n", begin);
      std::string line = response.body.substr(begin, end - begin);
      EXPECT_TRUE(line.starts_with("data: ")) << line;
      if (line != "data: [DONE]") list.push_back(boost::json::parse(line.substr(6)));
      begin = end + 2;
    }
    return list;
  }
};

TEST_F(OpenAi, GreedyCompletionIsTheSameWholeAndStreamed) {
  auto whole = complete(R"("max_tokens":12,"temperature":0)");
  EXPECT_EQ(whole.at("usage").at("completion_tokens"), 12);
  EXPECT_EQ(whole.at("choices").as_array()[0].at("finish_reason"), "length");
  std::string streamed;
  auto pieces = events("/v1/completions", R"("prompt":"Once upon a time","max_tokens":12,"temperature":0,
                                              "stream_options":{"include_usage":true})");
  for (const auto& piece : pieces)
    if (!piece.at("choices").as_array().empty()) streamed += text(piece);
  EXPECT_EQ(streamed, text(whole));
  for (const char* count : {"prompt_tokens", "completion_tokens", "total_tokens"})
    EXPECT_EQ(pieces.back().at("usage").at(count), whole.at("usage").at(count));
}

TEST_F(OpenAi, SeveralPromptsAndChoicesAreCountedThrough) {
  auto answer = post("/v1/completions", R"("prompt":["Once","The cat"],"n":2,"max_tokens":4,"seed":1)");
  ASSERT_EQ(answer.at("choices").as_array().size(), 4u);
  for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(answer.at("choices").as_array()[size_t(i)].at("index"), i);
  EXPECT_EQ(answer.at("usage").at("completion_tokens").as_int64() <= 16, true);
  EXPECT_EQ(text(answer, 0), text(post("/v1/completions", R"("prompt":"Once","n":2,"max_tokens":4,"seed":1)"), 0));
}

TEST_F(OpenAi, TheStopTextIsNotShown) {
  const std::string whole = text(complete(R"("max_tokens":60,"temperature":0)"));
  ASSERT_NE(whole.find('.'), std::string::npos) << whole;
  auto stopped = complete(R"("max_tokens":60,"temperature":0,"stop":".")");
  EXPECT_EQ(text(stopped), whole.substr(0, whole.find('.')));
  EXPECT_EQ(stopped.at("choices").as_array()[0].at("finish_reason"), "stop");
}

TEST_F(OpenAi, LogProbabilitiesBelongToTheText) {
  auto answer = complete(R"("max_tokens":6,"temperature":0,"logprobs":3)");
  const auto& told = answer.at("choices").as_array()[0].at("logprobs");
  std::string joined;
  for (const auto& token : told.at("tokens").as_array()) joined += token.as_string().c_str();
  EXPECT_EQ(joined, text(answer));
  for (size_t i = 0; i < told.at("tokens").as_array().size(); ++i) {
    const auto& top = told.at("top_logprobs").as_array()[i].as_object();
    EXPECT_EQ(top.size(), 3u);
    EXPECT_EQ(top.at(told.at("tokens").as_array()[i].as_string()), told.at("token_logprobs").as_array()[i]);
  }
}

TEST_F(OpenAi, ChatStreamsWhoSpeaksFirst) {
  const std::string fields =
      R"("messages":[{"role":"user","content":"What did the cat do?"}],"max_tokens":8,"temperature":0)";
  auto whole = post("/oai/api/v1/chat/completions", fields);
  std::string streamed;
  auto pieces = events("/v1/chat/completions", fields);
  EXPECT_EQ(pieces[0].at("choices").as_array()[0].at("delta").at("role"), "assistant");
  for (const auto& piece : pieces) {
    const auto& delta = piece.at("choices").as_array()[0].at("delta").as_object();
    if (delta.contains("content")) streamed += delta.at("content").as_string().c_str();
  }
  EXPECT_EQ(streamed, whole.at("choices").as_array()[0].at("message").at("content").as_string().c_str());
  EXPECT_FALSE(pieces.back().at("choices").as_array()[0].at("finish_reason").is_null());
}

TEST_F(OpenAi, Models) {
  EXPECT_EQ(json("GET", "/v1/models").at("data").as_array()[0].at("id"), "stories");
  EXPECT_EQ(json("GET", "/v1/models/stories").at("id"), "stories");
  EXPECT_EQ(call("GET", "/v1/models/none").status, 404);
}

TEST_F(OpenAi, Errors) {
  auto status = [&](const std::string& body) { return call("POST", "/v1/completions", body).status; };
  EXPECT_EQ(status(R"({"model":"none","prompt":"a"})"), 404);
  EXPECT_EQ(status(R"({"model":"tinker://x/sampler_weights/y","prompt":"a"})"), 404);
  EXPECT_EQ(status(R"({"model":"tinker://broken","prompt":"a"})"), 404);
  EXPECT_EQ(status(R"({"model":"stories","prompt":"a","echo":true})"), 400);
  EXPECT_EQ(status(R"({"model":"stories","prompt":[5,999999]})"), 400);
  EXPECT_EQ(status("{"), 400);
  EXPECT_EQ(call("POST", "/v1/completions", R"({"model":"stories","prompt":[999999],"stream":true})").status, 400);
  EXPECT_EQ(complete(R"("max_tokens":2)").at("object"), "text_completion");
}

}  // namespace
}  // namespace hearth::server
