// Tests of parallel loops: every index once, cuts that depend on the shape only, nesting and exceptions.
#include "hearth/backend/cpu/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hearth/core/error.h"

namespace hearth::cpu {
namespace {

class Parallel : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(before_); }
  int before_ = num_threads();
};

std::set<std::pair<int64_t, int64_t>> ranges(int64_t begin, int64_t end, int64_t grain) {
  std::set<std::pair<int64_t, int64_t>> seen;
  std::mutex mutex;
  parallel_for(begin, end, grain, [&](int64_t b, int64_t e) {
    std::lock_guard lock(mutex);
    EXPECT_TRUE(seen.emplace(b, e).second);
  });
  return seen;
}

TEST_F(Parallel, CoversEveryIndexOnce) {
  for (int threads : {1, 2, 3, 5, 16}) {
    set_num_threads(threads);
    for (int64_t n : {0, 1, 2, 7, 64, 1000})
      for (int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> hits(n);
        parallel_for(0, n, grain, [&](int64_t b, int64_t e) {
          for (int64_t i = b; i < e; ++i) ++hits[i];
        });
        for (int64_t i = 0; i < n; ++i) ASSERT_EQ(hits[i], 1) << i << " of " << n << " grain " << grain;
      }
  }
}

TEST_F(Parallel, RangesDependOnTheShapeOnly) {
  set_num_threads(1);
  const auto once = ranges(5, 1234, 37);
  const auto one_range = ranges(0, 10, 10);
  EXPECT_EQ(one_range.size(), 1u);
  for (int threads : {2, 3, 5, 16}) {
    set_num_threads(threads);
    EXPECT_EQ(ranges(5, 1234, 37), once);
  }
}

TEST_F(Parallel, EmptyAndReversedRangesDoNothing) {
  int calls = 0;
  parallel_for(3, 3, 1, [&](int64_t, int64_t) { ++calls; });
  parallel_for(3, -3, 1, [&](int64_t, int64_t) { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST_F(Parallel, HugeBoundsDoNotOverflow) {
  const int64_t top = INT64_MAX;
  set_num_threads(2);
  EXPECT_EQ(ranges(top - 10, top, 4).size(), 3u);
  EXPECT_EQ(ranges(0, 10, top).size(), 1u);
}

TEST_F(Parallel, NestedLoopsRunSeriallyOnTheirThread) {
  set_num_threads(4);
  std::atomic<int64_t> sum{0};
  parallel_for(0, 8, 1, [&](int64_t, int64_t) {
    EXPECT_TRUE(in_parallel());
    EXPECT_EQ(apply_num_threads(), 1);
    const auto self = std::this_thread::get_id();
    parallel_for(0, 16, 1, [&](int64_t b, int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), self);
      sum += b;
    });
  });
  EXPECT_EQ(sum, 8 * 120);
  EXPECT_FALSE(in_parallel());
  EXPECT_EQ(apply_num_threads(), 4);
}

TEST_F(Parallel, ExceptionsReachTheCaller) {
  for (int threads : {1, 4}) {
    set_num_threads(threads);
    for (int round = 0; round < 20; ++round) {
      try {
        parallel_for(0, 100, 1, [&](int64_t b, int64_t) {
          if (b == 57) fail<ValueError>("test: chunk ", b);
        });
        FAIL() << "nothing was thrown";
      } catch (const ValueError& e) {
        EXPECT_EQ(std::string(e.what()), "test: chunk 57");
      }
    }
    EXPECT_FALSE(in_parallel());
    EXPECT_EQ(ranges(0, 10, 1).size(), 10u);  // the pool is still usable
  }
}

TEST_F(Parallel, LoopsFromSeveralThreadsDoNotMix) {
  set_num_threads(3);
  std::vector<std::thread> callers;
  std::vector<int64_t> sums(4);
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&, t] {
      for (int round = 0; round < 50; ++round) {
        std::atomic<int64_t> sum{0};
        parallel_for(0, 200, 7, [&](int64_t b, int64_t e) {
          for (int64_t i = b; i < e; ++i) sum += i;
        });
        sums[t] += sum;
      }
    });
  for (auto& caller : callers) caller.join();
  for (int64_t sum : sums) EXPECT_EQ(sum, 50 * 199 * 100);
}

TEST_F(Parallel, ThreadCountIsChecked) {
  EXPECT_THROW(set_num_threads(0), ValueError);
  EXPECT_THROW(set_num_threads(-1), ValueError);
  EXPECT_THROW(set_num_threads(100000), ValueError);
  set_num_threads(7);
  EXPECT_EQ(num_threads(), 7);
}

}  // namespace
}  // namespace hearth::cpu
