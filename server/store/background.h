// Background: one thread that does slow things with files, one after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hearth::server {

/// A task that throws is over; it reports its own failures.
class Background {
 public:
  Background();
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// After `end` tasks are dropped.
  void add(std::function<void()> task);
  /// Waits for the task at work; those that wait are dropped.
  void end();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hearth::server
