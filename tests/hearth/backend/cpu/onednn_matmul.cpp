// Tests of oneDNN products: values, rows and threads to the bit, bounded primitives, and refusal where it must not run.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "hearth/backend/cpu/onednn/matmul.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/half.h"

namespace hearth::cpu {
namespace {

struct Types {
  Storage input, output;
};

class OnednnMatmul : public ::testing::TestWithParam<Types> {
 protected:
  void SetUp() override {
    if (isa() != Isa::avx512) GTEST_SKIP() << "oneDNN is used on avx512 only";
    if (GetParam().input == Storage::bf16 && !has_avx512_bf16()) GTEST_SKIP() << "no bfloat16 products here";
  }
  void TearDown() override { set_num_threads(threads_); }

  /// Random values stored as `storage`.
  static std::vector<char> values(int64_t count, Storage storage, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<char> bytes(size_t(count) * storage_size(storage));
    for (int64_t i = 0; i < count; ++i) {
      const float x = normal(random);
      const bfloat16 narrow(x);
      if (storage == Storage::f32)
        std::memcpy(&bytes[i * 4], &x, 4);
      else
        std::memcpy(&bytes[i * 2], &narrow, 2);
    }
    return bytes;
  }
  static double value(const std::vector<char>& bytes, Storage storage, int64_t i) {
    if (storage == Storage::f32) return reinterpret_cast<const float*>(bytes.data())[i];
    return reinterpret_cast<const bfloat16*>(bytes.data())[i];
  }
  int threads_ = num_threads();
};

TEST_P(OnednnMatmul, ValuesAndBitsOfRows) {
  const auto [input, output] = GetParam();
  std::mt19937 random(5);
  for (int round = 0; round < 6; ++round) {
    const int64_t k = 16 + random() % 700, n = 16 + random() % 300, most = 150;
    const auto x = values(most * k, input, 1), w = values(k * n, input, 2), bias = values(n, Storage::f32, 3);
    const auto start = values(most * n, output, 4);
    const bool transposed = round % 2, accumulate = round % 3 == 0;
    const GemmOperand b{w.data(), input, transposed ? 1 : n, transposed ? k : 1};
    const auto packed = onednn::PackedWeight::make(b, k, n, input, output);
    ASSERT_TRUE(packed) << k << " x " << n;
    auto whole = start;
    const auto* bias_data = reinterpret_cast<const float*>(bias.data());
    set_num_threads(2);
    packed->multiply(most, x.data(), whole.data(), accumulate, bias_data);
    for (int64_t i = 0; i < most; i += 13)
      for (int64_t j = 0; j < n; ++j) {
        double want = (accumulate ? value(start, output, i * n + j) : 0) + bias_data[j];
        for (int64_t p = 0; p < k; ++p) want += value(x, input, i * k + p) * value(w, input, p * b.row + j * b.col);
        ASSERT_NEAR(value(whole, output, i * n + j), want, output == Storage::bf16 ? 0.6 : 2e-3);
      }
    const int64_t row_in = k * int64_t(storage_size(input)), row_out = n * int64_t(storage_size(output));
    for (int64_t m : {1, 2, 3, 5, 8, 17, 63, 64, 65, 100, 130}) {
      const int64_t first = int64_t(random() % uint32_t(most - m));
      set_num_threads(int(m % 3) + 1);
      std::vector<char> part(start.begin() + first * row_out, start.begin() + (first + m) * row_out);
      packed->multiply(m, x.data() + first * row_in, part.data(), accumulate, bias_data);
      ASSERT_EQ(std::memcmp(part.data(), whole.data() + first * row_out, part.size()), 0)
          << m << " rows of " << k << " x " << n;
    }
    for (int threads : {1, 3, 5}) {
      set_num_threads(threads);
      auto again = start;
      packed->multiply(most, x.data(), again.data(), accumulate, bias_data);
      ASSERT_TRUE(again == whole) << threads << " threads";
    }
  }
}

TEST_P(OnednnMatmul, LayoutOfTheWeightDoesNotMatter) {
  const auto [input, output] = GetParam();
  const int64_t k = 130, n = 70, m = 9;
  const auto x = values(m * k, input, 1), w = values(k * n, input, 2);
  const size_t element = storage_size(input);
  std::vector<char> wt(w.size());
  for (int64_t p = 0; p < k; ++p)
    for (int64_t j = 0; j < n; ++j) std::memcpy(&wt[(j * k + p) * element], &w[(p * n + j) * element], element);
  std::vector<char> one(size_t(m * n) * storage_size(output)), two = one;
  onednn::PackedWeight::make({w.data(), input, n, 1}, k, n, input, output)
      ->multiply(m, x.data(), one.data(), false, nullptr);
  onednn::PackedWeight::make({wt.data(), input, 1, k}, k, n, input, output)
      ->multiply(m, x.data(), two.data(), false, nullptr);
  EXPECT_TRUE(one == two);
}

TEST_P(OnednnMatmul, PrimitivesAreSharedAndBounded) {
  const auto [input, output] = GetParam();
  const int64_t k = 48, n = 48;
  const auto x = values(2000 * k, input, 1), w = values(k * n, input, 2);
  std::vector<char> y(size_t(2000 * n) * storage_size(output));
  set_num_threads(1);
  const int64_t before = onednn::primitives_made();
  for (int copy = 0; copy < 3; ++copy) {
    const auto packed = onednn::PackedWeight::make({w.data(), input, n, 1}, k, n, input, output);
    for (int64_t m = 1; m <= 2000; m += 7) packed->multiply(m, x.data(), y.data(), false, nullptr);
  }
  EXPECT_LE(onednn::primitives_made() - before, 63 + 32);
}

TEST_P(OnednnMatmul, SeveralThreadsMayShareAWeight) {
  const auto [input, output] = GetParam();
  const int64_t k = 100, n = 60, m = 33;
  const auto x = values(m * k, input, 1), w = values(k * n, input, 2);
  const auto packed = onednn::PackedWeight::make({w.data(), input, n, 1}, k, n, input, output);
  std::vector<char> want(size_t(m * n) * storage_size(output));
  packed->multiply(m, x.data(), want.data(), false, nullptr);
  std::vector<std::thread> callers;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) {
        std::vector<char> got(want.size());
        packed->multiply(m, x.data(), got.data(), false, nullptr);
        wrong[t] += got != want;
      }
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
  // Inside a parallel loop it runs on one thread, with the same bits.
  parallel_for(0, 4, 1, [&](int64_t t, int64_t) {
    std::vector<char> got(want.size());
    packed->multiply(m, x.data(), got.data(), false, nullptr);
    wrong[t] += got != want;
  });
  EXPECT_EQ(wrong, std::vector<int>(4));
}

INSTANTIATE_TEST_SUITE_P(Types, OnednnMatmul,
                         ::testing::Values(Types{Storage::f32, Storage::f32}, Types{Storage::bf16, Storage::f32},
                                           Types{Storage::bf16, Storage::bf16}));

TEST(OnednnMatmulRefusal, IsNotUsedBelowAvx512OrForOtherTypes) {
  std::vector<float> w(64 * 64);
  const GemmOperand b{w.data(), Storage::f32, 64, 1};
  EXPECT_FALSE(onednn::PackedWeight::make(b, 64, 64, Storage::bf16, Storage::bf16));  // B is not bfloat16
  EXPECT_FALSE(onednn::PackedWeight::make({w.data(), Storage::f16, 64, 1}, 64, 64, Storage::f16, Storage::f32));
  EXPECT_FALSE(onednn::PackedWeight::make({w.data(), Storage::f32, 128, 2}, 32, 32, Storage::f32, Storage::f32));
  const Isa before = isa();
  for (Isa lesser : {Isa::generic, Isa::avx2}) {
    if (lesser > best_isa()) continue;
    set_isa(lesser);
    EXPECT_FALSE(onednn::PackedWeight::make(b, 64, 64, Storage::f32, Storage::f32));
  }
  set_isa(before);
}

}  // namespace
}  // namespace hearth::cpu
