// hearth export: a model, with an adapter merged in, as a Hugging Face folder.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "hearth/core/error.h"
#include "llm/lora/files.h"
#include "llm/tune/output_folder.h"
#include "llm/weights/load.h"
#include "llm/weights/save.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::cli {

namespace {

struct ExportCommand {
  std::string model, adapter, out, dtype = "float32";
};

int run_export(const ExportCommand& c) {
  llm::OutputFolder out("export", c.out);
  const auto model = llm::load_model(c.model, Dtype::float32);
  std::optional<llm::LoraAdapter> adapter;
  if (!c.adapter.empty())
    adapter.emplace(
        llm::load_adapter(c.adapter, model->linear_layers(), llm::base_fingerprint(model->named_parameters())));
  llm::save_model(*model, c.out, dtype_from_name(c.dtype), llm::tokenizer_folder(c.model),
                  adapter ? &*adapter : nullptr);
  out.keep();
  fmt::print(stderr, "wrote {}\n", c.out);
  return exit_done;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App* exporting = app.add_subcommand("export", "Write a model folder, with an adapter merged in");
  exporting->add_option("MODEL", command->model, "Model folder or llama2.c files")->required();
  exporting->add_option("--adapter", command->adapter, "Adapter to merge into the weights");
  exporting->add_option("-o,--out", command->out, "Folder to write")->required();
  exporting->add_option("--dtype", command->dtype, "Type of the weights: float32, bfloat16 or float16")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}))
      ->capture_default_str();
  exporting->callback([command, &action] { action = [command] { return run_export(*command); }; });
}

}  // namespace hearth::cli
