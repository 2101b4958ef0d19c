// hearth eval: the mean loss of a model on a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cmath>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"
#include "llm/tune/evaluate.h"

namespace hearth::cli {

namespace {

struct EvalCommand {
  llm::EvaluateOptions options;
  bool json = false;
};

int run_eval(const EvalCommand& command) {
  std::unique_ptr<ProgressBar> bar;
  const llm::Evaluation result = llm::evaluate(command.options, [&](int64_t done, int64_t total) {
    if (command.json) return;
    if (!bar) bar = std::make_unique<ProgressBar>(total, 0);
    bar->update(done, "");
  });
  if (bar) bar->finish();
  for (const std::string& note : result.notes) fmt::print(stderr, "note: {}\n", note);
  if (command.json)
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"loss", result.loss},
                                                                  {"tokens", result.tokens},
                                                                  {"perplexity", std::exp(result.loss)},
                                                                  {"examples", result.examples}}));
  else
    fmt::print("loss {:.4f} per token, perplexity {:.3f}, over {} tokens of {} examples\n", result.loss,
               std::exp(result.loss), with_commas(result.tokens), with_commas(result.examples));
  return exit_done;
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  auto command = std::make_shared<EvalCommand>();
  llm::EvaluateOptions& o = command->options;
  CLI::App* eval = app.add_subcommand("eval", "Mean loss and perplexity of a model on a file");
  eval->footer(
      "DATA is what `hearth tune` takes, except preference pairs. Answers count; prompts do not, unless asked for.\n"
      "Of examples longer than the model's context only the beginning is scored, which is reported; see --windows.");
  eval->add_option("MODEL", o.model, "Model folder")->required();
  eval->add_option("DATA", o.data, "Examples or text")->required();
  eval->add_option("--adapter", o.adapter, "Adapter folder");
  eval->add_option("--dtype", o.dtype, "float32 or bfloat16; default: as the files have it");
  eval->add_option("--limit", o.limit, "Use only the first examples; 0: all")->capture_default_str();
  eval->add_option("--max-chars", o.max_chars, "Cut each text after so many characters; 0: do not")
      ->capture_default_str();
  eval->add_option("--format", o.format, "auto, chat or plain")->capture_default_str();
  eval->add_flag("--prompts", o.with_prompts, "Count the prompts' tokens too");
  eval->add_flag("--windows", o.windows, "Score what lies beyond the model's context in further windows");
  eval->add_flag("--json", command->json, "Print {\"loss\", \"tokens\", ...}");
  eval->callback([command, &action] { action = [command] { return run_eval(*command); }; });
}

}  // namespace hearth::cli
