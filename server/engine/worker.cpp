// Worker: a thread with a queue of commands and one step.
#include "server/engine/worker.h"

namespace hearth::server {

Worker::Worker() : thread_([this] { run(); }) {}

Worker::~Worker() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Worker::post(std::function<void()> command) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  wake_.notify_one();
}

void Worker::start(std::function<bool()> part) {
  {
    std::lock_guard lock(mutex_);
    step_ = std::move(part);
  }
  wake_.notify_one();
}

void Worker::run_commands() {
  std::unique_lock lock(mutex_);
  while (!commands_.empty() && !stop_) {
    const auto command = std::move(commands_.front());
    commands_.pop_front();
    lock.unlock();
    command();
    lock.lock();
  }
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !commands_.empty() || step_; });
    if (stop_) return;
    if (!commands_.empty()) {
      const auto command = std::move(commands_.front());
      commands_.pop_front();
      lock.unlock();
      command();
      lock.lock();
      continue;
    }
    // The end of a step may start the next one before this thread is back here, so it is taken out first.
    auto part = std::move(step_);
    step_ = nullptr;
    lock.unlock();
    const bool more = part();
    lock.lock();
    if (more) step_ = std::move(part);
  }
}

}  // namespace hearth::server
