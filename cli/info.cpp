// hearth info: what this machine and build can do, or what a model is.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"
#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "llm/models/config.h"
#include "llm/models/families.h"
#include "llm/sample/invariances.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::cli {

namespace {

struct InfoCommand {
  std::string model;
  bool json = false;
};

boost::json::array invariances(Dtype dtype) {
  const llm::Invariances found = llm::probe_invariances(dtype);
  boost::json::array out;
  if (found.row) out.push_back("row");
  if (found.batch) out.push_back("batch");
  if (found.thread) out.push_back("thread");
  return out;
}

boost::json::object machine_info() {
  boost::json::array types;
  for (const llm::Family* family : llm::families()) types.push_back(boost::json::string(family->model_type));
  const bool half = cpu::has_avx512_bf16();
  return {{"version", HEARTH_VERSION},
          {"isa", std::string(cpu::isa_name(cpu::isa()))},
          {"best_isa", std::string(cpu::isa_name(cpu::best_isa()))},
          {"threads", cpu::num_threads()},
          {"bfloat16_products", half},
          {"model_types", types},
          {"dtypes", boost::json::array{"float32", "bfloat16"}},
          {"invariances",
           boost::json::object{{"float32", invariances(Dtype::float32)}, {"bfloat16", invariances(Dtype::bfloat16)}}}};
}

boost::json::object model_info(const std::string& path) {
  const auto model = llm::load_model(path);
  const llm::DecoderConfig& c = model->config();
  const llm::Tokenizer tokenizer = llm::load_model_tokenizer(path, c);
  boost::json::object json = {{"model_type", c.model_type},
                              {"parameters", llm::parameter_count(c)},
                              {"dtype", std::string(dtype_name(model->model.embed_tokens.dtype()))},
                              {"layers", c.num_hidden_layers},
                              {"hidden_size", c.hidden_size},
                              {"intermediate_size", c.intermediate_size},
                              {"heads", c.num_attention_heads},
                              {"kv_heads", c.num_key_value_heads},
                              {"head_dim", c.head_dim},
                              {"vocab_size", c.vocab_size},
                              {"context", c.max_position_embeddings},
                              {"tied_embeddings", c.tie_word_embeddings},
                              {"tokenizer_size", tokenizer.vocab_size()},
                              {"chat_template", !tokenizer.chat_template().empty()}};
  return json;
}

std::string plain(const boost::json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (value.is_int64()) return with_commas(value.get_int64());
  if (value.is_object()) {
    std::string out;
    for (const auto& [key, item] : value.get_object())
      out += (out.empty() ? "" : "; ") + std::string(key) + ": " + plain(item);
    return out;
  }
  if (!value.is_array()) return boost::json::serialize(value);
  std::string out;
  for (const auto& item : value.get_array()) out += (out.empty() ? "" : ", ") + plain(item);
  return out;
}

int run_info(const InfoCommand& command) {
  const boost::json::object info = command.model.empty() ? machine_info() : model_info(command.model);
  if (command.json) {
    fmt::print("{}\n", boost::json::serialize(info));
    return exit_done;
  }
  for (const auto& [key, value] : info) {
    std::string label(key);
    for (char& c : label)
      if (c == '_') c = ' ';
    fmt::print("{:<20}{}\n", label, plain(value));
  }
  if (command.model.empty())
    fmt::print(
        "\nInvariances were probed just now: a token's log-probability had the same bits computed in one pass or token "
        "by token\n"
        "(row), alone or beside other sequences (batch), on 1, 2 and 3 threads (thread).\n");
  return exit_done;
}

}  // namespace

void add_info(CLI::App& app, Action& action) {
  auto command = std::make_shared<InfoCommand>();
  CLI::App* info = app.add_subcommand("info", "What this machine can do, or what a model is");
  info->add_option("MODEL", command->model, "Model folder; without it, the machine and this build");
  info->add_flag("--json", command->json, "Print JSON");
  info->callback([command, &action] { action = [command] { return run_info(*command); }; });
}

}  // namespace hearth::cli
