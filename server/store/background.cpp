// Background: one thread that does slow things with files, one after the other.
#include "server/store/background.h"

#include <exception>
#include <utility>

namespace hearth::server {

Background::Background() {
  thread_ = std::thread([this] { run(); });
}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Background::add(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Background::run() {
  for (;;) {
    std::vector<std::function<void()>> tasks;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      tasks.swap(queue_);
    }
    for (auto& task : tasks) {
      try {
        task();
      } catch (const std::exception&) {
        // Nobody is left to tell: a task reports its own failures.
      }
      task = nullptr;
    }
  }
}

}  // namespace hearth::server
