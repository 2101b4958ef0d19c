// Tests of compressed bodies: in any pieces, truncated, with something behind, and standing for more than is allowed.
#include "server/http/body_decoder.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/server/http/compressed.h"

namespace hearth::server {
namespace {

using Result = BodyDecoder::Result;

/// Decodes in pieces of `piece` bytes; gives the first result that is not ok.
Result decode(const std::string& encoding, const std::string& bytes, std::size_t limit, std::size_t piece,
              std::string* out) {
  const auto decoder = BodyDecoder::make(encoding, limit);
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    if (const Result result = decoder->add(std::string_view(bytes).substr(at, piece), out); result != Result::ok)
      return result;
  return decoder->finish();
}

std::string some_text() {
  std::string text;
  std::mt19937_64 random(5);
  while (text.size() < 300000) text += std::to_string(random() % 1000) + " ";
  return text;
}

class EveryEncoding : public testing::TestWithParam<const char*> {
 protected:
  std::string encoded(const std::string& text) const { return test::encoded(GetParam(), text); }
};

TEST_P(EveryEncoding, GivesTheTextBackInAnyPieces) {
  const std::string text = some_text(), bytes = encoded(text);
  for (const std::size_t piece : {std::size_t(7), std::size_t(4096), bytes.size()}) {
    std::string out;
    EXPECT_EQ(decode(GetParam(), bytes, 1 << 20, piece, &out), Result::ok) << piece;
    EXPECT_EQ(out, text) << piece;
  }
  std::string out;
  EXPECT_EQ(decode(GetParam(), encoded(""), 10, 100, &out), Result::ok);
  EXPECT_EQ(out, "");
}

TEST_P(EveryEncoding, TheLimitIsExact) {
  const std::string text = some_text(), bytes = encoded(text);
  std::string out;
  EXPECT_EQ(decode(GetParam(), bytes, text.size(), 1000, &out), Result::ok);
  out.clear();
  EXPECT_EQ(decode(GetParam(), bytes, text.size() - 1, 1000, &out), Result::too_large);
  EXPECT_LE(out.size(), text.size());
}

INSTANTIATE_TEST_SUITE_P(, EveryEncoding, testing::Values("identity", "zstd", "gzip", "x-gzip"));

class Compressed : public EveryEncoding {};

TEST_P(Compressed, ABombEndsAtTheLimit) {
  const std::string bomb = encoded(std::string(32 << 20, 'a'));
  ASSERT_LT(bomb.size(), std::size_t(1) << 20);
  std::string out;
  EXPECT_EQ(decode(GetParam(), bomb, 1 << 20, bomb.size(), &out), Result::too_large);
  EXPECT_LE(out.size(), (std::size_t(1) << 20) + 1) << "not a byte more than shows that the limit does not suffice";
  EXPECT_LT(out.capacity(), std::size_t(4) << 20);
}

TEST_P(Compressed, EveryTruncationIsBroken) {
  const std::string bytes = encoded("what was said, was said, was said");
  for (std::size_t n = 1; n < bytes.size(); ++n) {
    std::string out;
    EXPECT_EQ(decode(GetParam(), bytes.substr(0, n), 1000, 1000, &out), Result::broken) << n;
  }
}

TEST_P(Compressed, WhatIsBehindIsBroken) {
  const std::string bytes = encoded("text");
  for (const std::size_t piece : {std::size_t(1), bytes.size(), std::size_t(1000)}) {
    std::string out;
    EXPECT_EQ(decode(GetParam(), bytes + "x", 1000, piece, &out), Result::broken) << piece;
  }
}

TEST_P(Compressed, DamageIsNoticedOrHarmless) {
  const std::string text = some_text().substr(0, 3000), bytes = encoded(text);
  std::mt19937_64 random(11);
  for (int i = 0; i < 200; ++i) {
    std::string damaged = bytes, out;
    damaged[random() % damaged.size()] ^= char(1 << random() % 8);
    if (decode(GetParam(), damaged, 1 << 20, 100, &out) == Result::ok && std::string(GetParam()) == "gzip") {
      EXPECT_EQ(out, text) << "gzip has a checksum; only its header's spare bits may change";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, Compressed, testing::Values("zstd", "gzip"));

TEST(BodyDecoder, AFrameThatWantsMuchMemoryIsRefused) {
  std::string out;
  const std::string wide = test::zstd_with_window(27, std::string(1 << 20, 'a'));
  EXPECT_EQ(decode("zstd", wide, std::size_t(1) << 30, 1000, &out), Result::broken);
}

TEST(BodyDecoder, OtherEncodingsAreNotTaken) {
  for (const char* encoding : {"br", "deflate", "gzip, zstd", "zstd,", "\xff"})
    EXPECT_EQ(BodyDecoder::make(encoding, 10), nullptr) << encoding;
  EXPECT_NE(BodyDecoder::make("GZIP", 10), nullptr);
}

}  // namespace
}  // namespace hearth::server
