// Tests of one row: which keys say which form, and what is left over.
#include "hearth/data/example_row.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "hearth/io/json.h"

using namespace hearth;

namespace {

ExampleKind kind_of(const char* text) { return detect_kind(parse_json(text, "row").as_object(), "row"); }

TEST(DetectKind, TheMoreTellingKeysWin) {
  EXPECT_EQ(kind_of(R"({"prompt":"p","chosen":"c","rejected":"r","messages":[],"text":"t"})"), ExampleKind::preference);
  EXPECT_EQ(kind_of(R"({"messages":[],"prompt":"p","completion":"c"})"), ExampleKind::chat);
  EXPECT_EQ(kind_of(R"({"prompt":"p","completion":"c","text":"t"})"), ExampleKind::completion);
  EXPECT_EQ(kind_of(R"({"prompt":"p","text":"t"})"), ExampleKind::text);
  EXPECT_EQ(kind_of(R"({"messages":null,"text":"t"})"), ExampleKind::text);
  EXPECT_THROW(kind_of(R"({"prompt":"p"})"), ValueError);
}

TEST(ReadRow, TakesTheFormThatTheKeysSayAndListsTheRest) {
  std::vector<std::string> unused;
  const boost::json::value row = parse_json(R"({"prompt":"x","instruction":"i","output":"o"})", "row");
  const Example example = read_row(row, ExampleKind::completion, "row", unused);
  EXPECT_EQ(example.prompt, "i");
  EXPECT_EQ(example.completion, "o");
  EXPECT_EQ(unused, (std::vector<std::string>{"prompt"}));
}

TEST(ReadRow, KeepsAPromptThatTheAnswersDoNotRepeat) {
  std::vector<std::string> unused;
  const boost::json::value row = parse_json(
      R"({"prompt":[{"role":"system","content":"s"},{"role":"user","content":"u"}],
          "chosen":[{"role":"assistant","content":"c"},{"role":"user","content":"more"}],
          "rejected":[{"role":"assistant","content":"r"}]})",
      "row");
  const Example example = read_row(row, ExampleKind::preference, "row", unused);
  EXPECT_EQ(example.messages.size(), 2u);
  EXPECT_EQ(example.chosen_messages.size(), 2u);
  EXPECT_EQ(example.rejected_messages.size(), 1u);
}

}  // namespace
