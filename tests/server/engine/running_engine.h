// RunningEngine: an engine with its store and loop, called from the test's thread, and a small model to serve.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "hearth/hearth.h"
#include "llm/weights/save.h"
#include "server/engine/engine.h"
#include "server/http/loop.h"
#include "server/store/store.h"
#include "server/wire/command.h"
#include "tests/llm/models/random_llama.h"
#include "tests/server/engine/bodies.h"

namespace hearth::server::test {

/// A folder of its own, gone with it; holds a model in `model()` and a place for a store.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hearth-engine-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
    std::filesystem::create_directory(model());
    llm::save_model(*llm::random_llama(), model(), Dtype::float32, "");
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  std::string model() const { return path_ + "/model"; }
  std::string store() const { return path_ + "/store"; }

 private:
  std::string path_;
};

inline EngineOptions small_options(const Folder& folder) {
  EngineOptions options;
  options.models = {{"tiny", folder.model()}};
  options.hash_share = 1e9;  // after every step
  options.kv_cache_bytes = int64_t(64) << 20;
  return options;
}

/// Raised where the engine refuses at once.
struct Refused : std::runtime_error {
  explicit Refused(const Refusal& refusal) : std::runtime_error(refusal.detail), status(refusal.status) {}
  int status;
};

class RunningEngine {
 public:
  RunningEngine(const std::string& store_folder, EngineOptions options) : store_(store_folder) {
    engine_ = std::make_unique<Engine>(loop_, store_, std::move(options));
    thread_ = std::thread([this] { loop_.run(); });
    const auto recovered = std::make_shared<std::promise<std::exception_ptr>>();
    loop_.post([this, recovered] {
      engine_->recover([recovered](std::exception_ptr error) { recovered->set_value(error); });
    });
    if (const auto error = recovered->get_future().get()) std::rethrow_exception(error);
  }
  /// The engine goes as abruptly as it can within a process: what its worker computes after this is lost.
  ~RunningEngine() {
    loop_.post([this] {
      engine_.reset();
      loop_.stop();
    });
    thread_.join();
  }

  /// Runs `fn(engine)` on the loop thread.
  template <class Fn>
  auto on_loop(Fn fn) {
    using Result = std::invoke_result_t<Fn, Engine&>;
    const auto promise = std::make_shared<std::promise<Result>>();
    auto future = promise->get_future();
    loop_.post([this, promise, fn]() mutable {
      if constexpr (std::is_void_v<Result>) {
        fn(*engine_);
        promise->set_value();
      } else {
        promise->set_value(fn(*engine_));
      }
    });
    return future.get();
  }

  /// Runs `fn(engine, then)` and waits for what `then` is told.
  template <class T, class Fn>
  T ask(Fn fn) {
    const auto promise = std::make_shared<std::promise<Reply<T>>>();
    auto future = promise->get_future();
    loop_.post(
        [this, promise, fn] { fn(*engine_, [promise](Reply<T> reply) { promise->set_value(std::move(reply)); }); });
    Reply<T> reply = future.get();
    if (const auto* refusal = std::get_if<Refusal>(&reply)) throw Refused(*refusal);
    return std::get<T>(std::move(reply));
  }

  std::string session(const std::string& owner = "me") {
    return ask<std::string>([=](Engine& e, auto then) { e.create_session(owner, {}, then); });
  }
  std::string submit(CommandKind kind, const std::string& body, const std::string& owner = "me") {
    return ask<Accepted>([=](Engine& e, auto then) { e.submit(owner, kind, body, then); }).request_id;
  }
  Accepted sample(const std::string& body, const std::string& owner = "me") {
    return ask<Accepted>([=](Engine& e, auto then) { e.sample(owner, body, then); });
  }
  FutureAnswer poll(const std::string& request_id, int64_t hold_ms, const std::string& owner = "me") {
    return ask<FutureAnswer>(
        [=](Engine& e, auto then) { e.retrieve(owner, request_id, std::chrono::milliseconds(hold_ms), then); });
  }
  /// Waits until the future is done or failed.
  FutureAnswer wait(const std::string& request_id, const std::string& owner = "me") {
    while (true) {
      const auto answer = poll(request_id, 20000, owner);
      if (answer.state != FutureAnswer::State::waiting) return answer;
    }
  }
  FutureAnswer run(CommandKind kind, const std::string& body, const std::string& owner = "me") {
    return wait(submit(kind, body, owner), owner);
  }
  std::string create(const std::string& session_id, int64_t number = 0, uint64_t seed = 1) {
    const auto answer = run(CommandKind::create_model, create_body(session_id, number, seed));
    if (answer.state != FutureAnswer::State::done) throw std::runtime_error(answer.error);
    return training_id(session_id, number);
  }

  Store& store() { return store_; }
  Loop& loop() { return loop_; }

 private:
  Loop loop_;
  Store store_;
  std::unique_ptr<Engine> engine_;
  std::thread thread_;
};

}  // namespace hearth::server::test
