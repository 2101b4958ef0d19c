// The server's engine without sockets: how much of the time of training many adapters is the engine's. Prints JSON.
// Arguments: MODEL [ADAPTERS [TOKENS [ROUNDS]]]: each adapter sends a request of TOKENS and a step, ROUNDS times.
#include "server/engine/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <future>
#include <thread>

#include "hearth/core/error.h"
#include "server/http/loop.h"
#include "server/store/store.h"
#include "server/wire/command.h"

using namespace hearth;
using namespace hearth::server;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double computed() { return double(std::clock()) / CLOCKS_PER_SEC; }

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 128; value >>= 7) out += char(value | 128);
  out += char(value);
}

std::string field(int number, const std::string& bytes) {
  std::string out;
  put_varint(out, uint64_t(number) << 3 | 2);
  put_varint(out, bytes.size());
  return out + bytes;
}

std::string number(int field, uint64_t value) {
  std::string out;
  put_varint(out, uint64_t(field) << 3);
  put_varint(out, value);
  return out;
}

template <class T>
std::string tensor(const std::string& name, const std::vector<T>& values, uint64_t type) {
  const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return field(2, field(1, name) + field(2, field(1, bytes) + number(3, type) + number(4, values.size())));
}

std::string pass_body(const std::string& model, int64_t seq, int64_t tokens) {
  std::vector<int32_t> ids;
  for (int64_t t = 0; t < tokens; ++t) ids.push_back(int32_t(3 + (t * 7919) % 90));
  const std::string raw(reinterpret_cast<const char*>(ids.data()), ids.size() * 4);
  const std::string datum = field(1, field(1, field(1, raw))) +
                            tensor("target_tokens", std::vector<int64_t>(ids.begin(), ids.end()), 2) +
                            tensor("weights", std::vector<float>(ids.size(), 1.0f), 1);
  return field(1, model) + number(2, uint64_t(seq)) + field(3, datum) + field(4, "cross_entropy");
}

/// The engine on a thread of its own.
struct Running {
  Running(const std::string& folder, const std::string& model) : store(folder), thread([this] { loop.run(); }) {
    EngineOptions options;
    options.models = {{"base", model}};
    ask<Nothing>([&](auto then) {
      engine = std::make_unique<Engine>(loop, store, options);
      engine->recover([then](std::exception_ptr) { then(Nothing{}); });
    });
  }
  ~Running() {
    loop.post([this] {
      engine.reset();
      loop.stop();
    });
    thread.join();
  }
  template <class T, class Fn>
  T ask(Fn fn) {
    std::promise<Reply<T>> promise;
    loop.post([&] { fn([&promise](Reply<T> reply) { promise.set_value(std::move(reply)); }); });
    Reply<T> reply = promise.get_future().get();
    if (auto* refusal = std::get_if<Refusal>(&reply)) fail<ValueError>("bench: ", refusal->detail);
    return std::get<T>(std::move(reply));
  }
  std::string submit(CommandKind kind, const std::string& body) {
    return ask<Accepted>([&](auto then) { engine->submit("me", kind, body, then); }).request_id;
  }
  void wait(const std::string& id) {
    const auto answer =
        ask<FutureAnswer>([&](auto then) { engine->retrieve("me", id, std::chrono::minutes(10), then); });
    check<ValueError>(answer.state == FutureAnswer::State::done, "bench: ", answer.error);
  }

  Loop loop;
  Store store;
  std::unique_ptr<Engine> engine;
  std::thread thread;
};

std::string step_body(const std::string& model, int64_t seq) {
  return fmt::format(R"({{"adam_params":{{"learning_rate":0.0001,"beta1":0.9,"beta2":0.95,"eps":1e-12,)"
                     R"("weight_decay":0.0,"grad_clip_norm":0.0}},"model_id":"{}","seq_id":{}}})",
                     model, seq);
}

struct Speed {
  double wall, computed;
};

/// Tokens a second of `requests` requests, spread over the models; each is followed by a step.
Speed train(Running& running, const std::vector<std::string>& models, std::vector<int64_t>& next, int64_t requests,
            int64_t tokens) {
  const double begun = now(), worked = computed();
  std::vector<std::string> ids;
  for (int64_t i = 0; i < requests; ++i) {
    const size_t m = size_t(i) % models.size();
    running.submit(CommandKind::forward_backward, pass_body(models[m], next[m], tokens));
    ids.push_back(running.submit(CommandKind::optim_step, step_body(models[m], next[m] + 1)));
    next[m] += 2;
  }
  for (const auto& id : ids) running.wait(id);
  const double all = double(requests * tokens);
  return {all / (now() - begun), all / (computed() - worked)};
}

/// Milliseconds from asking for a step of a model to its answer: two commits and no work to speak of.
double median_step(Running& running, const std::string& model, int64_t& next) {
  std::vector<double> times;
  for (int i = 0; i < 101; ++i) {
    const double begun = now();
    running.wait(running.submit(CommandKind::optim_step, step_body(model, next++)));
    times.push_back((now() - begun) * 1e3);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::string model = argc > 1 ? argv[1] : "models/stories-2m";
  const int64_t count = argc > 2 ? std::atol(argv[2]) : 32, tokens = argc > 3 ? std::atol(argv[3]) : 128;
  const int64_t rounds = argc > 4 ? std::atol(argv[4]) : 4;
  std::string folder = (std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX").string();
  if (!mkdtemp(folder.data())) return 1;
  {
    Running running(folder + "/store", model);
    const auto session = running.ask<std::string>([&](auto then) { running.engine->create_session("me", {}, then); });
    std::vector<std::string> models;
    for (int64_t m = 0; m < count; ++m) {
      running.wait(running.submit(CommandKind::create_model,
                                  fmt::format(R"({{"session_id":"{}","model_seq_id":{},"base_model":"base",)"
                                              R"("lora_config":{{"rank":8,"seed":{}}}}})",
                                              session, m, m)));
      models.push_back(training_id(session, m));
    }
    std::vector<int64_t> next(size_t(count), 1);
    train(running, models, next, count, tokens);  // warms up
    const std::vector<std::string> one{models[0]};
    const Speed alone = train(running, one, next, count * rounds, tokens);
    const Speed many = train(running, models, next, count * rounds, tokens);
    fmt::print(
        R"({{"adapters": {}, "tokens_per_request": {}, "one_tokens_per_s": {:.0f}, "many_tokens_per_s": {:.0f}, )"
        R"("many_over_one": {:.2f}, "many_over_one_by_time_computed": {:.2f}, "median_empty_step_ms": {:.2f}}})"
        "\n",
        count, tokens, alone.wall, many.wall, many.wall / alone.wall, many.computed / alone.computed,
        median_step(running, models[0], next[0]));
  }
  std::filesystem::remove_all(folder);
}
