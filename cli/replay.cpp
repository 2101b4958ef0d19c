// hearth replay: computes a run of the server again from its journal and compares the bits, or leaves some data out.
#include "server/engine/replay.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/command.h"
#include "cli/served_models.h"
#include "hearth/core/error.h"
#include "server/store/store.h"

namespace hearth::cli {

namespace {

struct ReplayCommand {
  std::vector<std::string> models, without;
  std::string run, data = "hearth-data", out;
};

const char* verdict_word(server::ReplayedOperation::Verdict verdict) {
  using Verdict = server::ReplayedOperation::Verdict;
  switch (verdict) {
    case Verdict::same:
      return "same bits";
    case Verdict::differs:
      return "DIFFERS";
    case Verdict::computed:
      return "computed";
    case Verdict::left_out:
      return "left out";
  }
  return "";
}

void print_line(const server::ReplayedOperation& operation) {
  fmt::print("{:>6}  {:<26} {:<10} {}\n", operation.seq_id, operation.kind, verdict_word(operation.verdict),
             operation.detail);
}

int run_replay(const ReplayCommand& c) {
  server::EngineOptions engine;
  engine.models = served_models(c.models);
  server::ReplayOptions options{c.run, {}, c.out};
  for (const std::string& text : c.without) options.without.push_back(server::parse_left_out(text));
  server::Store store(c.data);
  const server::ReplayReport report = server::replay(store, engine, options, print_line);
  fmt::print("{} operations: {} with the same bits, {} different\nstate {}\n", report.operations, report.same,
             report.differ, report.state_hash);
  if (!report.recorded_platform.empty())
    fmt::print("The record was computed elsewhere ({}): other bits prove nothing.\n", report.recorded_platform);
  return report.differ > 0 ? exit_defect : exit_done;
}

}  // namespace

void add_replay(CLI::App& app, Action& action) {
  auto command = std::make_shared<ReplayCommand>();
  CLI::App* replay = app.add_subcommand("replay", "Compute a run of the server again and compare it with its record");
  replay->add_option("RUN", command->run, "The run: SESSION:train:N")->required();
  replay->add_option("--data", command->data, "The server's folder; the server must not be running")
      ->capture_default_str();
  replay->add_option("--model", command->models, "NAME=FOLDER, as the server was given; default: the bundled one");
  replay->add_option("--without", command->without,
                     "Leave out an operation (SEQ) or one datum of it (SEQ:DATUM); may be repeated");
  replay->add_option("-o,--out", command->out, "Folder for the final adapter and optimizer");
  replay->callback([command, &action] { action = [command] { return run_replay(*command); }; });
}

}  // namespace hearth::cli
