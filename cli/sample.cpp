// hearth sample: continues prompts, or holds a conversation.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"
#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"
#include "llm/lora/files.h"
#include "llm/sample/generate.h"
#include "llm/tokenizer/chat_template.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::cli {

namespace {

struct SampleCommand {
  std::string model, adapter, dtype, prompts_file, system;
  std::optional<std::string> prompt;
  llm::SamplingParams params;
  bool chat = false, json = false, greedy = false;
};

/// The model with everything that sampling needs.
struct Speaker {
  std::unique_ptr<llm::CausalLm> model;
  llm::Tokenizer tokenizer;
  std::optional<llm::LoraAdapter> adapter;
  llm::Generator generator;
  std::optional<llm::ChatTemplate> chat;  ///< with --chat: parsed once for all prompts and turns

  static std::unique_ptr<llm::CausalLm> load(const SampleCommand& c) {
    return llm::load_model(c.model, c.dtype.empty() ? std::nullopt : std::optional<Dtype>(dtype_from_name(c.dtype)));
  }
  static std::optional<llm::LoraAdapter> load_adapter(const SampleCommand& c, const llm::CausalLm& model) {
    if (c.adapter.empty()) return {};
    return llm::load_adapter(c.adapter, model.linear_layers(), llm::base_fingerprint(model.named_parameters()));
  }
  explicit Speaker(const SampleCommand& c)
      : model(load(c)),
        tokenizer(llm::load_model_tokenizer(c.model, model->config())),
        adapter(load_adapter(c, *model)),
        generator(*model, adapter ? &*adapter : nullptr, &tokenizer) {
    if (c.chat) chat.emplace(llm::load_chat_template(tokenizer, c.model));
  }
};

/// A plain prompt as tokens; an empty one is the token that begins a text.
std::vector<int32_t> encode_prompt(const Speaker& s, const std::string& prompt) {
  if (!prompt.empty() || s.tokenizer.bos_id())
    return s.tokenizer.encode(prompt, {.add_bos = s.tokenizer.wants_bos() || prompt.empty()});
  const int64_t begins = s.model->config().bos_token_id;
  check<ValueError>(begins >= 0, "sample: an empty prompt needs a model with a beginning-of-text token");
  return {int32_t(begins)};
}

std::vector<int32_t> encode_chat(const Speaker& s, const std::vector<llm::ChatMessage>& messages) {
  return s.tokenizer.encode(s.chat->render(messages, {.add_generation_prompt = true}), {.parse_special = true});
}

std::vector<llm::ChatMessage> opening(const SampleCommand& c) {
  if (c.system.empty()) return {};
  return {{"system", c.system, ""}};
}

llm::Request make_request(const SampleCommand& c, const Speaker& s, const std::string& prompt, uint64_t seed_offset) {
  llm::Request request{{}, c.params};
  request.params.seed += seed_offset;
  std::vector<llm::ChatMessage> messages = opening(c);
  messages.push_back({"user", prompt, ""});
  request.prompt = c.chat ? encode_chat(s, messages) : encode_prompt(s, prompt);
  return request;
}

boost::json::object to_json(const std::string& prompt, const llm::Generated& g) {
  return {{"prompt", prompt},
          {"text", g.text},
          {"tokens", boost::json::value_from(g.tokens)},
          {"logprobs", boost::json::value_from(std::vector<double>(g.logprobs.begin(), g.logprobs.end()))},
          {"finish_reason", g.reason == llm::FinishReason::stop ? "stop" : "length"}};
}

/// Prints as it comes; with --chat without the white space that an answer may begin with.
llm::OnToken stream_to_stdout(const SampleCommand& c) {
  return [skip = c.chat](size_t, int32_t, float, const std::string& text) mutable {
    const size_t first = skip ? std::min(text.find_first_not_of(" \t\n"), text.size()) : 0;
    if (first < text.size()) skip = false;
    std::fputs(text.c_str() + first, stdout);
    std::fflush(stdout);
    return !interrupted();
  };
}

int run_one(const SampleCommand& c, const std::string& prompt) {
  Speaker s(c);
  const llm::Request request = make_request(c, s, prompt, 0);
  if (!c.chat && !c.json) std::fputs(prompt.c_str(), stdout);
  const auto results = s.generator.run({request}, c.json ? llm::OnToken() : stream_to_stdout(c));
  if (c.json)
    fmt::print("{}\n", boost::json::serialize(to_json(prompt, results[0])));
  else
    std::fputs("\n", stdout);
  return interrupted() ? exit_interrupted : exit_done;
}

/// One prompt a line, or JSON lines with "prompt".
std::vector<std::string> read_prompts(const std::string& path) {
  std::vector<std::string> prompts;
  const std::string text = read_file(path);
  const bool json = path.ends_with(".jsonl") || path.ends_with(".json");
  for (size_t at = 0, line = 1; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string row = text.substr(at, end - at);
    at = end + 1;
    if (row.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (!json) {
      prompts.push_back(row);
      continue;
    }
    const std::string where = path + ":" + std::to_string(line);
    const boost::json::value value = parse_json(row, where);
    prompts.push_back(JsonObject(value, where).get_string("prompt"));
  }
  check<ValueError>(!prompts.empty(), "sample: no prompts in ", path);
  return prompts;
}

int run_file(const SampleCommand& c) {
  Speaker s(c);
  const std::vector<std::string> prompts = read_prompts(c.prompts_file);
  std::vector<llm::Request> requests;
  for (size_t i = 0; i < prompts.size(); ++i) requests.push_back(make_request(c, s, prompts[i], i));
  const auto results =
      s.generator.run(requests, [](size_t, int32_t, float, const std::string&) { return !interrupted(); });
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (c.json)
      fmt::print("{}\n", boost::json::serialize(to_json(prompts[i], results[i])));
    else
      fmt::print("{}{}\n\n", c.chat ? "> " + prompts[i] + "\n" : prompts[i], results[i].text);
  }
  return interrupted() ? exit_interrupted : exit_done;
}

int run_conversation(const SampleCommand& c) {
  Speaker s(c);
  const bool terminal = isatty(STDIN_FILENO);
  if (terminal) fmt::print(stderr, "Type a message and press Enter; an empty line or Ctrl-D ends.\n");
  std::vector<llm::ChatMessage> messages = opening(c);
  std::string line;
  llm::Request request{{}, c.params};
  while (true) {
    if (terminal) fmt::print(stderr, "\n> ");
    if (!std::getline(std::cin, line) || (terminal && line.empty()) || interrupted()) break;
    if (line.empty()) continue;
    messages.push_back({"user", line, ""});
    request.prompt = encode_chat(s, messages);
    const llm::Generated answer = s.generator.resume(request, stream_to_stdout(c));
    std::fputs("\n", stdout);
    messages.push_back({"assistant", answer.text, ""});
    ++request.params.seed;
  }
  return interrupted() ? exit_interrupted : exit_done;
}

int run_sample(const SampleCommand& c) {
  watch_interrupts();
  llm::validate(c.params);
  if (!c.prompts_file.empty()) return run_file(c);
  if (c.prompt) return run_one(c, *c.prompt);
  if (c.chat) return run_conversation(c);
  check<ValueError>(!isatty(STDIN_FILENO), "sample: nothing to continue; give --prompt TEXT, --prompts FILE or --chat");
  return run_one(c, std::string(std::istreambuf_iterator<char>(std::cin), {}));
}

}  // namespace

void add_sample(CLI::App& app, Action& action) {
  auto command = std::make_shared<SampleCommand>();
  llm::SamplingParams& p = command->params;
  CLI::App* sample = app.add_subcommand("sample", "Continue a prompt, a file of prompts, or talk");
  sample->footer(
      "Without --chat the prompt and its continuation are printed, and nothing else. With --chat the model's chat "
      "template is\n"
      "used; without a prompt that is a conversation. The same seed gives the same text.");
  sample->add_option("MODEL", command->model, "Model folder")->required();
  sample->add_option("--adapter", command->adapter, "Adapter folder, as `hearth tune` or PEFT write it");
  auto* prompt = sample->add_option("-p,--prompt", command->prompt, "Text to continue; without it, standard input");
  sample->add_option("--prompts", command->prompts_file, "File of prompts: one a line, or JSON lines with \"prompt\"")
      ->excludes(prompt);
  sample->add_flag("--chat", command->chat, "Speak in the model's chat template");
  sample->add_option("--system", command->system, "System message, with --chat")->needs("--chat");
  sample->add_option("--dtype", command->dtype, "float32 or bfloat16; default: as the files have it");
  sample->add_option("-t,--temperature", p.temperature, "0: always the most likely token")->capture_default_str();
  sample->add_option("--top-k", p.top_k, "Keep the k most likely tokens; 0: all")->capture_default_str();
  sample->add_option("--top-p", p.top_p, "Keep the fewest tokens that reach this probability")->capture_default_str();
  sample->add_option("--min-p", p.min_p, "Keep tokens at least this share of the most likely one")
      ->capture_default_str();
  sample->add_option("--repetition-penalty", p.repetition_penalty, "Over 1 makes seen tokens less likely")
      ->capture_default_str();
  sample->add_option("-n,--max-tokens", p.max_tokens, "Most tokens to add")->capture_default_str();
  sample->add_option("--stop", p.stop, "Text that ends the continuation; may be given again");
  sample->add_option("--stop-token", p.stop_tokens, "Token id that ends it; may be given again");
  sample->add_option("--seed", p.seed, "Seed")->capture_default_str();
  sample->add_flag("--json", command->json, "Print JSON lines with tokens and log-probabilities");
  sample->callback([command, &action] { action = [command] { return run_sample(*command); }; });
}

}  // namespace hearth::cli
