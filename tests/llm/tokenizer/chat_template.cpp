// Chat template: real templates, the default one, and the spans that the assistant says.
#include "llm/tokenizer/chat_template.h"

#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "llm/tokenizer/small_tokenizers.h"
#include "llm/tokenizer/test_data.h"

namespace hearth::llm {
namespace {

Tokenizer small_tokenizer() { return parse_tokenizer_json(small_tokenizer_json(), "small"); }

std::string template_of(const std::string& folder) {
  const auto config = boost::json::parse(slurp(shared_data(folder + "/tokenizer_config.json")));
  return std::string(config.at("chat_template").as_string());
}

const std::vector<ChatMessage> conversation = {
    {"user", "Hi"}, {"assistant", "Hello!"}, {"user", "Bye"}, {"assistant", "See you."}};

std::vector<std::string> assistant_texts(const TrainingChat& chat) {
  std::vector<std::string> out;
  for (const ChatSpan& span : chat.assistant) out.push_back(chat.text.substr(span.begin, span.end - span.begin));
  return out;
}

TEST(ChatTemplate, DefaultNamesTheSpeakers) {
  const ChatTemplate chat("", small_tokenizer(), "small");
  EXPECT_TRUE(chat.is_default());
  EXPECT_EQ(chat.render(std::span(conversation).first(3), {.add_generation_prompt = true}),
            "User: Hi\nAssistant: Hello!<|endoftext|>\nUser: Bye\nAssistant:");
  EXPECT_EQ(assistant_texts(chat.render_for_training(conversation)),
            (std::vector<std::string>{" Hello!<|endoftext|>", " See you.<|endoftext|>"}));
}

TEST(ChatTemplate, Qwen25) {
  if (const auto absent = shared_is_absent("qwen2.5-bpe"); !absent.empty()) GTEST_SKIP() << absent;
  const Tokenizer tokenizer = load_tokenizer(shared_data("qwen2.5-bpe"));
  const ChatTemplate chat = load_chat_template(tokenizer, shared_data("qwen2.5-bpe"));
  const std::string head =
      "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(chat.render(std::span(conversation).first(1), {.add_generation_prompt = true}), head);
  const TrainingChat training = chat.render_for_training(conversation);
  EXPECT_EQ(assistant_texts(training), (std::vector<std::string>{"Hello!<|im_end|>", "See you.<|im_end|>"}));
  EXPECT_EQ(training.assistant[0].begin, head.size());
  const std::string tools =
      R"({"tools": [{"type": "function", "function": {"name": "f", "é": [1, 2.5, null, true]}}]})";
  const std::string text = chat.render(conversation, {.variables = tools});
  EXPECT_NE(
      text.find(
          "<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"f\", \"é\": [1, 2.5, null, true]}}\n</tools>"),
      text.npos);
}

TEST(ChatTemplate, Qwen3KeepsOnlyTheLastThoughts) {
  if (const auto absent = shared_is_absent("qwen3-config"); !absent.empty()) GTEST_SKIP() << absent;
  const ChatTemplate chat(template_of("qwen3-config"), small_tokenizer(), "qwen3");
  EXPECT_EQ(chat.render(std::span(conversation).first(1), {true, R"({"enable_thinking": false})"}),
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
  std::vector<ChatMessage> thinking = conversation;
  thinking[1].content = "<think>\none\n</think>\n\nHello!";
  thinking[3].content = "<think>\ntwo\n</think>\n\nSee you.";
  const TrainingChat training = chat.render_for_training(thinking);
  EXPECT_EQ(assistant_texts(training),
            (std::vector<std::string>{"Hello!<|im_end|>\n", "<think>\ntwo\n</think>\n\nSee you.<|im_end|>\n"}));
  // A tool call: further fields of a message.
  std::vector<ChatMessage> calling = {
      conversation[0],
      {"assistant", "", R"({"tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]})"},
      {"tool", "42"},
      {"assistant", "It is 42."}};
  EXPECT_NE(
      chat.render(calling).find("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call><|im_end|>"),
      std::string::npos);
  EXPECT_EQ(assistant_texts(chat.render_for_training(calling)).back(), "<think>\n\n</think>\n\nIt is 42.<|im_end|>\n");
}

TEST(ChatTemplate, Llama3AndZephyrStyles) {
  const std::string llama3 =
      "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' "
      "+ "
      "message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% "
      "endif %}"
      "{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' "
      "}}{% endif %}";
  const Tokenizer tokenizer = parse_llama2c_tokenizer(small_llama2c(), "llama2c");
  EXPECT_EQ(
      ChatTemplate(llama3, tokenizer, "llama3").render(std::span(conversation).first(1), {true, ""}),
      "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  const std::string zephyr =
      "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + "
      "eos_token }}\n"
      "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif "
      "%}\n"
      "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}";
  const ChatTemplate chat(zephyr, tokenizer, "zephyr");
  EXPECT_EQ(chat.render(std::span(conversation).first(1), {true, ""}), "<|user|>\nHi</s>\n<|assistant|>\n");
  EXPECT_EQ(assistant_texts(chat.render_for_training(conversation)),
            (std::vector<std::string>{"Hello!</s>", "See you.</s>"}));
}

TEST(ChatTemplate, SpansThatDoNotExistAreAnError) {
  // The number of messages stands in front of everything, so no earlier text is a prefix.
  const ChatTemplate counting(
      "{{ messages | length }}{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
      "{% if add_generation_prompt %}assistant:{% endif %}",
      small_tokenizer(), "counting");
  EXPECT_THROW(counting.render_for_training(conversation), ValueError);
  // Earlier answers are shortened at their end.
  const ChatTemplate cutting(
      "{% for m in messages %}{{ m.role }}:{{ m.content if loop.last else m.content[:2] }}\n{% endfor %}"
      "{% if add_generation_prompt %}assistant:{% endif %}",
      small_tokenizer(), "cutting");
  EXPECT_THROW(cutting.render_for_training(conversation), ValueError);
  // The generation prompt is not what the template writes in front of an answer.
  const ChatTemplate other(
      "{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
      "{% if add_generation_prompt %}ANSWER{% endif %}",
      small_tokenizer(), "other");
  EXPECT_THROW(other.render_for_training(conversation), ValueError);
}

TEST(ChatTemplate, TemplatesCanRefuse) {
  const ChatTemplate strict("{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}",
                            small_tokenizer(), "strict");
  const std::vector<ChatMessage> system = {{"system", "x"}};
  EXPECT_THROW(strict.render(system), ValueError);
  EXPECT_EQ(strict.render(conversation), "");
  EXPECT_THROW(strict.render(conversation, {.variables = "[1]"}), ValueError);
}

}  // namespace
}  // namespace hearth::llm
