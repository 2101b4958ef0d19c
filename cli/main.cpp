// The `hearth` command: parses the command line, runs one subcommand, turns errors into messages and exit codes.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>

#include "cli/command.h"
#include "hearth/core/error.h"

namespace {

constexpr const char* about =
    "hearth: teach a language model something on this machine.\n\n"
    "  hearth tune MODEL data.jsonl -o my-adapter      fine-tune a model on your examples\n"
    "  hearth sample MODEL --adapter my-adapter --chat talk to it\n"
    "  hearth serve                                    let Tinker programs fine-tune on this machine\n"
    "  hearth COMMAND --help                           what a command takes\n\n"
    "MODEL is a Hugging Face folder (config.json, *.safetensors, tokenizer) or a folder with llama2.c files.";

/// OpenMP's threads spin for milliseconds while they wait for each other. Where other programs use the cores too, they
/// spin away the time of the thread that they wait for: twenty small steps took 41 s instead of 5. The library reads
/// this setting only when it is loaded, so the program starts itself once more.
void wait_without_spinning_long(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  setenv("GOMP_SPINCOUNT", "2000", 1);
  execv(path, argv);  // comes back only where it fails, and then all is as it was, only slower
}

/// "hearth tune" once a subcommand was seen, else "hearth".
std::string chosen_command(const CLI::App& app) {
  std::string name = app.get_name();
  for (const CLI::App* sub : app.get_subcommands()) name += " " + sub->get_name();
  return name;
}

int run(int argc, char** argv) {
  using namespace hearth::cli;
  CLI::App app(about, "hearth");
  app.set_version_flag("--version", std::string("hearth ") + HEARTH_VERSION);
  app.require_subcommand(1);
  Action action;
  add_tune(app, action);
  add_sample(app, action);
  add_eval(app, action);
  add_pretrain(app, action);
  add_export(app, action);
  add_info(app, action);
  add_bench(app, action);
#ifdef HEARTH_SERVER
  add_serve(app, action);
  add_key(app, action);
  add_replay(app, action);
#endif
  const std::string first = argc > 1 ? argv[1] : "-";
  if (first[0] != '-' && app.get_subcommands([&](const CLI::App* s) { return s->get_name() == first; }).empty()) {
    std::fprintf(stderr, "error: hearth has no command '%s'; run hearth --help for those it has\n", first.c_str());
    return exit_bad_input;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error), exit_done;
    if (argc > 1)
      std::fprintf(stderr, "error: %s\nRun %s --help for what it takes.\n", error.what(), chosen_command(app).c_str());
    else
      std::fputs(app.help().c_str(), stdout);
    return exit_bad_input;
  }
  wait_without_spinning_long(argv);
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const hearth::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return hearth::cli::exit_bad_input;
  } catch (const std::filesystem::filesystem_error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return hearth::cli::exit_bad_input;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: not enough memory\n");
    return hearth::cli::exit_bad_input;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\nThis is a defect of hearth; please report it with the command that you ran.\n",
                 error.what());
    return hearth::cli::exit_defect;
  }
}
