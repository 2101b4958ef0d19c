// Streams for text endpoints: prompts of text and messages, pieces that add up, stopping.
#include <gtest/gtest.h>

#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {
namespace {

class EngineStreams : public testing::Test {
 protected:
  static EngineOptions options() {
    EngineOptions options;
    options.models = {{"stories", HEARTH_TEST_DATA "/../../models/stories-2m"}};
    options.kv_cache_bytes = int64_t(64) << 20;
    return options;
  }
  // Runs one stream to its end.
  StreamEnd run(const Prompt& prompt, const Sample& sample, std::vector<StreamedToken>* tokens = nullptr,
                const std::string& model = "stories") {
    return engine_.ask<StreamEnd>([=](Engine& e, auto then) {
      e.stream(
          "me", model, prompt, sample,
          [=](const StreamedToken& t) {
            if (tokens) tokens->push_back(t);
          },
          then);
    });
  }

  Folder folder_;
  RunningEngine engine_{folder_.store(), options()};
};

TEST_F(EngineStreams, PiecesComeInOrderAndAddUp) {
  Prompt prompt;
  prompt.text = "Once upon a time";
  Sample sample;
  sample.max_tokens = 12;
  sample.temperature = 0;
  sample.topk_sample_logprobs = 2;
  std::vector<StreamedToken> tokens;
  const auto end = run(prompt, sample, &tokens);
  ASSERT_EQ(end.choices.size(), 1u);
  EXPECT_EQ(tokens.size(), end.choices[0].tokens.size());
  EXPECT_GT(end.prompt_tokens, 2);
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(tokens[i].token, end.choices[0].tokens[i]);
    EXPECT_EQ(tokens[i].text, end.choices[0].pieces[i]);
    ASSERT_EQ(tokens[i].top.size(), 2u);
    EXPECT_EQ(tokens[i].top[0].token, tokens[i].token);
    text += tokens[i].text;
  }
  EXPECT_EQ(text, end.choices[0].text);
  EXPECT_GT(text.size(), 10u);
}

TEST_F(EngineStreams, MessagesGoThroughTheChatTemplateAndManyChoicesRunTogether) {
  Prompt prompt;
  prompt.messages = R"([{"role":"user","content":"Tell a story"},{"role":"assistant","content":"No."},
                        {"role":"user","content":[{"type":"text","text":"Please"}]}])";
  Sample sample;
  sample.max_tokens = 5;
  sample.num_samples = 3;
  const auto end = run(prompt, sample);
  EXPECT_EQ(end.choices.size(), 3u);
  EXPECT_GT(end.prompt_tokens, 8);
  prompt.messages = R"([{"role":"user","content":[{"type":"image"}]}])";
  EXPECT_THROW(run(prompt, sample), Refused);
  prompt.messages = "{}";
  EXPECT_THROW(run(prompt, sample), Refused);
}

TEST_F(EngineStreams, AnUnknownModelIsRefusedAndAStoppedStreamEnds) {
  Prompt prompt;
  prompt.text = "Once";
  Sample sample;
  EXPECT_THROW(run(prompt, sample, nullptr, "other"), Refused);
  EXPECT_THROW(run(prompt, sample, nullptr, "tinker://a:train:0/sampler_weights/x"), Refused);
  sample.max_tokens = 100000;
  sample.ignore_eos = true;
  const auto ended = std::make_shared<std::promise<bool>>();
  const int64_t number = engine_.on_loop([&](Engine& e) {
    return e.stream(
        "me", "stories", prompt, sample, [](const StreamedToken&) {},
        [ended](const Reply<StreamEnd>& reply) { ended->set_value(std::holds_alternative<StreamEnd>(reply)); });
  });
  engine_.on_loop([&](Engine& e) { e.stop_stream(number); });
  EXPECT_FALSE(ended->get_future().get());
  EXPECT_EQ(engine_.on_loop([](Engine& e) { return e.status().running_samples; }), 0);
}

}  // namespace
}  // namespace hearth::server::test
