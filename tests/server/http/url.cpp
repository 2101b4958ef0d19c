// Tests of percent-encoding and queries.
#include "server/http/url.h"

#include <gtest/gtest.h>

namespace hearth::server {
namespace {

TEST(Url, DecodesOnceAndOnlyText) {
  std::string out;
  EXPECT_TRUE(percent_decode("a%2541+b", &out));
  EXPECT_EQ(out, "a%41+b") << "what was decoded is not decoded again";
  EXPECT_TRUE(percent_decode("a+b%2B", &out, true));
  EXPECT_EQ(out, "a b+");
  EXPECT_TRUE(percent_decode("%F0%9F%94%A5", &out));
  for (const char* text : {"%", "%1", "a%g0", "%80", "%C3", "%E2%82", "%F8%88%80%80%80", "%F4%90%80%80", "%7f", "%0D"})
    EXPECT_FALSE(percent_decode(text, &out)) << text;
}

TEST(Url, QueriesTakeTheLastOfEqualNames) {
  std::map<std::string, std::string> query;
  EXPECT_TRUE(parse_query("a=1&b=x%20y&&a=2&c&=z&d=%3D%26=", &query));
  EXPECT_EQ(query, (std::map<std::string, std::string>{{"a", "2"}, {"b", "x y"}, {"c", ""}, {"", "z"}, {"d", "=&="}}));
  EXPECT_FALSE(parse_query("a=%", &query));
  EXPECT_FALSE(parse_query("%00=1", &query));
}

TEST(Url, LengthsOfCharacters) {
  EXPECT_EQ(utf8_length("a", 0), 1u);
  EXPECT_EQ(utf8_length("x\xe2\x82\xac", 1), 3u);
  EXPECT_EQ(utf8_length("\xe2\x82", 0), 0u) << "cut";
  EXPECT_EQ(utf8_length("\xe0\x80\x80", 0), 0u) << "overlong";
}

}  // namespace
}  // namespace hearth::server
