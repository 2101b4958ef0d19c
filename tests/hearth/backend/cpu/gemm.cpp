// Tests of the own matrix product: values, and bits that do not change with rows, layout, packing, threads or splits.
#include "hearth/backend/cpu/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/half.h"

namespace hearth::cpu {
namespace {

class Gemm : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > best_isa()) GTEST_SKIP() << "this processor lacks " << isa_name(GetParam());
    set_isa(GetParam());
  }
  void TearDown() override {
    set_isa(before_);
    set_num_threads(threads_);
  }
  Isa before_ = isa();
  int threads_ = num_threads();
};

template <class T>
constexpr Storage storage_of = sizeof(T) == 8                ? Storage::f64
                               : sizeof(T) == 4              ? Storage::f32
                               : std::is_same_v<T, bfloat16> ? Storage::bf16
                                                             : Storage::f16;

template <class T>
std::vector<T> random_values(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<T> values(size_t(std::max<int64_t>(count, 1)));
  for (auto& v : values) v = T(normal(random));
  return values;
}

/// The transposed copy of a [rows, columns] matrix.
template <class T>
std::vector<T> transposed(const std::vector<T>& x, int64_t rows, int64_t columns) {
  std::vector<T> y(x.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
  return y;
}

/// A[m, k] * B[k, n], both dense, into a dense C.
template <class A, class B, class C>
GemmCall dense_call(int64_t m, int64_t n, int64_t k, const std::vector<A>& a, const std::vector<B>& b,
                    std::vector<C>& c) {
  return {.m = m,
          .n = n,
          .k = k,
          .a = {a.data(), storage_of<A>, k, 1},
          .b = {b.data(), storage_of<B>, n, 1},
          .c = c.data(),
          .c_storage = storage_of<C>,
          .c_row = n};
}

template <class A, class B, class C>
void check_values(int64_t m, int64_t n, int64_t k, bool accumulate) {
  const auto a = random_values<A>(m * k, 1);
  const auto b = random_values<B>(k * n, 2);
  auto c = random_values<C>(m * n, 3);
  const auto start = c;
  GemmCall call = dense_call(m, n, k, a, b, c);
  call.accumulate = accumulate;
  gemm(call);
  const double unit = sizeof(C) == 8 ? 1e-15 : sizeof(C) == 4 ? 1.2e-7 : std::is_same_v<C, bfloat16> ? 8e-3 : 1e-3;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double want = accumulate ? double(start[i * n + j]) : 0, size = std::fabs(want);
      for (int64_t p = 0; p < k; ++p) {
        const double term = double(a[i * k + p]) * double(b[p * n + j]);
        want += term;
        size += std::fabs(term);
      }
      const double chain = (sizeof(C) == 8 ? 1e-16 : 6e-8) * size * std::sqrt(double(k) + 1) * 2;
      ASSERT_NEAR(double(c[i * n + j]), want, chain + unit * std::fabs(want))
          << m << "x" << n << "x" << k << " at " << i << "," << j;
    }
}

const std::vector<std::array<int64_t, 3>> shapes{{1, 1, 1},    {1, 5, 3},    {3, 7, 19},    {8, 48, 64},
                                                 {9, 49, 65},  {6, 16, 300}, {33, 70, 129}, {70, 16, 80},
                                                 {65, 97, 40}, {130, 51, 17}};

TEST_P(Gemm, ValuesOfEveryType) {
  for (const auto& [m, n, k] : shapes)
    for (bool accumulate : {false, true}) {
      check_values<float, float, float>(m, n, k, accumulate);
      check_values<double, double, double>(m, n, k, accumulate);
      check_values<bfloat16, bfloat16, bfloat16>(m, n, k, accumulate);
      check_values<float16, float16, float16>(m, n, k, accumulate);
      check_values<bfloat16, bfloat16, float>(m, n, k, accumulate);
      check_values<float, bfloat16, float>(m, n, k, accumulate);
      check_values<float, float16, float>(m, n, k, accumulate);
    }
}

TEST_P(Gemm, ValuesOfDeepProducts) {  // several blocks of depth
  check_values<float, float, float>(70, 50, 2500, true);
  check_values<double, double, double>(40, 30, 1500, true);
  check_values<bfloat16, bfloat16, bfloat16>(70, 50, 2500, true);
  check_values<float16, float16, float16>(40, 30, 1100, false);
}

/// The chain of the contract, element by element.
template <class T>
T chain(int64_t k, const T* a, int64_t a_step, const T* b, int64_t b_step, T start, bool fused) {
  for (int64_t p = 0; p < k; ++p) {
    const T x = a[p * a_step], y = b[p * b_step];
    start = fused ? std::fma(x, y, start) : T(x * y) + start;
  }
  return start;
}

TEST_P(Gemm, EveryElementIsOneAscendingChain) {
  const int64_t m = 45, n = 61, k = 1500;
  const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2), bias = random_values<float>(n, 3);
  auto c = random_values<float>(m * n, 4);
  const auto start = c;
  GemmCall call = dense_call(m, n, k, a, b, c);
  call.accumulate = true;
  call.bias = bias.data();
  gemm(call);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j)
      ASSERT_EQ(float_bits(c[i * n + j]),
                float_bits(chain(k, &a[i * k], 1, &b[j], n, start[i * n + j] + bias[j], GetParam() != Isa::generic)));
}

template <class A, class B, class C>
void check_rows(int64_t n, int64_t k) {
  const int64_t most = 300;
  const auto a = random_values<A>(most * k, 1);
  const auto b = random_values<B>(k * n, 2);
  const auto start = random_values<C>(most * n, 3);
  auto whole = start;
  GemmCall call = dense_call(most, n, k, a, b, whole);
  call.accumulate = true;
  set_num_threads(2);
  gemm(call);
  const PackedPanels packed(call.b, k, n);
  std::vector<int64_t> counts{100, 256};
  for (int64_t m = 1; m <= 70; ++m) counts.push_back(m);
  for (int64_t m : counts) {
    const int64_t first = m * 7 % (most - m);
    set_num_threads(m % 3 + 1);
    std::vector<C> part(start.begin() + first * n, start.begin() + (first + m) * n), again = part;
    GemmCall few = call;
    few.m = m;
    few.a.data = a.data() + first * k;
    few.c = part.data();
    gemm(few);
    ASSERT_EQ(std::memcmp(part.data(), whole.data() + first * n, size_t(m * n) * sizeof(C)), 0) << m << " rows";
    few.c = again.data();
    gemm_packed(few, packed);
    ASSERT_EQ(std::memcmp(again.data(), part.data(), size_t(m * n) * sizeof(C)), 0) << m << " rows, packed";
  }
}

TEST_P(Gemm, RowsDoNotDependOnOtherRows) {
  check_rows<float, float, float>(131, 70);
  check_rows<float, float, float>(16, 300);
  check_rows<double, double, double>(50, 41);
  check_rows<bfloat16, bfloat16, bfloat16>(52, 66);
  check_rows<float, bfloat16, float>(100, 66);
  check_rows<float16, float16, float16>(33, 30);
}

TEST_P(Gemm, LayoutsGiveTheSameBits) {
  for (int64_t m : {1, 5, 40, 150}) {
    const int64_t n = 83, k = 1111;
    const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
    const auto at = transposed(a, m, k), bt = transposed(b, k, n);
    std::vector<float> plain(m * n), other(m * n);
    GemmCall call = dense_call(m, n, k, a, b, plain);
    gemm(call);
    const auto expect_same = [&](const GemmCall& variant, const char* what) {
      std::fill(other.begin(), other.end(), NAN);
      GemmCall run = variant;
      run.c = other.data();
      gemm(run);
      EXPECT_EQ(std::memcmp(other.data(), plain.data(), plain.size() * 4), 0) << what << ", " << m << " rows";
      std::fill(other.begin(), other.end(), NAN);
      gemm_packed(run, PackedPanels(run.b, k, n));
      EXPECT_EQ(std::memcmp(other.data(), plain.data(), plain.size() * 4), 0) << what << " packed, " << m << " rows";
    };
    GemmCall v = call;
    v.b = {bt.data(), Storage::f32, 1, k};
    expect_same(v, "B transposed");
    v.a = {at.data(), Storage::f32, 1, m};
    expect_same(v, "both transposed");
    v.b = call.b;
    expect_same(v, "A transposed");
    std::vector<float> wide_a(m * k * 3), wide_b(k * n * 2);
    for (int64_t i = 0; i < m * k; ++i) wide_a[i * 3] = a[i];
    for (int64_t i = 0; i < k * n; ++i) wide_b[i * 2] = b[i];
    v.a = {wide_a.data(), Storage::f32, 3 * k, 3};
    v.b = {wide_b.data(), Storage::f32, 2 * n, 2};
    expect_same(v, "strided");
    std::vector<float> reversed(a.rbegin(), a.rend());
    v.a = {reversed.data() + m * k - 1, Storage::f32, -k, -1};
    v.b = call.b;
    expect_same(v, "negative strides");
  }
}

TEST_P(Gemm, ThreadsGiveTheSameBits) {
  for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
           {1, 700, 500}, {7, 300, 900}, {200, 500, 300}, {600, 16, 200}, {16, 200, 2100}}) {
    const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
    std::vector<float> one(m * n), many(m * n);
    set_num_threads(1);
    GemmCall call = dense_call(m, n, k, a, b, one);
    gemm(call);
    const PackedPanels packed(call.b, k, n);
    for (int threads : {2, 3, 5, 16}) {
      set_num_threads(threads);
      call.c = many.data();
      gemm(call);
      EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * 4), 0) << threads << " threads";
      std::fill(many.begin(), many.end(), NAN);
      gemm_packed(call, packed);
      EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * 4), 0) << threads << " threads, packed";
    }
  }
}

TEST_P(Gemm, WritesOnlyItsColumnsAndKeepsNeighboursNan) {
  const int64_t m = 50, n = 37, k = 20, row = 64;
  const auto b = random_values<float>(k * n, 2);
  auto a = random_values<float>(m * k, 1);
  std::vector<float> c(m * row, -5.0f);
  for (int64_t p = 0; p < k; ++p) a[7 * k + p] = NAN;
  GemmCall call = dense_call(m, n, k, a, b, c);
  call.c_row = row;
  gemm(call);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < row; ++j)
      ASSERT_TRUE(j >= n ? c[i * row + j] == -5.0f : std::isnan(c[i * row + j]) == (i == 7)) << i << "," << j;
}

TEST_P(Gemm, NarrowWeightsAreExactlyTheirFloats) {
  const int64_t m = 20, n = 70, k = 90;
  const auto a = random_values<float>(m * k, 1);
  const auto b = random_values<bfloat16>(k * n, 2);
  const std::vector<float> wide(b.begin(), b.end());
  std::vector<float> narrow_c(m * n), wide_c(m * n);
  gemm(dense_call(m, n, k, a, b, narrow_c));
  gemm(dense_call(m, n, k, a, wide, wide_c));
  EXPECT_EQ(std::memcmp(narrow_c.data(), wide_c.data(), wide_c.size() * 4), 0);
}

TEST_P(Gemm, EmptyDepthGivesTheStart) {
  const std::vector<float> nothing(1), bias{1, 2, 3};
  std::vector<float> c(6, 9.0f);
  GemmCall call = dense_call(2, 3, 0, nothing, nothing, c);
  gemm(call);
  EXPECT_EQ(c, std::vector<float>(6, 0.0f));
  c.assign(6, 9.0f);
  call.accumulate = true;
  call.bias = bias.data();
  gemm_packed(call, PackedPanels(call.b, 0, 3));
  EXPECT_EQ(c, (std::vector<float>{10, 11, 12, 10, 11, 12}));
  call.m = 0;
  gemm(call);
  call.m = 2;
  call.n = 0;
  gemm(call);
  EXPECT_EQ(c[0], 10.0f);
}

INSTANTIATE_TEST_SUITE_P(Sets, Gemm, ::testing::Values(Isa::generic, Isa::avx2, Isa::avx512),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace hearth::cpu
