// BPE trainer: the merges of a text counted by hand, determinism, and round trips through the files.
#include "llm/tokenizer/bpe_trainer.h"

#include "hearth/core/error.h"
#include "llm/tokenizer/test_data.h"

namespace hearth::llm {
namespace {

TrainedBpe train(std::string_view text, const BpeTrainerOptions& options) { return train_bpe({&text, 1}, options); }

TEST(BpeTrainer, MergesTheMostFrequentPairFirst) {
  // Words: "hug" x3, " hug" x1, "pun" x2: h-u and u-g 4 times each, u-n and p-u twice.
  const std::string_view texts[] = {"hug", "hug", "hug hug", "pun", "pun"};
  BpeTrainerOptions options{.vocab_size = 260, .special_tokens = {}, .eos_token = ""};
  const TrainedBpe trained = train_bpe(texts, options);
  using Merge = std::pair<std::string, std::string>;
  // Of equal counts the pair with the lower ids: (g, …) cannot lead, (h, u) comes before (u, g).
  const std::vector<Merge> expected = {{"h", "u"}, {"hu", "g"}, {"p", "u"}, {"pu", "n"}};
  EXPECT_EQ(trained.merges, expected);
  EXPECT_EQ(trained.tokens.size(), 260u);
  EXPECT_EQ(trained.tokens[257], "hug");
}

TEST(BpeTrainer, CountsOverlappingPairsOnce) {
  // "aaaa" has three places for (a, a), but only two can merge; a third merge would need another pair of "aa".
  const TrainedBpe trained = train("aaaa aaaa", {.vocab_size = 300, .special_tokens = {}, .eos_token = ""});
  EXPECT_EQ(trained.merges[0], (std::pair<std::string, std::string>("a", "a")));
  EXPECT_EQ(trained.merges[1], (std::pair<std::string, std::string>("aa", "aa")));
  EXPECT_LT(trained.tokens.size(), 300u);
}

TEST(BpeTrainer, SpecialTokensAreNeverLearnt) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "end<|endoftext|>";
  const TrainedBpe trained = train(text, {.vocab_size = 400});
  EXPECT_EQ(trained.tokens[0], "<|endoftext|>");
  for (const auto& [left, right] : trained.merges) EXPECT_EQ((left + right).find('<'), std::string::npos);
  // A learned token may not take the id of a special one, even where the text spells it.
  const TrainedBpe clash = train("dog dog dog", {.vocab_size = 300, .special_tokens = {"dog"}, .eos_token = ""});
  const Tokenizer tokenizer = parse_tokenizer_json(clash.tokenizer_json, "clash");
  for (const int32_t id : tokenizer.encode("dog", {.parse_special = false})) EXPECT_NE(id, 0);
}

TEST(BpeTrainer, EqualTextsGiveEqualFiles) {
  const std::string text = "the cat sat on the mat, the rat sat on the cat, and that was that";
  for (const auto cut : {BpeTrainerOptions::Cut::gpt2, BpeTrainerOptions::Cut::llama3}) {
    const BpeTrainerOptions options{.vocab_size = 290, .cut = cut};
    EXPECT_EQ(train(text, options).tokenizer_json, train(text, options).tokenizer_json);
  }
}

TEST(BpeTrainer, FilesLoadAndGiveTheTextBack) {
  const std::string text = "the cat sat; d\u00e9j\u00e0 vu 12345, it's IT'S\n\n\tend \U0001F999";
  for (const auto cut : {BpeTrainerOptions::Cut::gpt2, BpeTrainerOptions::Cut::llama3}) {
    const TempFolder folder;
    write_tokenizer(train(text + text, {.vocab_size = 300, .cut = cut, .chat_template = "{{ 1 }}"}), folder.path());
    const Tokenizer tokenizer = load_tokenizer(folder.path());
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
    EXPECT_LT(tokenizer.encode(text).size(), text.size());
    EXPECT_EQ(tokenizer.eos_id(), 0);
    EXPECT_EQ(tokenizer.chat_template(), "{{ 1 }}");
    EXPECT_EQ(tokenizer.encode("a<|endoftext|>").back(), 0);
  }
}

TEST(BpeTrainer, LearnsTinyStories) {
  if (const auto absent = shared_is_absent("tinystories-sample"); !absent.empty()) GTEST_SKIP() << absent;
  const std::string text = slurp(shared_data("tinystories-sample/tinystories_sample.txt")).substr(0, 300'000);
  const TrainedBpe trained = train(text, {.vocab_size = 1024});
  EXPECT_EQ(trained.tokens.size(), 1024u);
  const Tokenizer tokenizer = parse_tokenizer_json(trained.tokenizer_json, "trained");
  const auto ids = tokenizer.encode(text);
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_LT(ids.size() * 3, text.size());
}

TEST(BpeTrainer, RefusesContradictions) {
  EXPECT_THROW(train("x", {.vocab_size = 256}), ValueError);
  EXPECT_THROW(train("x", {.min_count = 0}), ValueError);
  EXPECT_THROW(train("x", {.special_tokens = {"a"}, .eos_token = ""}), ValueError);
  EXPECT_THROW(train("x", {.special_tokens = {"<x>", "<x>"}, .eos_token = ""}), ValueError);
  EXPECT_THROW(train("x", {.eos_token = "</s>"}), ValueError);
  EXPECT_THROW(train("x\xFF", {}), ValueError);
  EXPECT_THROW(write_tokenizer(train("x", {}), "/no/such/folder"), IoError);
}

}  // namespace
}  // namespace hearth::llm
