// The loop: order, timers, other threads, functions that throw.
#include "server/http/loop.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <stdexcept>
#include <thread>

#include "server/http/log.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;

TEST(Loop, RunsWhatThreadsPostAndLosesNothing) {
  Loop loop;
  constexpr int threads = 4, each = 5000;
  int count = 0;
  std::vector<int> last(threads, -1);
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t)
    posters.emplace_back([&, t] {
      for (int i = 0; i < each; ++i)
        loop.post([&, t, i] {
          EXPECT_EQ(last[t], i - 1);
          last[t] = i;
          if (++count == threads * each) loop.stop();
        });
    });
  loop.run();
  for (std::thread& thread : posters) thread.join();
  EXPECT_EQ(count, threads * each);
}

TEST(Loop, CallsTimersInTheOrderOfTheirTimesButNotCancelledOnes) {
  Loop loop;
  std::string order;
  loop.after(milliseconds(30), [&] { order += "c"; });
  loop.after(milliseconds(10), [&] { order += "a"; });
  Timer cancelled = loop.after(milliseconds(15), [&] { order += "x"; });
  Timer kept = loop.after(milliseconds(20), [&] { order += "b"; });
  loop.after(milliseconds(60), [&] { loop.stop(); });
  EXPECT_TRUE(cancelled.pending());
  cancelled.cancel();
  cancelled.cancel();
  loop.run();
  EXPECT_EQ(order, "abc");
  EXPECT_FALSE(kept.pending());
  kept.cancel();
}

TEST(Loop, CancelsATimerThatIsDueAlready) {
  Loop loop;
  bool called = false;
  Timer timer;
  loop.post([&] {
    std::this_thread::sleep_for(milliseconds(10));
    timer.cancel();
    loop.after(milliseconds(20), [&] { loop.stop(); });
  });
  timer = loop.after(milliseconds(1), [&] { called = true; });
  loop.run();
  EXPECT_FALSE(called);
}

TEST(Loop, GoesOnAfterAFunctionThatThrows) {
  set_log_level(LogLevel::off);
  Loop loop;
  bool called = false;
  loop.post([] { throw std::runtime_error("a defect"); });
  loop.post([&] {
    called = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(called);
}

TEST(Loop, GivesSignalsToItsThread) {
  Loop loop;
  int seen = 0;
  loop.on_signal({SIGUSR1}, [&](int signal) {
    EXPECT_TRUE(loop.in_loop_thread());
    seen = signal;
    loop.stop();
  });
  loop.post([] { raise(SIGUSR1); });
  loop.run();
  EXPECT_EQ(seen, SIGUSR1);
}

}  // namespace
}  // namespace hearth::server
