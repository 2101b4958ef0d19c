// hearth serve: the fine-tuning server that the Tinker SDK talks to.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/served_models.h"
#include "cli/terminal.h"
#include "hearth/core/error.h"
#include "llm/models/config.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/http/keys.h"
#include "server/http/log.h"
#include "server/http/loop.h"
#include "server/http/metrics_text.h"
#include "server/http/open_files.h"
#include "server/http/server.h"
#include "server/store/store.h"
#include "server/wire/unknown_fields.h"

namespace hearth::cli {

namespace {

namespace fs = std::filesystem;

struct ServeCommand {
  std::vector<std::string> models;
  std::string data = "hearth-data", bind = "127.0.0.1:8000", keys, tls_certificate, tls_key, log_level = "info";
  uint64_t memory = 0;
  double training_share = 0.5;
  int64_t drain_seconds = 25;
  bool check = false;
};

server::EngineOptions engine_options(const ServeCommand& c, server::UnknownFields* unknown = nullptr) {
  server::EngineOptions options;
  options.models = served_models(c.models);
  options.unknown = unknown;
  options.log = [](const std::string& what) {
    server::LogLine(server::LogLevel::warning, "engine").field("what", what);
  };
  options.memory = int64_t(c.memory);
  options.training_share = c.training_share;
  return options;
}

server::ServerOptions server_options(const ServeCommand& c) {
  server::ServerOptions options;
  options.bind = c.bind;
  if (!c.keys.empty()) options.keys = server::Keys::load(c.keys);
  options.tls_certificate = c.tls_certificate;
  options.tls_key = c.tls_key;
  options.drain_time = std::chrono::seconds(c.drain_seconds);
  // Files of the store and of models need some too.
  constexpr size_t files_of_others = 256;
  const size_t files = server::raise_open_files();
  options.limits.connections = std::min(options.limits.connections, files - std::min(files / 2, files_of_others));
  return options;
}

/// Everything of one server, in the order in which it depends on each other.
struct Service {
  explicit Service(const ServeCommand& c)
      : store(c.data),
        engine(loop, store, engine_options(c, &unknown)),
        api{loop, engine, store, &unknown, [this] { return metrics(); }},
        server(loop, routes(c), server_options(c)),
        command(c) {}

  const server::Router& routes(const ServeCommand& c) {
    if (!c.tls_key.empty()) api.scheme = "https";
    server::add_routes(router, api);
    return router;
  }

  std::string metrics() const {
    server::MetricsText text;
    server.write_metrics(text);
    return text.text();
  }

  int run();
  void announce() const;
  void drain();

  server::UnknownFields unknown{
      [](const std::string& name) { server::LogLine(server::LogLevel::warning, "unknown-field").field("name", name); }};
  server::Loop loop;
  server::Store store;
  server::Engine engine;
  server::Api api;
  server::Router router;
  server::Server server;
  ServeCommand command;
  int status = exit_done;
  int drained = 0, stops = 0;
};

/// Said on stdout once requests are taken: what starts a server waits for the first line, and finds the port in it.
void Service::announce() const {
  const std::string host = command.bind.substr(0, command.bind.rfind(':'));
  std::string names;
  for (const auto& model : engine.base_models()) names += (names.empty() ? "" : ", ") + model.name;
  fmt::print("hearth serves {} at {}://{}:{}\n", names, api.scheme, host, server.port());
  fmt::print(
      "  Tinker SDK: TINKER_BASE_URL={0}://{1}:{2}; OpenAI clients: {0}://{1}:{2}/v1; kept in {3}; Ctrl-C ends it\n",
      api.scheme, host, server.port(), command.data);
  std::fflush(stdout);
}

void Service::drain() {
  if (++stops > 1) _exit(exit_interrupted);
  server::LogLine(server::LogLevel::info, "draining");
  auto done = [this] {
    if (++drained == 2) loop.stop();
  };
  server.drain(done);
  engine.drain(done);
}

int Service::run() {
  store.on_broken([this](const std::string& why) {
    loop.post([this, why] {
      server::LogLine(server::LogLevel::error, "the store is broken; the server ends").field("why", why);
      status = exit_bad_input;
      loop.stop();
    });
  });
  loop.on_signal({SIGTERM, SIGINT}, [this](int) { drain(); });
  std::exception_ptr trouble;
  engine.recover([&](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
      server.listen();
      announce();
    } catch (...) {
      trouble = std::current_exception();
      loop.stop();
    }
  });
  loop.run();
  if (trouble) std::rethrow_exception(trouble);
  return status;
}

/// Looks at everything that can be wrong before anything is served or written.
int check_settings(const ServeCommand& c) {
  server::Loop loop;
  server::Router router;
  server::ServerOptions options = server_options(c);
  options.bind = c.bind.substr(0, c.bind.rfind(':') + 1) + "0";  // a server may be running at the port itself
  server::Server server(loop, router, options);
  server.listen();
  for (const server::ServedModel& model : engine_options(c).models) {
    if (!fs::exists(model.folder + "/config.json")) continue;  // files of llama2.c say all by themselves
    const auto config = llm::load_config(model.folder);
    fmt::print("model {}: {} parameters, context {}\n", model.name, with_commas(llm::parameter_count(config)),
               config.max_position_embeddings);
  }
  fmt::print("data: {}{}\n", c.data, fs::exists(c.data) ? "" : " (will be made)");
  fmt::print("keys: {}\n", c.keys.empty() ? std::string("none; only this machine is served") : c.keys);
  fmt::print("the settings are fine\n");
  return exit_done;
}

int run_serve(const ServeCommand& c) {
  server::set_log_level(server::parse_log_level(c.log_level));
  if (c.check) return check_settings(c);
  return Service(c).run();
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto command = std::make_shared<ServeCommand>();
  CLI::App* serve = app.add_subcommand("serve", "A fine-tuning server for the Tinker SDK and OpenAI's clients");
  serve->add_option("--model", command->models,
                    "NAME=FOLDER of a model to serve; may be repeated; default: the bundled one");
  serve->add_option("--data", command->data, "Folder for everything that is kept")->capture_default_str();
  serve->add_option("--bind", command->bind, "Address and port; port 0 takes a free one")->capture_default_str();
  serve->add_option("--keys", command->keys, "File of API keys, see hearth key; needed outside this machine");
  serve->add_option("--tls-cert", command->tls_certificate, "Certificate chain (PEM)");
  serve->add_option("--tls-key", command->tls_key, "Its private key (PEM)");
  serve
      ->add_option("--memory", command->memory,
                   "Most memory for models, adapters and caches, e.g. 8GB; default: no limit")
      ->transform(CLI::AsSizeValue(false));
  serve->add_option("--training-share", command->training_share, "Part of the time for training while samples wait too")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 0.95));
  serve->add_option("--drain", command->drain_seconds, "Seconds that open requests get when the server is told to stop")
      ->capture_default_str()
      ->check(CLI::Range(0, 3600));
  serve->add_option("--log", command->log_level, "debug, info, warning, error or off")->capture_default_str();
  serve->add_flag("--check", command->check, "Only look whether the settings are fine");
  serve->callback([command, &action] { action = [command] { return run_serve(*command); }; });
}

}  // namespace hearth::cli
