// What the subcommands share: their registration, and how they end.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace hearth::cli {

/// Exit codes: 0 done; 1 a defect of hearth; 2 input that cannot be used (files, options, data); 130 stopped by Ctrl-C.
enum ExitCode { exit_done = 0, exit_defect = 1, exit_bad_input = 2, exit_interrupted = 130 };

/// What the chosen subcommand does, run after all options are parsed; returns an exit code.
using Action = std::function<int()>;

void add_tune(CLI::App& app, Action& action);
void add_sample(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_pretrain(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_info(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
// Only where the server is built.
void add_serve(CLI::App& app, Action& action);
void add_key(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);

/// Ctrl-C (SIGINT) and SIGTERM ask for a clean stop; the second one ends the process at once.
void watch_interrupts();
bool interrupted();

}  // namespace hearth::cli
