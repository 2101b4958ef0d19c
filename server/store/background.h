// Background: one thread that does slow things with files, one after the other.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::server {

/// Tasks must not throw; one that does is dropped. Destruction waits for what is queued.
class Background {
 public:
  Background();
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  void add(std::function<void()> task);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> queue_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hearth::server
