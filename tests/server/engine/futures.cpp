// Futures alone: who waits is told, once, by completion or by time; results stay within their bound.
#include "server/engine/futures.h"

#include <gtest/gtest.h>

#include <thread>

namespace hearth::server {
namespace {

using namespace std::chrono_literals;
using State = FutureAnswer::State;

// Everything runs on the test's thread, inside the loop.
class FuturesTest : public testing::Test {
 protected:
  Futures::Sources sources() {
    return {[this](const std::string& id) -> std::optional<Futures::Stored> {
              ++lookups_;
              const auto found = stored_.find(id);
              if (found == stored_.end()) return {};
              return found->second;
            },
            [this](const std::string&, int64_t, int64_t cursor) {
              std::vector<Futures::Finished> later;
              for (const auto& one : finished_)
                if (one.cursor > cursor) later.push_back(one);
              return later;
            },
            [](const std::string&) { return std::string("reason"); }};
  }
  FutureAnswer done(const std::string& bytes) {
    FutureAnswer answer;
    answer.state = State::done;
    answer.bytes = bytes;
    stored_["?"] = {};
    return answer;
  }
  // Runs the loop until `count` answers have come.
  void run_until(size_t count) {
    const auto give_up = loop_.after(10s, [this] { loop_.stop(); });
    wanted_ = count;
    if (answers_.size() < count) loop_.run();
    Timer(give_up).cancel();
  }
  Then<FutureAnswer> note() {
    return [this](const Reply<FutureAnswer>& reply) {
      answers_.push_back(reply);
      if (answers_.size() == wanted_) loop_.stop();
    };
  }
  const FutureAnswer& answer(size_t i) { return std::get<FutureAnswer>(answers_.at(i)); }

  Loop loop_;
  std::map<std::string, Futures::Stored> stored_;
  std::vector<Futures::Finished> finished_;
  std::vector<Reply<FutureAnswer>> answers_;
  size_t wanted_ = 0;
  int lookups_ = 0;
};

TEST_F(FuturesTest, CompletionTellsAllWhoWaitAndTimeTellsTheRest) {
  Futures futures(loop_, 1 << 20, sources());
  futures.begin("a", "me");
  futures.begin("b", "me");
  loop_.post([&] {
    futures.retrieve("me", "a", 5s, note());
    futures.retrieve("me", "a", 5s, note());
    futures.retrieve("me", "b", 30ms, note());
    EXPECT_EQ(futures.open_polls(), 3);
    futures.finish("a", done("A"));
  });
  run_until(3);
  EXPECT_EQ(answer(0).bytes, "A");
  EXPECT_EQ(answer(1).bytes, "A");
  EXPECT_EQ(answer(2).state, State::waiting);
  EXPECT_EQ(answer(2).queue_reason, "reason");
  EXPECT_EQ(futures.open_polls(), 0);
  // Finished between two polls: the next one finds it.
  futures.finish("b", done("B"));
  futures.retrieve("me", "b", 5s, note());
  EXPECT_EQ(answer(3).bytes, "B");
  EXPECT_EQ(lookups_, 0);
}

TEST_F(FuturesTest, WhatIsUnknownOrAnothersOrDroppedIsRefused) {
  Futures futures(loop_, 1 << 20, sources());
  futures.begin("a", "me");
  stored_["gone"] = {"me", {}, true};
  stored_["hers"] = {"eve", {}, false};
  for (const auto& [id, status] :
       std::vector<std::pair<std::string, int>>{{"nothing", 404}, {"hers", 404}, {"gone", 410}}) {
    answers_.clear();
    futures.retrieve("me", id, 1s, note());
    EXPECT_EQ(std::get<Refusal>(answers_.at(0)).status, status) << id;
  }
  answers_.clear();
  futures.retrieve("eve", "a", 1s, note());
  EXPECT_EQ(std::get<Refusal>(answers_.at(0)).status, 404);
  futures.finish("a", done("A"));
  futures.retrieve("eve", "a", 1s, note());
  EXPECT_EQ(std::get<Refusal>(answers_.at(1)).status, 404);
}

TEST_F(FuturesTest, OldResultsComeFromTheStoreAndMemoryIsBounded) {
  Futures futures(loop_, 20000, sources());
  for (int i = 0; i < 1000; ++i) {
    const std::string id = std::to_string(i), bytes(1000, char('a' + i % 26));
    futures.begin(id, "me");
    futures.finish(id, done(bytes));
    stored_[id] = {"me", done(bytes), false};
    EXPECT_LE(futures.cached_bytes(), 20000);
  }
  for (const int i : {0, 500, 999}) {
    answers_.clear();
    futures.retrieve("me", std::to_string(i), 1s, note());
    EXPECT_EQ(answer(0).bytes, std::string(1000, char('a' + i % 26)));
  }
  EXPECT_EQ(lookups_, 2);
}

TEST_F(FuturesTest, ReleaseEndsAllWaiting) {
  Futures futures(loop_, 1 << 20, sources());
  futures.begin("a", "me");
  bool told = false;
  futures.retrieve("me", "a", 10min, note());
  futures.retrieve_many("sampler", 0, 0, 10min, [&](const Reply<Completions>&) { told = true; });
  futures.release();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answer(0).state, State::waiting);
  EXPECT_TRUE(told);
  EXPECT_EQ(futures.open_polls(), 0);
  futures.finish("a", done("x"));  // who asks again later gets it
  futures.retrieve("me", "a", 0ms, note());
  EXPECT_EQ(answer(1).bytes, "x");
}

TEST_F(FuturesTest, TenThousandPollsAreAllTold) {
  Futures futures(loop_, 64 << 20, sources());
  constexpr int count = 10000;
  std::thread completing;
  loop_.post([&] {
    for (int i = 0; i < count; ++i) {
      futures.begin(std::to_string(i), "me");
      futures.retrieve("me", std::to_string(i), std::chrono::milliseconds(i % 2 ? 8000 : 40 + i % 100), note());
    }
    completing = std::thread([&] {
      for (int i = 1; i < count; i += 2) loop_.post([&, i] { futures.finish(std::to_string(i), done("x")); });
    });
  });
  run_until(count);
  completing.join();
  ASSERT_EQ(answers_.size(), size_t(count));
  int finished = 0;
  for (int i = 0; i < count; ++i) finished += answer(size_t(i)).state == State::done;
  EXPECT_EQ(finished, count / 2);
  EXPECT_EQ(futures.open_polls(), 0);
}

TEST_F(FuturesTest, CompletionsAreFoundByCursorAlsoThoseOfEarlierProcesses) {
  Futures futures(loop_, 1 << 20, sources());
  const auto one = [](int64_t cursor) { return Futures::Finished{cursor, {std::to_string(cursor), false, 1}}; };
  finished_ = {one(10), one(20)};
  std::vector<Completions> got;
  bool running = false;
  const auto many = [&](int64_t cursor, std::chrono::milliseconds hold) {
    futures.retrieve_many("s", 0, cursor, hold, [&](const Reply<Completions>& reply) {
      got.push_back(std::get<Completions>(reply));
      if (running) loop_.stop();
    });
  };
  many(0, 0ms);
  ASSERT_EQ(got.at(0).finished.size(), 2u);
  EXPECT_EQ(got[0].cursor, 20);
  running = true;
  loop_.post([&] {
    many(20, 5s);
    finished_.push_back(one(30));
    futures.complete("s", 0, one(30));
    futures.complete("s", 1, one(31));
  });
  loop_.run();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[1].cursor, 30);
  EXPECT_EQ(got[1].finished.at(0).request_id, "30");
  running = false;
  many(20, 0ms);  // the answer was lost
  EXPECT_EQ(got.at(2).finished.size(), 1u);
  running = true;
  many(30, 20ms);
  loop_.run();
  EXPECT_TRUE(got.at(3).finished.empty());
  EXPECT_EQ(got[3].cursor, 30);
  running = false;
  many(0, 0ms);
  EXPECT_EQ(got.at(4).finished.size(), 3u);
}

// Only memory is given back: whoever asks again gets the same from the store, and an open poll stays.
TEST_F(FuturesTest, WhatNobodyAsksForLeavesMemory) {
  Futures futures(loop_, 1 << 20, sources());
  const auto one = [](int64_t cursor) { return Futures::Finished{cursor, {std::to_string(cursor), false, 1}}; };
  futures.begin("a", "me");
  futures.finish("a", done("A"));
  stored_["a"] = {"me", done("A"), false};
  std::vector<Completions> got;
  const auto many = [&](const std::string& sampler, std::chrono::milliseconds hold) {
    futures.retrieve_many(sampler, 0, 10, hold, [&](const Reply<Completions>& reply) {
      got.push_back(std::get<Completions>(reply));
      if (got.size() == 101) loop_.stop();
    });
  };
  for (int i = 0; i < 100; ++i) many("idle" + std::to_string(i), 0ms);
  loop_.post([&] { many("polled", 10s); });
  loop_.post([&] {
    futures.forget_idle(1h);
    EXPECT_EQ(futures.streams(), 101);
    EXPECT_GT(futures.cached_bytes(), 0);
    futures.forget_idle(0ms);
    EXPECT_EQ(futures.streams(), 1);
    EXPECT_EQ(futures.cached_bytes(), 0);
    futures.complete("polled", 0, one(20));
  });
  loop_.run();
  ASSERT_EQ(got.size(), 101u);
  EXPECT_EQ(got.back().cursor, 20);
  finished_ = {one(20)};
  many("idle7", 0ms);
  EXPECT_EQ(got.back().cursor, 20);
  futures.retrieve("me", "a", 1s, note());
  EXPECT_EQ(answer(0).bytes, "A");
  EXPECT_EQ(lookups_, 1);
}

}  // namespace
}  // namespace hearth::server
