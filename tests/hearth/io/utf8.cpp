// Tests of UTF-8 checking: the edges of the encoding's table.
#include "hearth/io/utf8.h"

#include <gtest/gtest.h>

#include <string>

using namespace hearth;

namespace {

constexpr size_t valid = std::string_view::npos;

TEST(FindInvalidUtf8, AcceptsTheEdgesOfEachRange) {
  for (const char* text : {"", "abc\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(find_invalid_utf8(text), valid) << text;
  }
  EXPECT_EQ(find_invalid_utf8(std::string_view("a\0b", 3)), valid);
}

TEST(FindInvalidUtf8, FindsTheFirstBadByte) {
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2x"}) {
    EXPECT_EQ(find_invalid_utf8("ab\xc3\xa9" + std::string(text)), 4u) << text;
  }
}

}  // namespace
