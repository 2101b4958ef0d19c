// Background: one thread that does slow things with files, one after the other.
#include "server/store/background.h"

#include <exception>
#include <utility>

namespace hearth::server {

Background::Background() {
  thread_ = std::thread([this] { run(); });
}

Background::~Background() { end(); }

void Background::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    queue_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Background::add(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (!ending_) queue_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Background::run() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    try {
      task();
    } catch (const std::exception&) {
      // Nobody is left to tell.
    }
  }
}

}  // namespace hearth::server
