// Training data: which tokens are learnt, for every kind of row and with and without a chat template.
#include "llm/tune/dataset.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "llm/tokenizer/bpe_trainer.h"

namespace hearth::llm {
namespace {

namespace fs = std::filesystem;

class Dataset : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hearth-dataset-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder = name;
    const std::vector<std::string_view> texts = {"the cat sat on the mat and the dog ran to the tree, the cat saw it"};
    write_tokenizer(train_bpe(texts, {.vocab_size = 300}), folder);
    tokenizer.emplace(load_tokenizer(folder));
    options.model = folder;
  }
  void TearDown() override { fs::remove_all(folder); }

  TuneData load(const std::string& rows, const std::string& name = "rows.jsonl") {
    write_file_atomic(folder + "/" + name, rows);
    return load_tune_data(folder + "/" + name, *tokenizer, options);
  }

  /// The learnt tokens as text, stretches of them separated by `|`.
  std::string learnt(const TokenExample& example) const {
    EXPECT_EQ(example.tokens.size(), example.weights.size());
    std::string out;
    std::vector<int32_t> stretch;
    for (size_t i = 0; i <= example.tokens.size(); ++i) {
      if (i < example.tokens.size() && example.weights[i] != 0) {
        stretch.push_back(example.tokens[i]);
        continue;
      }
      if (!stretch.empty()) out += (out.empty() ? "" : "|") + whole(stretch);
      stretch.clear();
    }
    return out;
  }
  std::string whole(const std::vector<int32_t>& tokens) const {
    std::string out;
    for (int32_t token : tokens)
      out += token == *tokenizer->eos_id() ? std::string("<eos>") : std::string(tokenizer->token_bytes(token));
    return out;
  }

  std::string folder;
  std::optional<Tokenizer> tokenizer;
  TuneOptions options;
};

TEST_F(Dataset, OfACompletionOnlyTheAnswerAndItsEnd) {
  const TuneData data = load(R"({"prompt": "the cat", "completion": " sat on the mat"})"
                             "\n");
  EXPECT_EQ(data.kind, ExampleKind::completion);
  ASSERT_EQ(data.examples.size(), 1u);
  EXPECT_EQ(learnt(data.examples[0]), " sat on the mat<eos>");
  EXPECT_NE(whole(data.examples[0].tokens).find("the cat sat on the mat"), std::string::npos);
  options.train_on_prompt = true;
  EXPECT_NE(learnt(load(R"({"prompt": "the cat ", "completion": "sat"})"
                        "\n")
                       .examples[0])
                .find("the cat sat<eos>"),
            std::string::npos);
}

TEST_F(Dataset, OfTextEverything) {
  const TuneData data = load(R"({"text": "the dog ran"})"
                             "\n"
                             R"({"text": "the tree"})"
                             "\n");
  EXPECT_EQ(data.kind, ExampleKind::text);
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_NE(learnt(data.examples[0]).find("the dog ran<eos>"), std::string::npos);
  options.add_eos = false;
  options.max_chars = 7;
  EXPECT_NE(learnt(load(R"({"text": "the dög ran"})"
                        "\n")
                       .examples[0])
                .find("the dög"),
            std::string::npos);
  EXPECT_EQ(learnt(load(R"({"text": "the dög ran"})"
                        "\n")
                       .examples[0])
                .find("ran"),
            std::string::npos);
}

TEST_F(Dataset, OfAChatTheAnswersOnly) {
  const TuneData data = load(
      R"({"messages": [{"role": "user", "content": "the cat?"}, {"role": "assistant", "content": "sat on the mat"},)"
      R"( {"role": "user", "content": "the dog?"}, {"role": "assistant", "content": "ran"}]})"
      "\n");
  EXPECT_EQ(data.kind, ExampleKind::chat);
  const std::string answers = learnt(data.examples[0]);
  EXPECT_NE(answers.find("sat on the mat"), std::string::npos) << answers;
  EXPECT_NE(answers.find("|"), std::string::npos) << "two answers: " << answers;
  EXPECT_NE(answers.find("ran"), std::string::npos) << answers;
  EXPECT_EQ(answers.find("cat?"), std::string::npos) << answers;
  EXPECT_EQ(answers.find("dog?"), std::string::npos) << answers;
  EXPECT_NE(answers.find("<eos>"), std::string::npos) << "the end of an answer is learnt: " << answers;
}

TEST_F(Dataset, APreferenceHasTwoAnswersToOnePrompt) {
  const TuneData data = load(R"({"prompt": "the cat", "chosen": " sat on the mat", "rejected": " ran to the tree"})"
                             "\n");
  EXPECT_EQ(data.kind, ExampleKind::preference);
  ASSERT_EQ(data.rejected.size(), 1u);
  EXPECT_EQ(learnt(data.examples[0]), " sat on the mat<eos>");
  EXPECT_EQ(learnt(data.rejected[0]), " ran to the tree<eos>");
}

TEST_F(Dataset, RejectedAnswersFollowTheRulesToo) {
  const std::string rows = R"({"prompt": "the cat ", "chosen": "sat", "rejected": "ran to the tree and the mat"})"
                           "\n"
                           R"({"prompt": "the dog ", "chosen": "ran", "rejected": "sat"})"
                           "\n";
  options.max_length = int64_t(load(rows).rejected[0].tokens.size()) - 1;
  EXPECT_THROW(load(rows), ValueError);
  options.on_too_long = BadExample::skip;
  const TuneData skipped = load(rows);
  EXPECT_EQ(skipped.examples.size(), 1u);
  EXPECT_EQ(skipped.rejected.size(), 1u);
  EXPECT_NE(skipped.note.find("1 pairs left out"), std::string::npos) << skipped.note;
  options.on_too_long = BadExample::truncate;
  const TuneData cut = load(rows);
  ASSERT_EQ(cut.rejected.size(), 2u);
  EXPECT_EQ(int64_t(cut.rejected[0].tokens.size()), options.max_length);
}

TEST_F(Dataset, MistakesNameFileAndLine) {
  try {
    options.max_length = 5;
    load(R"({"text": "it"})"
         "\n"
         R"({"text": "the cat sat on the mat and the dog ran"})"
         "\n");
    FAIL() << "an over-long row was taken";
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find("rows.jsonl:2: 1 of 2 examples"), std::string::npos) << error.what();
  }
}

TEST_F(Dataset, Limit) {
  options.limit = 2;
  EXPECT_EQ(load("{\"text\": \"a b\"}\n{\"text\": \"c d\"}\n{\"text\": \"e f\"}\n").examples.size(), 2u);
}

}  // namespace
}  // namespace hearth::llm
