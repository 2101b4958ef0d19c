// SIGKILL at random moments under load from four clients that ask again as real ones do: in the end every model has
// the bits of an undisturbed run, every acknowledged request its answer, and an answer once told never changes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "server/wire/result.h"
#include "tests/server/engine/running_engine.h"

extern char** environ;

namespace hearth::server::test {
namespace {

using Kind = CommandKind;

constexpr int64_t clients = 4, rounds = 5;

// Lines that survive the process, each written with one call.
class Notes {
 public:
  explicit Notes(const std::string& path) : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) {}
  ~Notes() { ::close(file_); }
  void add(const std::string& line) const {
    const std::string text = line + "\n";
    if (::write(file_, text.data(), text.size()) != ssize_t(text.size())) std::abort();
  }

 private:
  int file_;
};

// What a told answer is known by.
std::string digest(const FutureAnswer& answer) {
  uint64_t hash = 1469598103934665603u;
  for (const unsigned char byte : answer.bytes + "|" + answer.error) hash = (hash ^ byte) * 1099511628211u;
  return std::to_string(int(answer.state)) + ":" + std::to_string(hash);
}

// One client's program from its beginning. Asked again after a restart, its early requests are repeats.
class Client {
 public:
  Client(RunningEngine& engine, const Notes& notes, std::string session, int64_t number)
      : engine_(engine), notes_(notes), session_(std::move(session)), number_(number) {}

  void run() {
    wait(submit(Kind::create_model, create_body(session_, number_, uint64_t(number_) + 1)));
    const std::string model = training_id(session_, number_);
    int64_t seq = 1;
    for (int64_t round = 0; round < rounds; ++round) {
      std::vector<std::string> ids;
      const auto data = [&](int64_t part) { return test_data(uint64_t(100 * number_ + 10 * round + part), {9, 16}); };
      // The first of two chunks comes last.
      ids.push_back(submit(Kind::forward_backward, forward_backward_body(model, seq + 1, data(1))));
      ids.push_back(submit(Kind::forward_backward, forward_backward_body(model, seq, data(0))));
      ids.push_back(submit(Kind::optim_step, optim_body(model, seq + 2)));
      const int64_t sampler = number_ * 100 + round;
      ids.push_back(submit(Kind::save_weights_for_sampler, ephemeral_body(model, seq + 3, sampler)));
      ids.push_back(submit(Kind::save_weights, save_body(model, seq + 4, "s" + std::to_string(round))));
      for (const auto& id : ids) wait(id);
      seq += 5;
      ids.clear();
      for (int64_t i = 0; i < 3; ++i) {
        const auto body = sample_body(sampler_id(session_, sampler), i, {1, 2, int32_t(3 + i)}, 8, "", 1,
                                      i ? R"(,"stop":[])" : R"(,"stop":[],"seed":4)");
        ids.push_back(acknowledged(engine_.sample(body).request_id));
      }
      for (const auto& id : ids) wait(id);
    }
  }

 private:
  std::string acknowledged(const std::string& id) {
    notes_.add("ack " + id);
    return id;
  }
  std::string submit(Kind kind, const std::string& body) { return acknowledged(engine_.submit(kind, body)); }
  void wait(const std::string& id) {
    const auto answer = engine_.wait(id);
    notes_.add("told " + id + " " + digest(answer) + (answer.error.empty() ? "" : " " + answer.error));
  }

  RunningEngine& engine_;
  const Notes& notes_;
  std::string session_;
  int64_t number_;
};

EngineOptions options_of(const std::string& model_folder, bool checkpoints) {
  EngineOptions options;
  options.models = {{"tiny", model_folder}};
  options.hash_share = 1e9;
  options.kv_cache_bytes = int64_t(64) << 20;
  options.replay_budget = std::chrono::seconds(checkpoints ? 0 : 20);
  return options;
}

void run_clients(const std::string& store, const std::string& model_folder, const std::string& notes_path,
                 const std::string& session, bool checkpoints) {
  RunningEngine engine(store, options_of(model_folder, checkpoints));
  const Notes notes(notes_path);
  std::vector<std::thread> threads;
  for (int64_t number = 0; number < clients; ++number)
    threads.emplace_back([&, number] { Client(engine, notes, session, number).run(); });
  for (auto& thread : threads) thread.join();
}

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// What a process of its own runs; not a test by itself.
TEST(EngineKill, DISABLED_Serve) {
  run_clients(setting("HEARTH_KILL_STORE"), setting("HEARTH_KILL_MODEL"), setting("HEARTH_KILL_NOTES"),
              setting("HEARTH_KILL_SESSION"), setting("HEARTH_KILL_CHECKPOINTS") == "1");
}

pid_t spawn(const Folder& folder, const std::string& session, bool checkpoints) {
  std::vector<std::string> settings{"HEARTH_KILL_STORE=" + folder.store(), "HEARTH_KILL_MODEL=" + folder.model(),
                                    "HEARTH_KILL_NOTES=" + folder.store() + ".notes", "HEARTH_KILL_SESSION=" + session,
                                    std::string("HEARTH_KILL_CHECKPOINTS=") + (checkpoints ? "1" : "0")};
  std::vector<char*> environment;
  for (auto& text : settings) environment.push_back(text.data());
  for (char** at = environ; *at; ++at) environment.push_back(*at);
  environment.push_back(nullptr);
  std::string name = "serve", filter = "--gtest_filter=EngineKill.DISABLED_Serve",
              also = "--gtest_also_run_disabled_tests", brief = "--gtest_brief=1";
  char* arguments[] = {name.data(), filter.data(), also.data(), brief.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments, environment.data()), 0);
  posix_spawn_file_actions_destroy(&actions);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

std::string new_session(const Folder& folder) {
  RunningEngine engine(folder.store(), options_of(folder.model(), false));
  return engine.session();
}

// By client: the hash of the state after the last update.
std::vector<std::string> final_hashes(RunningEngine& engine, const std::string& session) {
  std::vector<std::string> hashes;
  for (int64_t number = 0; number < clients; ++number)
    hashes.push_back(engine.on_loop([&](Engine&) {
      return engine.store().read().operation(training_id(session, number), 5 * rounds - 2)->state_hash;
    }));
  return hashes;
}

std::vector<std::string> undisturbed() {
  const Folder folder;
  const std::string session = new_session(folder);
  run_clients(folder.store(), folder.model(), folder.store() + ".notes", session, false);
  RunningEngine engine(folder.store(), options_of(folder.model(), false));
  return final_hashes(engine, session);
}

TEST(EngineKill, AtAnyMomentNothingIsLostNothingIsDoneTwice) {
  const auto expected = undisturbed();
  const Folder folder;
  const std::string session = new_session(folder);
  const uint64_t seed =
      setting("HEARTH_KILL_SEED").empty() ? std::random_device()() : std::stoull(setting("HEARTH_KILL_SEED"));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 engine_of_chance(seed);
  const int kills = setting("HEARTH_KILLS").empty() ? 12 : std::stoi(setting("HEARTH_KILLS"));
  int killed = 0;
  bool complete = false;
  for (int i = 0; i < kills; ++i) {
    const pid_t child = spawn(folder, session, i % 2);
    std::this_thread::sleep_for(std::chrono::microseconds(20000 + engine_of_chance() % 250000));
    ::kill(child, SIGKILL);
    const int status = wait_for(child);
    killed += WIFSIGNALED(status);
    complete |= WIFEXITED(status);
  }
  if (!complete) {
    const int status = wait_for(spawn(folder, session, false));
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "seed " << seed << ", status " << status;
  }
  EXPECT_GT(killed, 0);

  RunningEngine engine(folder.store(), options_of(folder.model(), false));
  EXPECT_EQ(final_hashes(engine, session), expected) << "seed " << seed;
  std::map<std::string, std::string> told;
  std::set<std::string> acknowledged;
  std::ifstream notes(folder.store() + ".notes");
  for (std::string line; std::getline(notes, line);) {
    std::istringstream words(line);
    std::string what, id, value;
    words >> what >> id >> value;
    if (what == "ack") acknowledged.insert(id);
    if (what == "told") {
      EXPECT_EQ(told.emplace(id, value).first->second, value) << line << ", seed " << seed;
      EXPECT_EQ(value.substr(0, 2), "1:") << line;
    }
  }
  for (const auto& id : acknowledged) {
    const auto answer = engine.poll(id, 0);
    EXPECT_EQ(answer.state, FutureAnswer::State::done) << id << ": " << answer.error;
    EXPECT_EQ(told[id], digest(answer)) << id;
  }
  EXPECT_EQ(acknowledged.size(), size_t(clients * (1 + rounds * 8)));
  for (int64_t number = 0; number < clients; ++number)
    EXPECT_EQ(
        engine.on_loop([&](Engine&) { return engine.store().read().model(training_id(session, number))->corrupted; }),
        "");
}

}  // namespace
}  // namespace hearth::server::test
