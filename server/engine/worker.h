// Worker: the thread that owns the models. It runs one step at a time and short commands between a step's parts.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hearth::server {

/// Example: Worker worker; worker.start([&] { return workshop.continue_samples(); });
class Worker {
 public:
  Worker();
  /// Waits for the part of a step that runs; what is queued behind it is dropped.
  ~Worker();
  Worker(const Worker&) = delete;

  /// Runs `command` soon, before the next part of the step, in the order of the calls. Must not throw.
  void post(std::function<void()> command);
  /// Runs `part` until it returns false; commands run in between. One step at a time. Must not throw.
  void start(std::function<bool()> part);
  /// From within a part that takes long: runs the commands that have come.
  void run_commands();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> commands_;
  std::function<bool()> step_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace hearth::server
