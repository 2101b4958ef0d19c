// Tokenizer: frozen token ids of three tokenizers, and round trips on real texts.
#include "llm/tokenizer/tokenizer.h"

#include "hearth/core/error.h"
#include "llm/tokenizer/test_data.h"

namespace hearth::llm {
namespace {

// Texts are separated by lines; each line of the other file has the ids of one text.
std::vector<std::string> golden_texts(const std::string& name) {
  const std::string separator = "\n__ggml_vocab_test__\n";
  const std::string all = slurp(shared_data("tokenizer-golden/" + name + ".inp"));
  std::vector<std::string> texts;
  size_t begin = 0;
  for (size_t at = all.find(separator); at != all.npos; at = all.find(separator, begin)) {
    texts.push_back(all.substr(begin, at - begin));
    begin = at + separator.size();
  }
  texts.push_back(all.substr(begin));
  return texts;
}

std::vector<std::vector<int32_t>> golden_ids(const std::string& name) {
  std::istringstream all(slurp(shared_data("tokenizer-golden/" + name + ".out")));
  std::vector<std::vector<int32_t>> ids;
  // The last text is empty, and so is its line, which getline does not see.
  for (std::string line; ids.size() < 47; line.clear()) {
    std::getline(all, line);
    std::istringstream numbers(line);
    ids.emplace_back();
    for (int32_t id; numbers >> id;) ids.back().push_back(id);
  }
  return ids;
}

void expect_golden(const std::string& golden, const Tokenizer& tokenizer) {
  const auto texts = golden_texts(golden);
  const auto ids = golden_ids(golden);
  ASSERT_EQ(texts.size(), 47u);
  ASSERT_EQ(ids.size(), 47u);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto seen = tokenizer.encode(texts[i], {.parse_special = false});
    EXPECT_EQ(seen, ids[i]) << golden << " " << i << ": \"" << texts[i] << '"';
  }
}

TEST(Tokenizer, Qwen2Golden) {
  if (const auto absent = shared_is_absent("qwen2.5-bpe"); !absent.empty()) GTEST_SKIP() << absent;
  expect_golden("qwen2", load_tokenizer(shared_data("qwen2.5-bpe")));
}

TEST(Tokenizer, Gpt2Golden) {
  if (const auto absent = shared_is_absent("gpt2-bpe"); !absent.empty()) GTEST_SKIP() << absent;
  expect_golden("gpt-2", load_tokenizer(shared_data("gpt2-bpe")));
}

TEST(Tokenizer, LlamaSentencePieceGolden) {
  if (const auto absent = shared_is_absent("llama2-sp"); !absent.empty()) GTEST_SKIP() << absent;
  expect_golden("llama-spm", load_tokenizer(shared_data("llama2-sp")));
}

std::vector<std::string> sample_texts() {
  std::vector<std::string> texts;
  for (const char* name :
       {"tinyshakespeare/input.txt", "wikitext-2/valid.txt", "tinystories-sample/tinystories_sample.txt"})
    texts.push_back(slurp(shared_data(name)).substr(0, 200'000));
  texts.push_back("a\u0301 \u1100\u1161 \U0001F469\u200D\U0001F469 \u00A0\u3000\t\r\n  x  ");
  return texts;
}

TEST(Tokenizer, ByteLevelGivesTheTextBack) {
  if (const auto absent = shared_is_absent("gpt2-bpe"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer gpt2 = load_tokenizer(shared_data("gpt2-bpe"));
  for (const std::string& text : sample_texts()) EXPECT_EQ(gpt2.decode(gpt2.encode(text)), text);
}

TEST(Tokenizer, TokenizerJsonGivesTheTextBack) {
  if (const auto absent = shared_is_absent("gpt-neox-20b"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer neox = load_tokenizer(shared_data("gpt-neox-20b/20B_tokenizer.json"));
  EXPECT_EQ(neox.vocab_size(), 50277);
  EXPECT_EQ(neox.eos_id(), 0);
  // Runs of spaces are added tokens, the longest first; composed letters come back as NFC.
  EXPECT_EQ(neox.encode(std::string(24, ' ')).size(), 1u);
  EXPECT_EQ(neox.decode(neox.encode("a\u0301")), "\u00E1");
  for (const std::string& text : sample_texts()) {
    const std::string back = neox.decode(neox.encode(text));
    EXPECT_EQ(neox.decode(neox.encode(back)), back);
  }
}

TEST(Tokenizer, SentencePieceGivesTheTextBack) {
  if (const auto absent = shared_is_absent("llama2-sp"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer llama = load_tokenizer(shared_data("llama2-sp"));
  EXPECT_EQ(llama.vocab_size(), 32000);
  EXPECT_EQ(llama.bos_id(), 1);
  EXPECT_EQ(llama.eos_id(), 2);
  EXPECT_TRUE(llama.wants_bos());
  for (const std::string& text : sample_texts())
    EXPECT_EQ(llama.decode(llama.encode(text, {.add_bos = true, .add_eos = true}), true), text);
}

TEST(Tokenizer, Llama2cEqualsSentencePiece) {
  if (const auto absent = shared_is_absent("llama2-sp"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer model = load_tokenizer(shared_data("llama2-sp/tokenizer.model"));
  const Tokenizer bin = load_tokenizer(shared_data("llama2-sp/tokenizer.bin"), 32000);
  for (const std::string& text : sample_texts()) EXPECT_EQ(bin.encode(text), model.encode(text));
  EXPECT_THROW(load_tokenizer(shared_data("llama2-sp/tokenizer.bin"), 512), ValueError);
}

TEST(Tokenizer, Tok105IsOneIdACharacter) {
  if (const auto absent = shared_is_absent("babyllama-tok105"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer tok105 = load_tokenizer(shared_data("babyllama-tok105"));
  EXPECT_EQ(tok105.vocab_size(), 105);
  const auto ids = tok105.encode("Once\nupon a");
  EXPECT_EQ(ids.size(), 1 + 11u);
  EXPECT_EQ(ids[0], 3);
  EXPECT_EQ(ids[5], 0);
}

TEST(Tokenizer, SpecialTokensAreTextWhereAskedFor) {
  if (const auto absent = shared_is_absent("qwen2.5-bpe"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer qwen = load_tokenizer(shared_data("qwen2.5-bpe"));
  EXPECT_EQ(qwen.vocab_size(), 151665);
  EXPECT_FALSE(qwen.bos_id().has_value());
  EXPECT_EQ(qwen.eos_id(), 151645);
  EXPECT_FALSE(qwen.wants_bos());
  EXPECT_EQ(qwen.encode("<|im_end|>"), (std::vector<int32_t>{151645}));
  EXPECT_GT(qwen.encode("<|im_end|>", {.parse_special = false}).size(), 1u);
  EXPECT_EQ(qwen.decode(std::vector<int32_t>{151645, 9707}, true), "Hello");
  EXPECT_EQ(qwen.decode(std::vector<int32_t>{151645, 9707}), "<|im_end|>Hello");
  EXPECT_EQ(qwen.token_to_id("<|im_start|>"), 151644);
  EXPECT_THROW(qwen.encode("x", {.add_bos = true}), ValueError);
  EXPECT_THROW(qwen.encode("x\xFF"), ValueError);
  EXPECT_THROW(qwen.token_bytes(151665), IndexError);
  EXPECT_THROW(qwen.decode(std::vector<int32_t>{-1}), IndexError);
}

}  // namespace
}  // namespace hearth::llm
