// Hostile files: every truncation and thousands of random damages end in an error or a tokenizer that works.
#include <functional>
#include <random>

#include "hearth/core/error.h"
#include "llm/tokenizer/small_tokenizers.h"
#include "llm/tokenizer/test_data.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {
namespace {

using Parse = std::function<Tokenizer(std::string_view)>;

// Returns whether the file was accepted; anything but a hearth error escapes and fails the test.
bool survives(const Parse& parse, std::string_view bytes) {
  try {
    const Tokenizer tokenizer = parse(bytes);
    const auto ids = tokenizer.encode("ab \u00e9<sep>the cat<|user|></s> \U0001F999");
    tokenizer.decode(ids);
    for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) tokenizer.token_bytes(id);
    return true;
  } catch (const Error& error) {
    EXPECT_GT(std::string(error.what()).size(), 10u);
    return false;
  }
}

void damage_and_parse(const std::string& sound, const Parse& parse) {
  ASSERT_TRUE(survives(parse, sound));
  size_t refused = 0;
  for (size_t size = 0; size < sound.size(); ++size)
    refused += !survives(parse, std::string_view(sound).substr(0, size));
  EXPECT_GT(refused, sound.size() / 3);
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = sound;
    for (int flips = 1 + round % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
    survives(parse, bytes);
  }
}

TEST(HostileFiles, TokenizerJson) {
  // Truncations of JSON are all refused; a shorter text keeps their number in bounds.
  const std::string sound = small_tokenizer_json();
  const Parse parse = [](std::string_view bytes) { return parse_tokenizer_json(bytes, "test"); };
  damage_and_parse(sound, parse);
}

TEST(HostileFiles, SentencePieceBpe) {
  damage_and_parse(small_sentencepiece(2), [](std::string_view bytes) { return parse_sentencepiece(bytes, "test"); });
}

TEST(HostileFiles, SentencePieceUnigram) {
  // A character map whose trie and replacements are nonsense of the right size.
  std::string blob = raw_bytes(uint32_t{64 * 4});
  std::mt19937 random(3);
  for (int i = 0; i < 64; ++i) blob += raw_bytes(static_cast<uint32_t>(random()));
  blob += std::string("ab\0cd\0", 6);
  damage_and_parse(small_sentencepiece(1, bytes_field(2, blob)),
                   [](std::string_view bytes) { return parse_sentencepiece(bytes, "test"); });
}

TEST(HostileFiles, Llama2c) {
  damage_and_parse(small_llama2c(), [](std::string_view bytes) { return parse_llama2c_tokenizer(bytes, "test"); });
}

TEST(HostileFiles, LyingIdsAndLengthsAreRefused) {
  EXPECT_THROW(
      parse_tokenizer_json(small_tokenizer_json_with("added_tokens", R"([{"id": 2000000000, "content": "x"}])"), "t"),
      ValueError);
  EXPECT_THROW(parse_tokenizer_json(small_tokenizer_json_with("added_tokens", R"([{"id": 5, "content": "x"}])"), "t"),
               ValueError);
  EXPECT_THROW(parse_vocab_merges(R"({"a": 0, "b": 0})", "", "t"), ValueError);
  EXPECT_THROW(parse_vocab_merges(R"({"a": 0, "b": 1})", "a b\n", "t"), ValueError);
  EXPECT_THROW(parse_vocab_merges(R"({"a": 0, "b": -1})", "", "t"), ValueError);
  EXPECT_THROW(parse_vocab_merges(R"({"a": 0, "b": 1, "ab": 2})", "a  b\n", "t"), ValueError);
  EXPECT_THROW(parse_llama2c_tokenizer(raw_bytes(int32_t{4}) + raw_bytes(0.0f) + raw_bytes(int32_t{2000000000}), "t"),
               ValueError);
  EXPECT_THROW(parse_sentencepiece(piece("a", std::numeric_limits<float>::quiet_NaN(), 1), "t"), ValueError);
  EXPECT_THROW(parse_sentencepiece("", "t"), ValueError);
  EXPECT_THROW(load_tokenizer("/no/such/folder"), IoError);
  const TempFolder empty;
  EXPECT_THROW(load_tokenizer(empty.path()), IoError);
}

TEST(HostileFiles, LongWordsAreNotQuadratic) {
  const Tokenizer bpe = parse_tokenizer_json(small_tokenizer_json(), "t");
  const Tokenizer scored = parse_sentencepiece(small_sentencepiece(2), "t");
  const std::string word(2'000'000, 'a');
  EXPECT_EQ(bpe.decode(bpe.encode(word)), word);
  EXPECT_EQ(scored.decode(scored.encode(word)), word);
}

}  // namespace
}  // namespace hearth::llm
