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
}  // namespace
}  // namespace hearth::llm
