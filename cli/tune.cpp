// hearth tune: fine-tunes a model on a file of examples.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"
#include "llm/tune/run.h"

namespace hearth::cli {

namespace {

struct TuneCommand {
  llm::TuneOptions options;
  bool json = false, quiet = false;
};

/// An option for what to do with examples of some kind.
CLI::Option* add_bad_example(CLI::App& app, const std::string& name, BadExample& target, bool can_truncate,
                             const std::string& description) {
  const auto parse = [name, can_truncate, &target](const std::string& word) {
    if (word == "error")
      target = BadExample::error;
    else if (word == "skip")
      target = BadExample::skip;
    else if (word == "truncate" && can_truncate)
      target = BadExample::truncate;
    else
      throw CLI::ValidationError(
          name, std::string("must be error") + (can_truncate ? ", skip or truncate" : " or skip") + ": seen " + word);
  };
  return app.add_option_function<std::string>(name, parse, description)
      ->option_text(can_truncate ? "error|skip|truncate" : "error|skip");
}

void add_training_options(CLI::App& app, llm::TuneOptions& o) {
  const char* group = "Training";
  app.add_option("--steps", o.steps, "Steps to train; default: as many as --epochs take")->group(group);
  app.add_option("--epochs", o.epochs, "Passes over the data")->capture_default_str()->group(group);
  app.add_option("--batch-size", o.batch_size, "Examples a step")->capture_default_str()->group(group);
  app.add_option("--batch-tokens", o.batch_tokens, "Most tokens a step; 0: no limit")
      ->capture_default_str()
      ->group(group);
  app.add_option("--lr", o.learning_rate, "Learning rate; default 2e-4, with --full 2e-5")->group(group);
  app.add_option("--schedule", o.schedule, "Learning rate after the warm-up: cosine, linear or constant")
      ->capture_default_str()
      ->group(group);
  app.add_option("--warmup", o.warmup_steps, "Steps of warm-up; default: a twentieth of the run")->group(group);
  app.add_option("--weight-decay", o.weight_decay, "AdamW's weight decay")->capture_default_str()->group(group);
  app.add_option("--clip", o.clip, "Largest gradient norm; 0: no clipping")->capture_default_str()->group(group);
  app.add_option("--seed", o.seed, "Seed of everything random")->capture_default_str()->group(group);
  app.add_option("--dtype", o.dtype, "Type of the frozen weights: float32 or bfloat16")
      ->capture_default_str()
      ->group(group);
  app.add_option("--dpo-beta", o.dpo_beta, "Strength of preferences (DPO)")->capture_default_str()->group(group);
  app.add_flag("--checkpoint-activations", o.checkpoint_activations, "Use less memory, compute the forward pass twice")
      ->group(group);
}

void add_lora_options(CLI::App& app, llm::TuneOptions& o) {
  const char* group = "Adapter (LoRA)";
  app.add_flag("--full", o.full, "Train all weights instead of an adapter; writes a model folder")->group(group);
  app.add_option("--rank", o.lora.rank, "Rank")->capture_default_str()->group(group);
  app.add_option("--alpha", o.lora.alpha, "Alpha; the adapter is scaled by alpha / rank")
      ->capture_default_str()
      ->group(group);
  app.add_option("--dropout", o.lora.dropout, "Dropout on the adapter's input")->capture_default_str()->group(group);
  app.add_option("--target", o.lora.target_modules,
                 "Layers to adapt, e.g. q_proj v_proj; default: all linear layers of the blocks")
      ->group(group);
}

void add_data_options(CLI::App& app, llm::TuneOptions& o) {
  const char* group = "Data";
  app.add_option("--validation", o.validation_data, "Examples to validate on; default: a part of DATA")
      ->check(CLI::ExistingFile)
      ->group(group);
  app.add_option("--validation-split", o.validation_split,
                 "Share of DATA held out for validation; needs at least 20 examples")
      ->capture_default_str()
      ->group(group);
  app.add_option("--max-length", o.max_length, "Most tokens of an example; default: the model's context")->group(group);
  add_bad_example(app, "--too-long", o.on_too_long, true, "Examples longer than that; default: error")->group(group);
  add_bad_example(app, "--empty", o.on_empty, false, "Examples with nothing to learn; default: error")->group(group);
  app.add_option("--format", o.format, "auto, chat (the model's chat template) or plain text")
      ->capture_default_str()
      ->group(group);
  app.add_flag("--train-on-prompt", o.train_on_prompt, "Learn the prompts too, not only the answers")->group(group);
}

void print_plan(const llm::TunePlan& plan) {
  fmt::print(stderr, "{} {} examples, {} for validation; training {} of {} parameters; {} steps\n",
             with_commas(plan.examples), plan.kind, with_commas(plan.validation_examples),
             with_commas(plan.trainable_parameters), with_commas(plan.model_parameters), with_commas(plan.steps));
  for (const std::string& note : plan.notes) fmt::print(stderr, "note: {}\n", note);
  if (plan.first_step > 0) fmt::print(stderr, "going on from step {}\n", plan.first_step);
}

std::string describe(const llm::StepMetrics& m, const std::optional<double>& validation) {
  std::string text = fmt::format("loss {:.4f}", m.loss);
  if (validation) text += fmt::format("  validation {:.4f}", *validation);
  return text + fmt::format("  {} tokens/s", with_commas(int64_t(m.tokens_per_second)));
}

int run_tune(const TuneCommand& command) {
  watch_interrupts();
  std::unique_ptr<ProgressBar> bar;
  std::optional<double> validation;
  llm::TuneEvents events;
  events.on_plan = [&](const llm::TunePlan& plan) {
    if (command.quiet) return;
    print_plan(plan);
    bar = std::make_unique<ProgressBar>(plan.steps, plan.first_step);
  };
  events.on_step = [&](const llm::StepMetrics& m) {
    if (m.validation_loss) validation = m.validation_loss;
    if (bar) bar->update(m.step, describe(m, validation));
  };
  events.should_stop = interrupted;
  const llm::TuneResult result = llm::tune(command.options, events);
  if (bar) bar->finish();
  const std::string& out = command.options.out;
  if (command.json) {
    boost::json::object json = {
        {"out", out}, {"steps", result.steps}, {"loss", result.loss}, {"interrupted", result.interrupted}};
    if (result.validation_loss > 0) json["validation_loss"] = result.validation_loss;
    fmt::print("{}\n", boost::json::serialize(json));
  } else if (!command.quiet) {
    if (result.interrupted)
      fmt::print(stderr, "stopped; everything is saved. To go on, run the same command with --resume.\n");
    fmt::print(stderr, "wrote {0} (loss curve: {0}/loss.svg)\n", out);
    if (!result.interrupted)
      fmt::print(stderr, "try it: hearth sample {} {}\n", command.options.full ? out : command.options.model,
                 command.options.full ? "--chat" : "--adapter " + out + " --chat");
  }
  return result.interrupted ? exit_interrupted : exit_done;
}

}  // namespace

void add_tune(CLI::App& app, Action& action) {
  auto command = std::make_shared<TuneCommand>();
  CLI::App* tune = app.add_subcommand("tune", "Fine-tune a model on your examples");
  tune->footer(
      "DATA is JSONL (or a JSON list) of one kind: {\"messages\": [{\"role\", \"content\"}]}, {\"prompt\", "
      "\"completion\"},\n"
      "{\"prompt\", \"chosen\", \"rejected\"} or {\"text\"}; or a plain text file.\n\n"
      "OUT gets adapter_model.safetensors and adapter_config.json (PEFT's format), metrics.jsonl, loss.svg, "
      "checkpoints/.\n"
      "Ctrl-C saves and stops; the same command with --resume goes on, also after a crash, to the same result.");
  llm::TuneOptions& o = command->options;
  tune->add_option("MODEL", o.model, "Model folder")->required();
  tune->add_option("DATA", o.data, "Training examples")->required();
  tune->add_option("-o,--out", o.out, "Output folder")->required();
  tune->add_flag("--resume", o.resume, "Go on with the run in OUT");
  tune->add_flag("--json", command->json, "Print the result as JSON");
  tune->add_flag("-q,--quiet", command->quiet, "No progress, no summary");
  tune->add_option("--eval-every", o.eval_every, "Steps between validations; default: ten in the run");
  tune->add_option("--save-every", o.save_every, "Steps between checkpoints")->capture_default_str();
  add_training_options(*tune, o);
  add_lora_options(*tune, o);
  add_data_options(*tune, o);
  tune->callback([command, &action] { action = [command] { return run_tune(*command); }; });
}

}  // namespace hearth::cli
