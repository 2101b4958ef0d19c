// Tests of examples: every form, what is refused and with which line, and the real files.
#include "hearth/data/examples.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;
using Messages = std::vector<Message>;

namespace {

ExampleFile parse(const std::string& text, const std::string& name = "d.jsonl") { return parse_examples(text, name); }

std::string refusal(const std::string& text, const std::string& name = "d.jsonl") {
  return error_of<ValueError>([&] { parse(text, name); });
}

std::string say(const std::string& role, const std::string& content) {
  return R"({"role":")" + role + R"(","content":")" + content + "\"}";
}

TEST(Examples, ReadsChat) {
  const ExampleFile file = parse("{\"messages\":[" + say("system", "s") + "," + say("user", "u") + "," +
                                 say("assistant", "a\\n\\u00e9") + "]}\n");
  EXPECT_EQ(file.kind, ExampleKind::chat);
  EXPECT_EQ(file.examples[0].messages, (Messages{{"system", "s"}, {"user", "u"}, {"assistant", "a\n\xc3\xa9"}}));
  EXPECT_EQ(file.examples[0].line, 1);
  EXPECT_EQ(file.note(), "");
}

TEST(Examples, ReadsContentInParts) {
  const std::string parts =
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]})";
  EXPECT_EQ(parse(parts).examples[0].messages[0].content, "ab");
  const std::string image = R"({"messages":[{"role":"user","content":[{"type":"image","url":"x"}]}]})";
  EXPECT_EQ(refusal(image), "d.jsonl:1: messages[0]: content: only parts of type text are read, is image");
}

TEST(Examples, ReadsTheThreeCompletionForms) {
  for (const char* row : {R"({"prompt":"p","completion":"c"})", R"({"instruction":"p","output":"c"})",
                          R"({"instruction":"p","input":"","output":"c"})", R"({"question":"p","answer":"c"})",
                          R"({"instruction":"p","input":null,"output":"c"})"}) {
    const ExampleFile file = parse(row);
    EXPECT_EQ(file.kind, ExampleKind::completion) << row;
    EXPECT_EQ(file.examples[0].prompt, "p") << row;
    EXPECT_EQ(file.examples[0].completion, "c") << row;
    EXPECT_EQ(file.note(), "") << row;
  }
  EXPECT_EQ(parse(R"({"instruction":"i","input":"x","output":"c"})").examples[0].prompt, "i\n\nx");
}

TEST(Examples, ReadsPreferencePairsOfTexts) {
  const ExampleFile file = parse(R"({"prompt":"p","chosen":"c","rejected":"r"})");
  EXPECT_EQ(file.kind, ExampleKind::preference);
  EXPECT_EQ(file.examples[0].prompt, "p");
  EXPECT_EQ(file.examples[0].chosen, "c");
  EXPECT_EQ(file.examples[0].rejected, "r");
  EXPECT_EQ(parse(R"({"question":"q","chosen":"c","rejected":"r"})").examples[0].prompt, "q");
  EXPECT_EQ(parse(R"({"instruction":"i","input":"x","chosen":"c","rejected":"r"})").examples[0].prompt, "i\n\nx");
}

TEST(Examples, ReadsPreferencePairsOfMessages) {
  const std::string u = say("user", "u"), c = say("assistant", "c"), r = say("assistant", "r");
  const std::string full = "\"chosen\":[" + u + "," + c + "],\"rejected\":[" + u + "," + r + "]}";
  const std::string answers = "\"chosen\":[" + c + "],\"rejected\":[" + r + "]}";
  for (const std::string& row : {"{" + full, "{\"prompt\":\"u\"," + full, "{\"prompt\":[" + u + "]," + full,
                                 "{\"prompt\":\"u\"," + answers, "{\"prompt\":[" + u + "]," + answers}) {
    const Example example = parse(row).examples[0];
    EXPECT_EQ(example.messages, (Messages{{"user", "u"}})) << row;
    EXPECT_EQ(example.chosen_messages, (Messages{{"assistant", "c"}})) << row;
    EXPECT_EQ(example.rejected_messages, (Messages{{"assistant", "r"}})) << row;
  }
  EXPECT_NE(refusal("{" + answers).find("no messages in common and there is no prompt"), std::string::npos);
  EXPECT_NE(refusal("{\"prompt\":\"u\",\"chosen\":[" + c + "],\"rejected\":\"r\"}").find("rejected: wants a list"),
            std::string::npos);
}

TEST(Examples, ReadsRowsOfText) {
  const ExampleFile file = parse("{\"text\":\"one\"}\n\n{\"text\":\"\"}\n");
  EXPECT_EQ(file.kind, ExampleKind::text);
  EXPECT_EQ(file.examples.size(), 2u);
  EXPECT_EQ(file.examples[1].line, 3);
}

TEST(Examples, ReadsAJsonListWithLines) {
  const ExampleFile file = parse("[\n{\"text\":\"one\"},\n{\"text\":\"two\"}]", "d.json");
  EXPECT_EQ(file.examples[1].text, "two");
  EXPECT_EQ(file.examples[1].line, 3);
  EXPECT_EQ(refusal("[\n{\"text\":\"one\"},\n{\"text\":2}]", "d.json"),
            "d.json:3: text: wants a string, is an integer");
}

TEST(Examples, NamesUnusedKeysOnce) {
  const ExampleFile file = parse("{\"text\":\"a\",\"id\":1}\n{\"text\":\"b\",\"id\":2,\"source\":\"x\"}\n");
  EXPECT_EQ(file.note(), "keys not used: id (2 rows), source (1 row)");
  const std::string named =
      R"({"messages":[{"role":"user","content":"u","name":"n"},{"role":"user","content":"u","name":"n"}]})";
  EXPECT_EQ(parse(named).note(), "keys not used: messages[].name (1 row)");
  EXPECT_EQ(parse(R"({"prompt":"p","completion":"c","text":"t"})").note(), "keys not used: text (1 row)");
}

TEST(Examples, RefusesMixedFormsWithTheLine) {
  EXPECT_EQ(refusal("{\"text\":\"a\"}\n\n{\"prompt\":\"p\",\"completion\":\"c\"}\n"),
            "d.jsonl:3: mixed forms: this row is completion, the rows before it are text");
}

TEST(Examples, RefusesBrokenRowsWithTheLine) {
  const std::string good = "{\"text\":\"a\"}\n";
  EXPECT_EQ(refusal(good + "{\"text\":\"b\"\n").substr(0, 10), "d.jsonl:2:");
  EXPECT_EQ(refusal(good + good + "{\"text\":null}\n").substr(0, 10), "d.jsonl:3:");
  EXPECT_NE(refusal("{\"txt\":\"a\",\"id\":1}").find("d.jsonl:1: the keys fit no form"), std::string::npos);
  EXPECT_NE(refusal("{\"txt\":\"a\",\"id\":1}").find("txt, id"), std::string::npos);
  EXPECT_NE(refusal("{}").find("none"), std::string::npos);
  EXPECT_EQ(refusal("{\"messages\":[]}"), "d.jsonl:1: messages: the list of messages is empty");
  EXPECT_EQ(refusal("{\"messages\":{}}"), "d.jsonl:1: messages: wants a list, is an object");
  EXPECT_EQ(refusal("{\"messages\":[{\"role\":\"user\"}]}"), "d.jsonl:1: messages[0]: content: is missing");
  EXPECT_EQ(refusal("{\"messages\":[1]}"), "d.jsonl:1: messages[0]: wants an object, is an integer");
  EXPECT_NE(refusal("{\"messages\":[" + say("human", "x") + "]}").find("messages[0]: role: must be"),
            std::string::npos);
  EXPECT_EQ(refusal("{\"prompt\":\"p\",\"chosen\":\"c\"}"), "d.jsonl:1: rejected: is missing");
  EXPECT_EQ(refusal("{\"chosen\":\"c\",\"rejected\":\"r\"}"), "d.jsonl:1: prompt: is missing");
  EXPECT_NE(refusal("{\"text\":\"\xff\"}"), "");
}

TEST(Examples, AFileWithoutRowsIsAnError) {
  for (const char* name : {"d.jsonl", "d.json", "d.txt"}) EXPECT_THROW(parse("", name), IoError) << name;
  EXPECT_THROW(parse("[]", "d.json"), IoError);
  EXPECT_THROW(parse(" \n<|endoftext|>\n", "d.txt"), IoError);
}

TEST(Examples, TellsTextFromJsonByNameThenByContent) {
  EXPECT_EQ(parse("[Scene I] Enter.", "play.txt").examples[0].text, "[Scene I] Enter.");
  EXPECT_EQ(parse("Once upon a time", "story").kind, ExampleKind::text);
  EXPECT_EQ(parse(" {\"prompt\":\"p\",\"completion\":\"c\"}", "rows").kind, ExampleKind::completion);
  EXPECT_NE(refusal("Once upon a time", "story.jsonl"), "");
}

TEST(SplitText, CutsWhereAsked) {
  const auto texts = [](std::string_view text, TextSplit split) {
    std::vector<std::pair<std::string, int64_t>> found;
    for (const Example& example : split_text(text, split)) found.emplace_back(example.text, example.line);
    return found;
  };
  using Found = std::vector<std::pair<std::string, int64_t>>;
  const std::string stories = "\none\n\ntwo\n<|endoftext|>\n<|endoftext|>\n three \n";
  EXPECT_EQ(texts(stories, TextSplit::automatic), (Found{{"one\n\ntwo", 2}, {"three", 7}}));
  EXPECT_EQ(texts("one\n\ntwo", TextSplit::automatic), (Found{{"one\n\ntwo", 1}}));
  EXPECT_EQ(texts("one\n \t\r\n\n\ntwo\nlines\n\n", TextSplit::blank_lines), (Found{{"one", 1}, {"two\nlines", 5}}));
  EXPECT_EQ(texts(stories, TextSplit::whole).size(), 1u);
  EXPECT_TRUE(texts("", TextSplit::automatic).empty());
}

TEST(Examples, RefusesTextThatIsNotUtf8WithTheLine) {
  EXPECT_EQ(refusal("one\ntwo\xff", "d.txt"), "d.txt:2: text is not UTF-8, at byte 7");
  EXPECT_EQ(parse("\xef\xbb\xbfone", "d.txt").examples[0].text, "one");
}

TEST(Examples, DamagedFilesGiveErrorsOnly) {
  const std::string chat = "{\"messages\":[" + say("user", "u") + "," + say("assistant", "a") + "]}\n";
  const std::string list =
      "[{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\"},\n{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\"}"
      "]";
  std::mt19937 random(1);
  for (const std::string& bytes : {chat + chat, list}) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      try {
        parse(bytes.substr(0, size));
      } catch (const Error&) {
      }
    }
    for (int round = 0; round < 3000; ++round) {
      std::string broken = bytes;
      for (unsigned flips = 1 + random() % 3; flips > 0; --flips)
        broken[random() % broken.size()] ^= char(1 << random() % 8);
      try {
        parse(broken);
      } catch (const Error&) {
      }
    }
  }
}

class SharedFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "shared data is absent: " << folder;
  }
  const std::string folder = HEARTH_SHARED "/data";
};

TEST_F(SharedFiles, InstructionData) {
  const ExampleFile file = read_examples(folder + "/llms-from-scratch-sft/instruction-data.json");
  EXPECT_EQ(file.kind, ExampleKind::completion);
  EXPECT_EQ(file.examples.size(), 1100u);
  EXPECT_EQ(file.examples[2].prompt, "Convert 45 kilometers to meters.");
  EXPECT_EQ(file.examples[2].line, 12);
  EXPECT_EQ(file.note(), "");
}

TEST_F(SharedFiles, PreferenceData) {
  const ExampleFile file = read_examples(folder + "/llms-from-scratch-sft/instruction-data-with-preference.json");
  EXPECT_EQ(file.kind, ExampleKind::preference);
  EXPECT_EQ(file.examples.size(), 1100u);
  EXPECT_EQ(file.examples[1].prompt, "Edit the following sentence for grammar.\n\nHe go to the park every day.");
  EXPECT_EQ(file.note(), "keys not used: output (1100 rows)");
}

TEST_F(SharedFiles, WordProblems) {
  EXPECT_EQ(read_examples(folder + "/gsm8k/train.jsonl").examples.size(), 7473u);
  const ExampleFile file = read_examples(folder + "/gsm8k/test.jsonl");
  EXPECT_EQ(file.examples.size(), 1319u);
  EXPECT_EQ(file.kind, ExampleKind::completion);
  EXPECT_EQ(file.examples.back().line, 1319);
}

TEST_F(SharedFiles, Stories) {
  const ExampleFile file = read_examples(folder + "/tinystories-sample/tinystories_sample.txt");
  EXPECT_EQ(file.kind, ExampleKind::text);
  EXPECT_EQ(file.examples.size(), 2317u);
  EXPECT_EQ(file.examples[0].text.substr(0, 7), "One day");
  EXPECT_EQ(file.examples[1].line, 5);
  EXPECT_EQ(read_examples(folder + "/tinyshakespeare/input.txt").examples.size(), 1u);
}

}  // namespace
