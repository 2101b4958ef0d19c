// The event loop over Asio.
#include "server/http/loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "server/http/log.h"
#include "server/http/loop_impl.h"

namespace hearth::server {

struct Timer::State {
  explicit State(boost::asio::io_context& context) : timer(context) {}
  boost::asio::steady_timer timer;
  bool pending = true;
};

void Timer::cancel() {
  if (!state_ || !state_->pending) return;
  state_->pending = false;
  state_->timer.cancel();
}

bool Timer::pending() const { return state_ && state_->pending; }

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread = std::this_thread::get_id();
  while (!impl_->context.stopped()) {
    try {
      impl_->context.run();
    } catch (const std::exception& error) {
      LogLine(LogLevel::error, "defect").field("error", error.what());
    }
  }
  impl_->thread = std::thread::id();
  impl_->context.restart();
}

void Loop::stop() { impl_->context.stop(); }

void Loop::post(std::function<void()> fn) { boost::asio::post(impl_->context, std::move(fn)); }

Timer Loop::after(std::chrono::milliseconds delay, std::function<void()> fn) {
  Timer timer;
  timer.state_ = std::make_shared<Timer::State>(impl_->context);
  timer.state_->timer.expires_after(delay);
  timer.state_->timer.async_wait([state = timer.state_, fn = std::move(fn)](boost::system::error_code) {
    // A cancelled call may be queued already, with no error code that says so.
    if (!std::exchange(state->pending, false)) return;
    fn();
  });
  return timer;
}

namespace {
void wait_for_signal(const std::shared_ptr<boost::asio::signal_set>& set, const std::function<void(int)>& fn) {
  set->async_wait([set, fn](boost::system::error_code error, int signal) {
    if (error) return;
    wait_for_signal(set, fn);
    fn(signal);
  });
}
}  // namespace

void Loop::on_signal(std::vector<int> signals, std::function<void(int)> fn) {
  auto set = std::make_shared<boost::asio::signal_set>(impl_->context);
  for (const int signal : signals) set->add(signal);
  impl_->signals.push_back(set);
  wait_for_signal(set, fn);
}

bool Loop::in_loop_thread() const {
  const std::thread::id thread = impl_->thread;
  return thread == std::thread::id() || thread == std::this_thread::get_id();
}

}  // namespace hearth::server
