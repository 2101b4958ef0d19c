// tokenizer.json: each part does what it says, and what hearth does not know is refused by its name.
#include "hearth/core/error.h"
#include "llm/tokenizer/small_tokenizers.h"
#include "llm/tokenizer/test_data.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {
namespace {

Tokenizer with(std::string_view part, std::string_view json) {
  return parse_tokenizer_json(small_tokenizer_json_with(part, json), "test");
}

// The pieces that a text is cut into, seen by what each id stands for.
std::vector<std::string> pieces(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> out;
  for (const int32_t id : tokenizer.encode(text)) out.emplace_back(tokenizer.token_bytes(id));
  return out;
}

// A vocabulary of single characters and whole words, so that pieces show as tokens with ignore_merges.
Tokenizer word_tokenizer(std::string_view pre_tokenizer, std::vector<std::string> words) {
  boost::json::object vocabulary;
  for (char c = ' '; c < 0x7F; ++c) vocabulary[c == ' ' ? "\u0120" : std::string(1, c)] = vocabulary.size();
  for (const std::string& word : words) vocabulary[word] = vocabulary.size();
  boost::json::object root = boost::json::parse(small_tokenizer_json()).as_object();
  root["added_tokens"] = boost::json::array();
  root["pre_tokenizer"] = boost::json::parse(pre_tokenizer);
  root["model"] = {{"type", "BPE"}, {"ignore_merges", true}, {"vocab", vocabulary}, {"merges", boost::json::array()}};
  return parse_tokenizer_json(boost::json::serialize(root), "words");
}

std::string split_step(const std::string& behavior, bool invert = false) {
  return R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "-"}, "behavior": ")" +
         behavior + R"(", "invert": )" + (invert ? "true" : "false") +
         R"(}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})";
}

using Words = std::vector<std::string>;

TEST(TokenizerJson, SplitBehaviors) {
  const Words words = {"the", "end", "the-", "-the", "-end", "--", "-"};
  const std::string text = "the-the--end";
  EXPECT_EQ(pieces(word_tokenizer(split_step("Isolated"), words), text), (Words{"the", "-", "the", "-", "-", "end"}));
  EXPECT_EQ(pieces(word_tokenizer(split_step("Removed"), words), text), (Words{"the", "the", "end"}));
  EXPECT_EQ(pieces(word_tokenizer(split_step("MergedWithPrevious"), words), text), (Words{"the-", "the-", "-", "end"}));
  EXPECT_EQ(pieces(word_tokenizer(split_step("MergedWithNext"), words), text), (Words{"the", "-the", "-", "-end"}));
  EXPECT_EQ(pieces(word_tokenizer(split_step("Contiguous"), words), text), (Words{"the", "-", "the", "--", "end"}));
  EXPECT_EQ(pieces(word_tokenizer(split_step("Removed", true), words), text), (Words{"-", "-", "-"}));
}

TEST(TokenizerJson, DigitsAndPrefixSpace) {
  const std::string each = R"({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
      {"type": "ByteLevel", "add_prefix_space": true, "use_regex": false}]})";
  const Words words = {"\u0120a", "\u01201", "\u01202", "\u012012"};
  EXPECT_EQ(pieces(word_tokenizer(each, words), "a12"), (Words{" a", " 1", " 2"}));
  std::string together = each;
  together.replace(together.find("true"), 4, "false");
  EXPECT_EQ(pieces(word_tokenizer(together, words), "a12"), (Words{" a", " 12"}));
}

TEST(TokenizerJson, Normalizers) {
  const auto normal = [](std::string_view json, std::string_view text) {
    const Tokenizer tokenizer = with("normalizer", json);
    return tokenizer.decode(tokenizer.encode(text));
  };
  EXPECT_EQ(normal(R"({"type": "NFC"})", "e\u0301"), "\u00e9");
  EXPECT_EQ(normal(R"({"type": "NFD"})", "\u00e9"), "e\u0301");
  EXPECT_EQ(normal(R"({"type": "NFKC"})", "\ufb01\u2460"), "fi1");
  EXPECT_EQ(normal(R"({"type": "NFKD"})", "\ufb01\u00e9"), "fie\u0301");
  EXPECT_EQ(normal(R"({"type": "Lowercase"})", "\u00c9A\u0130"), "\u00e9ai\u0307");
  EXPECT_EQ(normal(R"({"type": "Prepend", "prepend": "_"})", "a"), "_a");
  EXPECT_EQ(normal(R"({"type": "Prepend", "prepend": "_"})", ""), "");
  EXPECT_EQ(
      normal(R"({"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "bb"},
                       {"type": "Replace", "pattern": {"Regex": "b+"}, "content": "<$0>"}]})",
             "xay"),
      "x<$0>y");
}

TEST(TokenizerJson, AddedTokensTakeTheirSpaces) {
  const auto added = [](std::string_view flags) {
    std::string json = R"([{"id": 280, "content": "<t>", "special": false, "normalized": false)";
    return with("added_tokens", json + std::string(flags) + "}]");
  };
  const auto around = [](const Tokenizer& tokenizer, std::string_view text) {
    std::string out;
    for (const int32_t id : tokenizer.encode(text)) out += id == 280 ? "*" : std::string(tokenizer.token_bytes(id));
    return out;
  };
  EXPECT_EQ(around(added(""), "a <t> b<t>"), "a * b*");
  EXPECT_EQ(around(added(R"(, "lstrip": true)"), "a  <t> b"), "a* b");
  EXPECT_EQ(around(added(R"(, "rstrip": true)"), "a <t> \n b"), "a *b");
  EXPECT_EQ(around(added(R"(, "single_word": true)"), "a<t> <t> <t>b"), "a<t> * <t>b");
}

TEST(TokenizerJson, TemplateGivesBosAndEos) {
  const Tokenizer tokenizer = with("post_processor", R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},
      {"type": "TemplateProcessing", "pair": [],
       "single": [{"SpecialToken": {"id": "<|user|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
       "special_tokens": {"<|user|>": {"id": "<|user|>", "ids": [1], "tokens": ["<|user|>"]}}}]})");
  EXPECT_TRUE(tokenizer.wants_bos());
  EXPECT_FALSE(tokenizer.wants_eos());
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.encode("a", {.add_bos = true}).front(), 1);
  EXPECT_EQ(tokenizer.encode("a", {.add_eos = true}).back(), 0);
}

TEST(TokenizerJson, LlamaStyleByteFallback) {
  boost::json::object vocabulary = {{"<unk>", 0}, {"\u2581", 1}, {"a", 2}, {"b", 3}, {"ab", 4}, {"\u2581ab", 5}};
  const char digits[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) vocabulary[std::string("<0x") + digits[b / 16] + digits[b % 16] + ">"] = 6 + b;
  const boost::json::array merges = {boost::json::array{"a", "b"}, "\u2581 ab"};
  const boost::json::value root = {
      {"normalizer",
       boost::json::parse(R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]})")},
      {"decoder", boost::json::parse(R"({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})")},
      {"model",
       {{"type", "BPE"},
        {"unk_token", "<unk>"},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"vocab", vocabulary},
        {"merges", merges}}}};
  const Tokenizer tokenizer = parse_tokenizer_json(boost::json::serialize(root), "llama");
  EXPECT_EQ(tokenizer.encode("ab \u00e9ab"), (std::vector<int32_t>{5, 1, 6 + 0xC3, 6 + 0xA9, 4}));
  for (const char* text : {"ab \u00e9ab", " ab", "  a\n\U0001F999"})
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

void expect_refused(std::string_view part, std::string_view json, const std::string& name) {
  try {
    with(part, json);
    ADD_FAILURE() << json << " was accepted";
  } catch (const NotImplementedError& error) {
    EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
  }
}

TEST(TokenizerJson, RefusesByName) {
  expect_refused("normalizer", R"({"type": "BertNormalizer"})", "BertNormalizer");
  expect_refused("normalizer", R"({"type": "NFC", "strength": 2})", "strength");
  expect_refused("pre_tokenizer", R"({"type": "BertPreTokenizer"})", "BertPreTokenizer");
  expect_refused("pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "[a&&b]"}, "behavior": "Isolated"})", "&&");
  expect_refused("pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "\\h"}, "behavior": "Isolated"})", "\\h");
  expect_refused("pre_tokenizer",
                 R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]})", "Digits");
  expect_refused("model", R"({"type": "WordPiece", "vocab": {}})", "WordPiece");
  expect_refused("model", R"({"type": "BPE", "dropout": 0.1, "vocab": {}, "merges": []})", "dropout");
  expect_refused("model", R"({"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {}, "merges": []})",
                 "end_of_word_suffix");
  expect_refused("decoder", R"({"type": "WordPiece"})", "WordPiece");
  expect_refused("decoder", "null", "decoder");
  expect_refused("post_processor", R"({"type": "BertProcessing"})", "BertProcessing");
  expect_refused("speed", R"("fast")", "speed");
}

TEST(TokenizerJson, SideFilesAreHonoured) {
  const TempFolder folder;
  folder.write("tokenizer.json", small_tokenizer_json());
  folder.write("tokenizer_config.json",
               R"({"bos_token": {"content": "<|user|>"}, "eos_token": "<|new|>", "add_bos_token": true,
      "added_tokens_decoder": {"280": {"content": "<|new|>", "special": true}}, "chat_template": "{{ 1 }}"})");
  const Tokenizer tokenizer = load_tokenizer(folder.path());
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 280);
  EXPECT_TRUE(tokenizer.wants_bos());
  EXPECT_EQ(tokenizer.vocab_size(), 281);
  EXPECT_EQ(tokenizer.encode("<|new|>"), (std::vector<int32_t>{280}));
  EXPECT_EQ(tokenizer.chat_template(), "{{ 1 }}");
  folder.write("chat_template.jinja", "{{ 2 }}");
  EXPECT_EQ(load_tokenizer(folder.path()).chat_template(), "{{ 2 }}");
  folder.write("tokenizer_config.json", R"({"eos_token": "<|absent|>"})");
  EXPECT_THROW(load_tokenizer(folder.path()), ValueError);
  folder.write("tokenizer_config.json", R"({"split_special_tokens": true})");
  EXPECT_THROW(load_tokenizer(folder.path()), NotImplementedError);
}

}  // namespace
}  // namespace hearth::llm
