// The event loop: one thread runs everything that the server decides; other threads hand it work with post().
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace hearth::server {

/// A call that will be made later. A handle: copies mean the same call, and dropping all of them does not cancel it.
class Timer {
 public:
  Timer() = default;
  /// The call is not made any more; nothing happens where it was made already. On the loop thread.
  void cancel();
  /// Whether the call is still to come.
  bool pending() const;

 private:
  friend class Loop;
  struct State;
  std::shared_ptr<State> state_;
};

/// Runs functions one after another on the thread that called run().
/// Example: Loop loop; loop.after(50ms, [&] { loop.stop(); }); loop.run();
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs what was posted, until stop(). An exception that leaves a function is logged and the loop goes on.
  void run();
  /// Ends run() after the function that is running now. From any thread and from signal handlers' threads.
  void stop();
  /// Runs `fn` soon on the loop thread, in the order of posting. From any thread.
  void post(std::function<void()> fn);
  /// Runs `fn` on the loop thread once `delay` is over. On the loop thread, or before run().
  Timer after(std::chrono::milliseconds delay, std::function<void()> fn);
  /// Runs `fn(signal)` on the loop thread whenever one of `signals` reaches the process, instead of what they do by
  /// themselves.
  void on_signal(std::vector<int> signals, std::function<void(int)> fn);
  /// Whether the caller is on the thread that is in run(), or nobody is.
  bool in_loop_thread() const;

  /// What Asio needs; defined in loop_impl.h, for server/http only.
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::server
