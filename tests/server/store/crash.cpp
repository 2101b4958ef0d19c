// Crash: a process that is killed, and a machine that loses power, keep what was acknowledged.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "journal_load.h"
#include "server/store/names.h"
#include "server/store/store.h"
#include "store_folder.h"
#include "sync_hook.h"

namespace hearth::server {
namespace {

namespace fs = std::filesystem;
using test::StoreFolder;

CheckpointRecord make_checkpoint(Store& store, int64_t number) {
  CheckpointRecord c;
  c.run = "s:train:0";
  c.name = "step" + std::to_string(number % 5);
  Draft draft = store.folders().draft();
  write_file_atomic(draft.path() + "/adapter_config.json", "{}");
  write_file_atomic(draft.path() + "/adapter_model.safetensors", test::body_of(number));
  const Sealed sealed = draft.seal(Folders::place_of_checkpoint(c.run, c.type, c.name));
  c.folder = sealed.folder;
  c.hash = sealed.hash;
  c.size = sealed.size;
  c.created = number;
  return c;
}

/// Writes operations and checkpoints until it is killed; tells each acknowledged number through the pipe.
[[noreturn]] void live_until_killed(const std::string& folder, int64_t first, int pipe) {
  Store store(folder);
  const auto tell = [pipe](int64_t number) {
    if (::write(pipe, &number, sizeof number) != sizeof number) ::_exit(3);
  };
  std::atomic<int64_t> behind{0};
  for (int64_t number = first;; ++number) {
    while (behind > 30) std::this_thread::yield();
    ++behind;
    store.write([number](Tables& t) { test::write_operation(t, number); },
                [=, &behind](std::exception_ptr error) {
                  if (error) ::_exit(2);
                  tell(number);
                  --behind;
                });
    if (number % 7 != 0) continue;
    const CheckpointRecord c = make_checkpoint(store, number);
    std::string replaced;
    store.write_now([&](Tables& t) { replaced = t.put(c); });
    tell(-number - 1);
    store.drop_folder(replaced);
  }
}

TEST(Crash, WhatAKilledProcessAcknowledgedIsThere) {
  StoreFolder folder;
  std::mt19937 random(20250101);
  std::set<int64_t> acknowledged;
  int64_t newest_checkpoint = -1;
  int64_t next = 0;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) live_until_killed(folder.path(), next, ends[1]);
    ::close(ends[1]);
    // Half of them while it opens the store or soon after, half once it is at work, however slow the machine is.
    if (random() % 2 == 0) {
      pollfd ready = {ends[0], POLLIN, 0};
      ASSERT_EQ(::poll(&ready, 1, 20'000), 1) << "nothing was acknowledged in 20 s";
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    ::kill(child, SIGKILL);
    int64_t number = 0;
    while (::read(ends[0], &number, sizeof number) == sizeof number) {
      if (number >= 0) {
        acknowledged.insert(number);
      } else {
        newest_checkpoint = -number - 1;
      }
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    Store store(folder.path());
    test::expect_all(store, acknowledged);
    if (HasFatalFailure()) FAIL() << "after kill " << round;
    // A checkpoint that a row names is whole, and nothing lies about that no row names.
    const auto checkpoints = store.read().checkpoints({.limit = -1});
    for (const CheckpointRecord& c : checkpoints) store.folders().verify(c.folder, c.hash);
    EXPECT_EQ(store.folders().sealed().size(), checkpoints.size());
    EXPECT_TRUE(store.start_report().damaged.empty());
    if (newest_checkpoint >= 0) {
      const auto found =
          store.read().checkpoint("s:train:0", CheckpointType::weights, "step" + std::to_string(newest_checkpoint % 5));
      ASSERT_TRUE(found);
      EXPECT_GE(found->created, newest_checkpoint);
    }
    next = std::max(next, store.read().last_seq_id("m") + 1);
  }
  std::printf("%d operations acknowledged in 25 lives, newest checkpoint %d\n", int(acknowledged.size()),
              int(newest_checkpoint));
  EXPECT_GT(acknowledged.size(), 20u);
}

/// Follows what an fsync has made durable, and composes what a loss of power may leave: of every file each page either
/// as it was at its last fsync, or as it is now.
class PowerLoss {
 public:
  PowerLoss(std::string root, std::string states) : root_(std::move(root)), states_(std::move(states)) {}

  int sync(int fd) {
    const std::string path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
    const std::lock_guard lock(mutex_);
    if (path.starts_with(root_) && fs::is_regular_file(path)) {
      if (random_() % 4 == 0) compose();
      durable_[path] = read_file(path);
    }
    return 0;  // the test's own disk need not be slow
  }

  void acknowledge(int64_t number) {
    const std::lock_guard lock(mutex_);
    acknowledged_.insert(number);
    if (random_() % 8 == 0) compose();
  }

  struct State {
    std::string folder;
    std::set<int64_t> acknowledged;
  };
  const std::vector<State>& made() const { return made_; }

 private:
  void compose() {
    const std::string to = states_ + "/" + std::to_string(made_.size());
    for (const auto& [path, before] : durable_) {
      const std::string out = mixed(before, fs::exists(path) ? read_file(path) : before);
      const std::string target = to + path.substr(root_.size());
      fs::create_directories(fs::path(target).parent_path());
      // Not by write_file_atomic: its fsync would come back here.
      std::ofstream(target, std::ios::binary) << out;
    }
    made_.push_back({to, acknowledged_});
  }

  /// Each block of either, any length between; where only one has a block, that or zeros.
  std::string mixed(const std::string& before, const std::string& now) {
    constexpr size_t block = 512;
    const size_t shorter = std::min(before.size(), now.size()), longer = std::max(before.size(), now.size());
    std::string out(shorter + (longer == shorter ? 0 : random_() % (longer - shorter + 1)), '\0');
    const unsigned newer = random_() % 3;  // mostly old, half, mostly new
    for (size_t at = 0; at < out.size(); at += block) {
      const std::string& from = random_() % 4 <= newer + random_() % 2 ? now : before;
      if (at < from.size())
        out.replace(at, std::min(block, out.size() - at), from, at, std::min(block, out.size() - at));
    }
    return out;
  }

  std::string root_, states_;
  std::mutex mutex_;
  std::mt19937 random_{7};
  std::map<std::string, std::string> durable_;
  std::set<int64_t> acknowledged_;
  std::vector<State> made_;
};

TEST(Crash, WhatWasAcknowledgedBeforePowerWasLostIsThere) {
  StoreFolder folder;
  std::vector<PowerLoss::State> states;
  {
    { Store store(folder.path()); }
    PowerLoss power(folder.path(), folder.around() + "/states");
    // The files as they lie now are durable: the store was closed.
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file() && entry.path().filename() != "lock") {
        const int fd = ::open(entry.path().c_str(), O_RDONLY);
        power.sync(fd);
        ::close(fd);
      }
    }
    const test::SyncHook hook([&](int fd) { return power.sync(fd); });
    // Several lives: opening and closing copy the log into the database, which power can interrupt as well.
    for (int64_t life = 0; life < 4; ++life) {
      Store store(folder.path());
      for (int64_t number = 30 * life; number < 30 * life + 30; ++number) {
        store.write_now([number](Tables& t) { test::write_operation(t, number); });
        power.acknowledge(number);
      }
    }
    states = power.made();
  }
  EXPECT_GT(states.size(), 20u);
  const test::SyncHook quick([](int) { return 0; });
  size_t most = 0;
  for (const PowerLoss::State& state : states) {
    Store store(state.folder);
    test::expect_all(store, state.acknowledged);
    if (HasFatalFailure()) FAIL() << state.folder;
    most = std::max(most, state.acknowledged.size());
  }
  EXPECT_GT(most, 30u);
}

}  // namespace
}  // namespace hearth::server
