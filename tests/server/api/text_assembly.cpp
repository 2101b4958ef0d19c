// Text assembly: stop texts and characters cut across tokens, against the whole text.
#include "server/api/text_assembly.h"

#include <gtest/gtest.h>

#include <random>

namespace hearth::server {
namespace {

struct Shown {
  std::string text;
  std::vector<std::string> pieces;
  bool stopped = false;
};

Shown assemble(const std::vector<std::string>& pieces, std::vector<std::string> stops = {}) {
  TextAssembly assembly(std::move(stops));
  Shown shown;
  for (const std::string& piece : pieces) {
    shown.pieces.push_back(assembly.add(piece));
    shown.text += shown.pieces.back();
  }
  shown.text += assembly.end();
  shown.stopped = assembly.stopped();
  EXPECT_EQ(assembly.add("more"), assembly.stopped() ? "" : "more");
  return shown;
}

TEST(TextAssembly, ShowsPlainTextAtOnce) {
  Shown shown = assemble({"One", " day", "."});
  EXPECT_EQ(shown.pieces, (std::vector<std::string>{"One", " day", "."}));
  EXPECT_FALSE(shown.stopped);
}

TEST(TextAssembly, HoldsWhatMayBecomeAStopText) {
  Shown shown = assemble({"a\n", "b\n", "\nUser: x"}, {"\n\nUser:"});
  EXPECT_EQ(shown.pieces, (std::vector<std::string>{"a", "\nb", ""}));
  EXPECT_EQ(shown.text, "a\nb");
  EXPECT_TRUE(shown.stopped);
}

TEST(TextAssembly, GivesBackWhatWasHeldWhenNoStopTextCame) {
  EXPECT_EQ(assemble({"a", "\n"}, {"\n\n"}).text, "a\n");
  EXPECT_EQ(assemble({"aab"}, {"ab", "b"}).text, "a");
  EXPECT_EQ(assemble({"aa", "ab"}, {"aaab"}).text, "");
}

TEST(TextAssembly, WaitsForWholeCharacters) {
  Shown shown = assemble({"\xC3", "\xA9", "\xF0\x9F", "\x98\x80!"});
  EXPECT_EQ(shown.pieces, (std::vector<std::string>{"", "\xC3\xA9", "", "\xF0\x9F\x98\x80!"}));
}

TEST(TextAssembly, ReplacesWhatIsNoCharacter) {
  EXPECT_EQ(assemble({"a\xFF", "b\xC3"}).text,
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(whole_utf8("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // half of a surrogate pair
  EXPECT_EQ(whole_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // an overlong slash
}

TEST(TextAssembly, EveryWayToCutATextShowsTheSame) {
  const std::string text = "Zoë saw a 😀 cat.\n\nUser: no\n\nUse";
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> pieces;
    for (size_t begin = 0; begin < text.size();) {
      size_t count = std::min<size_t>(1 + random() % 7, text.size() - begin);
      pieces.push_back(text.substr(begin, count));
      begin += count;
    }
    EXPECT_EQ(assemble(pieces).text, text);
    EXPECT_EQ(assemble(pieces, {"zzz", "\n\nUser:"}).text, "Zoë saw a 😀 cat.");
    EXPECT_EQ(assemble(pieces, {"😀"}).text, "Zoë saw a ");
  }
}

}  // namespace
}  // namespace hearth::server
