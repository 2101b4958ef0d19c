// Generation: greedy against an argmax step by step and against transformers, batches, conversations, ends.
#include "llm/sample/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstring>
#include <filesystem>

#include "hearth/hearth.h"
#include "hearth/io/file.h"
#include "llm/lora/files.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::llm {
namespace {

using Sequence = std::vector<int32_t>;

std::string model_folder(const std::string& name) { return std::string(HEARTH_TEST_DATA) + "/models/" + name; }

Sequence ids(const Tensor& tensor) {
  const std::vector<int64_t> wide = to_vector<int64_t>(tensor);
  return Sequence(wide.begin(), wide.end());
}

/// Bits, so that equal means equal.
std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> out(values.size());
  if (!out.empty()) std::memcpy(out.data(), values.data(), values.size() * 4);
  return out;
}

void expect_equal(const Generated& a, const Generated& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(bits(a.logprobs), bits(b.logprobs));
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.text, b.text);
}

class Generation : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<CausalLm> model = load_model(model_folder(GetParam()));
};

TEST_P(Generation, GreedyIsThatOfTransformers) {
  const auto expected = SafetensorsFile::open(model_folder(GetParam()) + "/expected.safetensors");
  const Sequence tokens = ids(expected.tensor("greedy.tokens"));
  Generator generator(*model, nullptr, nullptr);
  const Request request = {ids(expected.tensor("greedy.prompt")),
                           {.temperature = 0, .max_tokens = int64_t(tokens.size())}};
  EXPECT_EQ(generator.run({request})[0].tokens, tokens);
}

TEST_P(Generation, GreedyIsTheBestTokenOfEachWholePass) {
  const LoraAdapter adapter = load_adapter(model_folder(GetParam()) + "/adapter", model->linear_layers());
  for (const LoraAdapter* a : {static_cast<const LoraAdapter*>(nullptr), &adapter}) {
    Generator generator(*model, a, nullptr);
    const Request request = {{1, 5, 9}, {.temperature = 0, .max_tokens = 12}};
    const Generated result = generator.run({request})[0];
    NoGrad guard;
    Sequence tokens = request.prompt;
    for (size_t i = 0; i < result.tokens.size(); ++i) {
      const Tensor hidden = model->hidden(pack({tokens}), a);
      const Tensor last = narrow(hidden, 0, hidden.size(0) - 1, 1);
      const std::vector<float> logits = to_vector<float>(model->logits(last, a));
      const auto best = int32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
      ASSERT_EQ(result.tokens[i], best);
      const float logprob = model->log_probs(last, from_values<int64_t>({best}), a).data<float>()[0];
      ASSERT_EQ(bits({result.logprobs[i]}), bits({logprob})) << "the same bits as in training";
      tokens.push_back(best);
    }
  }
}

std::vector<Request> eleven_requests(bool greedy) {
  std::vector<Request> requests;
  for (int i = 0; i < 11; ++i) {
    Request r;
    for (int t = 0; t <= i * 7; ++t) r.prompt.push_back((t * 13 + i * 5 + 1) % 90);
    r.params = {.temperature = greedy ? 0.0 : 0.9, .top_p = 0.95, .seed = uint64_t(i), .max_tokens = 3 + i * 4 % 17};
    requests.push_back(r);
  }
  return requests;
}

TEST_P(Generation, NeighboursAndBatchSizeDoNotMatter) {
  for (bool greedy : {true, false}) {
    const std::vector<Request> requests = eleven_requests(greedy);
    std::vector<Generated> alone;
    for (const Request& r : requests) alone.push_back(Generator(*model, nullptr, nullptr).run({r})[0]);
    for (size_t max_batch : {1, 3, 8, 64}) {
      Generator generator(*model, nullptr, nullptr);
      const std::vector<Generated> together = generator.run(requests, {}, max_batch);
      const std::vector<Generated> again = generator.run(requests, {}, max_batch);
      for (size_t i = 0; i < requests.size(); ++i) {
        SCOPED_TRACE(i);
        expect_equal(together[i], alone[i]);
        expect_equal(again[i], alone[i]);
      }
    }
  }
}

TEST_P(Generation, AConversationIsTheSameAsAFreshRun) {
  Generator kept(*model, nullptr, nullptr);
  Sequence history = {1, 4};
  for (int turn = 0; turn < 5; ++turn) {
    const Request request = {history, {.seed = uint64_t(turn), .max_tokens = 6 + 20 * (turn % 2)}};
    const Generated answer = kept.resume(request);
    expect_equal(answer, Generator(*model, nullptr, nullptr).run({request})[0]);
    history.insert(history.end(), answer.tokens.begin(), answer.tokens.end());
    history.insert(history.end(), {7, 8, int32_t(turn)});
    if (turn == 2) history[5] = 11;                     // an earlier word is changed
    if (turn == 3) history.resize(history.size() / 2);  // and a later part taken back
  }
}

TEST_P(Generation, StopsAtTokensLimitAndContext) {
  Generator generator(*model, nullptr, nullptr);
  const Request plain = {{1, 5}, {.temperature = 0, .max_tokens = 9}};
  const Generated all = generator.run({plain})[0];
  ASSERT_EQ(all.tokens.size(), 9u);
  EXPECT_EQ(all.reason, FinishReason::length);
  Request stopping = plain;
  stopping.params.stop_tokens = {all.tokens[4]};
  const Generated cut = generator.run({stopping})[0];
  const size_t first = size_t(std::find(all.tokens.begin(), all.tokens.end(), all.tokens[4]) - all.tokens.begin());
  EXPECT_EQ(cut.tokens, Sequence(all.tokens.begin(), all.tokens.begin() + long(first) + 1));
  EXPECT_EQ(cut.reason, FinishReason::stop);
  Request long_one = {Sequence(505, 3), {.temperature = 0, .max_tokens = 100}};
  EXPECT_LE(generator.run({long_one})[0].tokens.size(), 7u) << "the context holds 512 tokens";
  long_one.prompt.resize(512, 3);
  EXPECT_THROW(generator.run({long_one}), ValueError);
  EXPECT_TRUE(generator.run({{{1}, {.max_tokens = 0}}})[0].tokens.empty());
  int seen = 0;
  const auto two = generator.run({plain}, [&](size_t, int32_t, float, const std::string&) { return ++seen < 2; });
  EXPECT_EQ(two[0].tokens.size(), 2u) << "the caller ended it";
}

TEST_P(Generation, RefusesBadRequests) {
  Generator generator(*model, nullptr, nullptr);
  EXPECT_THROW(generator.run({{{}, {}}}), ValueError);
  EXPECT_THROW(generator.run({{{1, 99999}, {}}}), IndexError);
  EXPECT_THROW(generator.run({{{-1}, {}}}), IndexError);
  EXPECT_THROW(generator.run({{{1}, {.stop = {"x"}}}}), ValueError) << "stop texts need a tokenizer";
  EXPECT_THROW(generator.run({{{1}, {}}}, {}, 0), ValueError);
  EXPECT_THROW(generator.resume({{1}, {.top_p = 2}}), ValueError);
}

INSTANTIATE_TEST_SUITE_P(Families, Generation, testing::Values("llama-tiny", "llama-tied", "qwen2-tiny", "qwen3-tiny"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class Stories : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "shared data is absent: " << path;
    model = load_model(path);
    tokenizer.emplace(load_model_tokenizer(path, model->config()));
  }
  std::string path = std::string(HEARTH_SHARED) + "/data/stories260K";
  std::unique_ptr<CausalLm> model;
  std::optional<Tokenizer> tokenizer;
};

TEST_F(Stories, GreedyTextIsThatOfLlama2c) {
  const auto expected = boost::json::parse(read_file(std::string(HEARTH_TEST_DATA) + "/stories260K.json")).as_object();
  const auto tokens = boost::json::value_to<Sequence>(expected.at("greedy_tokens"));
  Generator generator(*model, nullptr, &*tokenizer);
  std::string streamed;
  const Generated story = generator.run({{{tokens[0]}, {.temperature = 0, .max_tokens = int64_t(tokens.size()) - 1}}},
                                        [&](size_t, int32_t, float, const std::string& text) {
                                          streamed += text;
                                          return true;
                                        })[0];
  EXPECT_EQ(story.tokens, Sequence(tokens.begin() + 1, tokens.end()));
  EXPECT_EQ(story.text, std::string(expected.at("greedy_text").as_string()));
  EXPECT_EQ(streamed, story.text);
}

TEST_F(Stories, StopTextsEndTheContinuation) {
  Generator generator(*model, nullptr, &*tokenizer);
  const Generated story = generator.run({{{1}, {.temperature = 0, .max_tokens = 60, .stop = {"little", "zebra"}}}})[0];
  EXPECT_EQ(story.text, "Once upon a time, there was a ");
  EXPECT_EQ(story.reason, FinishReason::stop);
}

TEST_F(Stories, TextOfABatchIsThatOfEachAlone) {
  std::vector<Request> requests;
  for (const char* prompt : {"Once", "The dog ran", "Lily and Tom", "It was"})
    requests.push_back({tokenizer->encode(prompt, {.add_bos = true}), {.seed = 9, .max_tokens = 40}});
  Generator generator(*model, nullptr, &*tokenizer);
  const std::vector<Generated> together = generator.run(requests, {}, 3);
  for (size_t i = 0; i < requests.size(); ++i) expect_equal(together[i], generator.run({requests[i]})[0]);
}

}  // namespace
}  // namespace hearth::llm
