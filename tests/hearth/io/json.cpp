// Tests of JSON: limits, places of errors, getters.
#include "hearth/io/json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;

namespace {

std::string parse_error(std::string_view text, const JsonLimits& limits = {}) {
  return error_of<ValueError>([&] { parse_json(text, "c.json", limits); });
}

TEST(ParseJson, ReadsEveryKindOfValue) {
  const boost::json::value value =
      parse_json(R"( {"a": [1, -2.5, true, null, "x\u00e9"], "b": {"c": 18446744073709551615}} )", "c.json");
  EXPECT_EQ(value.at("a").at(0).as_int64(), 1);
  EXPECT_EQ(value.at("a").at(1).as_double(), -2.5);
  EXPECT_EQ(value.at("a").at(4).as_string(), "x\xc3\xa9");
  EXPECT_EQ(value.at("b").at("c").as_uint64(), UINT64_MAX);
}

TEST(ParseJson, NamesTheLineAndColumnOfAnError) {
  EXPECT_EQ(parse_error("{\n  \"a\": 1,\n  \"b\" 2\n}").substr(0, 12), "c.json:3:7: ");
  EXPECT_EQ(parse_error("{\"a\": tru}").substr(0, 9), "c.json:1:");
  EXPECT_EQ(parse_error("[1] x").substr(0, 12), "c.json:1:5: ");
  EXPECT_NE(parse_error("[1] x").find("more text after the value"), std::string::npos);
  JsonLimits limits;
  limits.first_line = 17;
  EXPECT_EQ(parse_error("{", limits).substr(0, 10), "c.json:17:");
}

TEST(ParseJson, RefusesWhatIsNotStrictJson) {
  for (const char* text : {"", " ", "{", "[1,", "{'a': 1}", "[1,]", "{\"a\":1,}", "// c\n1", "nan", "[01]", "\"a\nb\"",
                           "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "[1]]", "\xef\xbb\xbf{}"}) {
    EXPECT_NE(parse_error(text), "") << text;
  }
}

TEST(ParseJson, RefusesDuplicateKeysByName) {
  EXPECT_NE(parse_error(R"({"a": 1, "b": {"x": 1, "k": [{"dup": 1, "dup": 2}]}})").find("\"dup\" comes twice"),
            std::string::npos);
  EXPECT_NE(parse_error("{\"a\": 1,\n \"\\u0061\": 2}").find("\"a\" comes twice"), std::string::npos);
  EXPECT_EQ(parse_error(R"({"a": {"a": 1}, "b": {"a": 1}})"), "");
}

TEST(ParseJson, KeepsTheLimits) {
  JsonLimits limits;
  limits.max_depth = 3;
  EXPECT_EQ(parse_error("[[[1]]]", limits), "");
  EXPECT_NE(parse_error("[[[[1]]]]", limits), "");
  EXPECT_NE(parse_error(std::string(1'000'000, '[')), "");
  limits.max_bytes = 6;
  EXPECT_NE(parse_error("[[[1]]]", limits).find("larger than 6 bytes"), std::string::npos);
}

TEST(ReadJson, NamesTheFile) {
  test::TemporaryFolder folder;
  const std::string path = folder.put("x.json", "{\"a\": }");
  EXPECT_EQ(error_of<ValueError>([&] { read_json(path); }).substr(0, path.size() + 1), path + ":");
  EXPECT_THROW(read_json(folder.path("none.json")), IoError);
}

TEST(JsonObject, GetsWhatIsThere) {
  const boost::json::value value =
      parse_json(R"({"i": 3, "w": 1e4, "d": 0.5, "b": true, "s": "x", "o": {"i": 1}, "l": [1], "n": null})", "c.json");
  const JsonObject object(value, "c.json");
  EXPECT_EQ(object.get_int("i"), 3);
  EXPECT_EQ(object.get_int("w"), 10000);
  EXPECT_EQ(object.get_double("i"), 3.0);
  EXPECT_EQ(object.get_double("d"), 0.5);
  EXPECT_TRUE(object.get_bool("b"));
  EXPECT_EQ(object.get_string("s"), "x");
  EXPECT_EQ(object.get_object("o").get_int("i"), 1);
  EXPECT_EQ(object.get_array("l").size(), 1u);
  EXPECT_FALSE(object.has("n"));
  EXPECT_EQ(object.get_int("n", 7), 7);
  EXPECT_EQ(object.get_string("none", "y"), "y");
  EXPECT_EQ(object.get_double("none", 1.5), 1.5);
  EXPECT_FALSE(object.get_bool("none", false));
}

TEST(JsonObject, SaysWhichKeyIsMissingOrOfTheWrongKind) {
  const boost::json::value value = parse_json(R"({"s": "x", "o": {}, "d": 0.5, "u": 18446744073709551615})", "c.json");
  const JsonObject object(value, "c.json");
  EXPECT_EQ(error_of<ValueError>([&] { object.get_int("hidden_size"); }), "c.json: hidden_size: is missing");
  EXPECT_EQ(error_of<ValueError>([&] { object.get_int("s"); }), "c.json: s: wants an integer, is a string");
  EXPECT_EQ(error_of<ValueError>([&] { object.get_int("s", 4); }), "c.json: s: wants an integer, is a string");
  EXPECT_EQ(error_of<ValueError>([&] { object.get_int("d"); }), "c.json: d: wants an integer, is 0.5");
  EXPECT_NE(error_of<ValueError>([&] { object.get_int("u"); }), "");
  EXPECT_EQ(error_of<ValueError>([&] { object.get_object("o").get_bool("x"); }), "c.json: o: x: is missing");
  EXPECT_EQ(error_of<ValueError>([&] { object.get_array("o"); }), "c.json: o: wants a list, is an object");
  EXPECT_EQ(error_of<ValueError>([&] { JsonObject(value.at("s"), "c.json"); }), "c.json: wants an object, is a string");
}

}  // namespace
