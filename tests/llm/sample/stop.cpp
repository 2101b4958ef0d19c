// Stop strings in text that arrives in pieces, at every way to cut it.
#include "llm/sample/stop.h"

#include <gtest/gtest.h>

namespace hearth::llm {
namespace {

/// What is shown of `text` in pieces cut where the bits of `cuts` are set.
std::string shown(const std::string& text, const std::vector<std::string>& stops, uint32_t cuts, bool& stopped) {
  StopText stop(stops);
  std::string out, piece;
  for (size_t i = 0; i < text.size(); ++i) {
    piece += text[i];
    if ((cuts >> i & 1) == 0) continue;
    out += stop.push(piece);
    piece.clear();
  }
  out += stop.push(piece);
  out += stop.flush();
  stopped = stop.stopped();
  return out;
}

void expect_at_every_cut(const std::string& text, const std::vector<std::string>& stops, const std::string& expected,
                         bool expected_stop) {
  ASSERT_LE(text.size(), 12u);
  for (uint32_t cuts = 0; cuts < 1u << text.size(); ++cuts) {
    bool stopped = false;
    ASSERT_EQ(shown(text, stops, cuts, stopped), expected) << text << " cut at bits " << cuts;
    ASSERT_EQ(stopped, expected_stop) << text << " cut at bits " << cuts;
  }
}

TEST(StopText, FindsAStopAtEveryCut) {
  expect_at_every_cut("hello END x", {"END"}, "hello ", true);
  expect_at_every_cut("aaab", {"aab"}, "a", true);
  expect_at_every_cut("ababac", {"abac"}, "ab", true);
  expect_at_every_cut("END", {"END"}, "", true);
}

TEST(StopText, ShowsEverythingWithoutAStop) {
  expect_at_every_cut("hello EN", {"END"}, "hello EN", false);
  expect_at_every_cut("EEENNEN", {"END"}, "EEENNEN", false);
  expect_at_every_cut("anything", {}, "anything", false);
}

TEST(StopText, OfSeveralTheOneThatIsCompleteFirst) {
  expect_at_every_cut("one two", {"two", "ne"}, "o", true);
  expect_at_every_cut("a\nb\n\nc", {"\n\n"}, "a\nb", true);
}

TEST(StopText, HoldsBackNoMoreThanItMust) {
  StopText stop({"\n\nUser:"});
  EXPECT_EQ(stop.push("Hello"), "Hello");
  EXPECT_EQ(stop.push(" you\n"), " you");
  EXPECT_EQ(stop.push("\nUs"), "");
  EXPECT_EQ(stop.push("ually"), "\n\nUsually");
  EXPECT_EQ(stop.push("\n\nUser: and more"), "");
  EXPECT_TRUE(stop.stopped());
  EXPECT_EQ(stop.push("later"), "");
  EXPECT_EQ(stop.flush(), "");
}

}  // namespace
}  // namespace hearth::llm
