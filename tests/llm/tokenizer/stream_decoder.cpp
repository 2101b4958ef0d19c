// Stream decoder: what it returns adds up to decode, is whole characters, and can begin anywhere.
#include "hearth/core/error.h"
#include "llm/tokenizer/small_tokenizers.h"
#include "llm/tokenizer/test_data.h"
#include "llm/tokenizer/tokenizer.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {
namespace {

void expect_stream_equals_decode(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  for (const bool skip_special : {true, false}) {
    StreamDecoder stream(tokenizer, skip_special);
    std::string text;
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::string part = stream.push(ids[i]);
      EXPECT_EQ(find_invalid_utf8(part), part.npos);
      text += part;
      // A copy that ends here must give what decode gives for the ids so far.
      StreamDecoder copy = stream;
      const std::vector<int32_t> so_far(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      EXPECT_EQ(text + copy.flush(), tokenizer.decode(so_far, skip_special));
    }
  }
}

const char* const text = "  A caf\u00e9, \u65e5\u672c\u8a9e and \U0001F999\U0001F469\u200D\U0001F469! ab <sep>\n\n x ";

TEST(StreamDecoder, EqualsDecodeAtEverySplit) {
  const Tokenizer tokenizers[] = {
      parse_tokenizer_json(small_tokenizer_json(), "json"), parse_sentencepiece(small_sentencepiece(2), "bpe"),
      parse_sentencepiece(small_sentencepiece(1), "unigram"), parse_llama2c_tokenizer(small_llama2c(), "llama2c")};
  for (const Tokenizer& tokenizer : tokenizers) expect_stream_equals_decode(tokenizer, tokenizer.encode(text));
}

TEST(StreamDecoder, EqualsDecodeForBrokenBytes) {
  const Tokenizer tokenizer = parse_sentencepiece(small_sentencepiece(2), "bpe");
  const auto byte = [](int value) { return 4 + value; };
  // A cut character, a lone continuation, an overlong form, a surrogate, then whole ones.
  const std::vector<int32_t> ids = {byte(0xF0), byte(0x9F), byte('x'),  byte(0x80), byte(0xC0), byte(0xAF), byte(0xED),
                                    byte(0xA0), byte(0x80), byte(0xC3), byte(0xA9), byte(0xE2), byte(0x82)};
  expect_stream_equals_decode(tokenizer, ids);
  EXPECT_EQ(tokenizer.decode(ids), "\uFFFDx\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\u00e9\uFFFD");
}

TEST(StreamDecoder, LeadingSpaceGoesOnlyAtTheStart) {
  const Tokenizer tokenizer = parse_llama2c_tokenizer(small_llama2c(), "llama2c");
  const auto ids = tokenizer.encode("ab ab", {.add_bos = true});
  StreamDecoder stream(tokenizer);
  std::string out;
  for (const int32_t id : ids) out += stream.push(id);
  EXPECT_EQ(out, "ab ab");
  EXPECT_EQ(stream.flush(), "");
  // After flush a new text begins.
  EXPECT_EQ(stream.push(ids[1]), "ab");
}

TEST(StreamDecoder, RefusesForeignIds) {
  StreamDecoder stream(parse_llama2c_tokenizer(small_llama2c(), "llama2c"));
  EXPECT_THROW(stream.push(100000), IndexError);
}

TEST(StreamDecoder, EqualsDecodeOnRealTokenizers) {
  for (const char* name : {"gpt2-bpe", "qwen2.5-bpe", "llama2-sp", "stories260K"}) {
    if (const auto absent = shared_is_absent(name); !absent.empty()) GTEST_SKIP() << absent;
    const Tokenizer tokenizer = load_tokenizer(shared_data(name));
    expect_stream_equals_decode(tokenizer, tokenizer.encode(text));
  }
}

}  // namespace
}  // namespace hearth::llm
