// hearth pretrain: a small model from scratch.
#include "llm/tune/pretrain.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"

namespace hearth::cli {

namespace {

struct PretrainCommand {
  llm::PretrainOptions options;
  bool json = false;
};

int run_pretrain(const PretrainCommand& command) {
  watch_interrupts();
  std::unique_ptr<ProgressBar> bar;
  std::string validation;
  llm::TuneEvents events;
  events.on_plan = [&](const llm::TunePlan& plan) {
    fmt::print(stderr, "{} documents, {} for validation; {} parameters; {} steps\n", with_commas(plan.examples),
               with_commas(plan.validation_examples), with_commas(plan.model_parameters), with_commas(plan.steps));
    for (const std::string& note : plan.notes) fmt::print(stderr, "{}\n", note);
    if (plan.first_step > 0) fmt::print(stderr, "going on from step {}\n", plan.first_step);
    bar = std::make_unique<ProgressBar>(plan.steps, plan.first_step);
  };
  events.on_step = [&](const llm::StepMetrics& m) {
    if (m.validation_loss) validation = fmt::format("  validation {:.4f}", *m.validation_loss);
    bar->update(m.step, fmt::format("loss {:.4f}{}  {} tokens/s", m.loss, validation,
                                    with_commas(int64_t(m.tokens_per_second))));
  };
  events.should_stop = interrupted;
  const llm::TuneResult result = llm::pretrain(command.options, events);
  bar->finish();
  if (result.interrupted)
    fmt::print(stderr, "stopped; everything is saved. To go on, run the same command with --resume.\n");
  if (command.json)
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"out", command.options.out},
                                                                  {"steps", result.steps},
                                                                  {"loss", result.loss},
                                                                  {"validation_loss", result.validation_loss},
                                                                  {"interrupted", result.interrupted}}));
  else
    fmt::print(stderr,
               "wrote {0} (loss curve: {0}/loss.svg)\ntry it: hearth sample {0} --prompt \"Once upon a time\"\n",
               command.options.out);
  return result.interrupted ? exit_interrupted : exit_done;
}

}  // namespace

void add_pretrain(CLI::App& app, Action& action) {
  auto command = std::make_shared<PretrainCommand>();
  llm::PretrainOptions& o = command->options;
  CLI::App* pretrain = app.add_subcommand("pretrain", "Train a small model from scratch on a text");
  pretrain->footer(
      "Learns a tokenizer from DATA, then a Llama-style model. OUT becomes a Hugging Face folder. Documents are "
      "separated by\n"
      "<|endoftext|> in a plain text, or are the rows of {\"text\"} JSON lines.");
  pretrain->add_option("DATA", o.data, "Text")->required();
  pretrain->add_option("-o,--out", o.out, "Folder to write")->required();
  pretrain->add_option("--vocab-size", o.vocab_size, "Tokens of the tokenizer")->capture_default_str();
  pretrain->add_option("--hidden-size", o.hidden_size, "Width of the model")->capture_default_str();
  pretrain->add_option("--layers", o.layers, "Layers")->capture_default_str();
  pretrain->add_option("--heads", o.heads, "Attention heads")->capture_default_str();
  pretrain->add_option("--kv-heads", o.kv_heads, "Heads of keys and values")->capture_default_str();
  pretrain->add_option("--ffn", o.intermediate_size, "Width of the feed-forward part; default: 8/3 of the model's");
  pretrain->add_option("--context", o.context, "Context in tokens")->capture_default_str();
  pretrain->add_option("--batch-size", o.batch_size, "Windows of --context tokens a step")->capture_default_str();
  pretrain->add_option("--steps", o.steps, "Steps; default: as many as --epochs take");
  pretrain->add_option("--epochs", o.epochs, "Passes over the text")->capture_default_str();
  pretrain->add_option("--lr", o.learning_rate, "Largest learning rate")->capture_default_str();
  pretrain->add_option("--weight-decay", o.weight_decay, "Weight decay of matrices")->capture_default_str();
  pretrain->add_option("--clip", o.clip, "Largest gradient norm; 0: no clipping")->capture_default_str();
  pretrain->add_option("--validation-split", o.validation_split, "Share of the documents held out")
      ->capture_default_str();
  pretrain->add_option("--seed", o.seed, "Seed of everything random")->capture_default_str();
  pretrain->add_option("--eval-every", o.eval_every, "Steps between validations; default: ten in the run");
  pretrain->add_option("--save-every", o.save_every, "Steps between checkpoints")->capture_default_str();
  pretrain->add_option("--dtype", o.dtype, "Type of the weights written: float16, bfloat16 or float32")
      ->check(CLI::IsMember({"float16", "bfloat16", "float32"}))
      ->capture_default_str();
  pretrain->add_flag("--resume", o.resume, "Go on with the run in OUT");
  pretrain->add_flag("--json", command->json, "Print the result as JSON");
  pretrain->callback([command, &action] { action = [command] { return run_pretrain(*command); }; });
}

}  // namespace hearth::cli
