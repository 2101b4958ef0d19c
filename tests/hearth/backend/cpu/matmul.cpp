// Tests of the matrix product contract on tensors: dtypes, batches, strides, packed weights, and their bits.
#include "hearth/backend/kernels/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth {
namespace {

using kernels::PackUse;

const Device here{};

Tensor random_tensor(const Shape& shape, Dtype dtype, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const Tensor t = Tensor::empty(shape, dtype);
  dispatch(RealTypes{}, dtype, "test", [&]<class T>() {
    for (int64_t i = 0; i < t.numel(); ++i) {
      const float x = normal(random);
      t.data<T>()[i] = std::is_integral_v<T> ? T(int64_t(x * 20)) : T(x);
    }
  });
  return t;
}

double value(const Tensor& t, int64_t offset) {
  double result = 0;
  dispatch(RealTypes{}, t.dtype(), "test", [&]<class T>() { result = double(t.data<T>()[offset]); });
  return result;
}

Tensor copy_of(const Tensor& t) {
  const Tensor c = Tensor::empty(t.shape(), t.dtype());
  std::memcpy(c.raw(), t.raw(), size_t(t.numel()) * dtype_size(t.dtype()));
  return c;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.raw(), b.raw(), size_t(a.numel()) * dtype_size(a.dtype())) == 0;
}

/// The same matrix (or batch of them) with its last two dimensions swapped in memory.
Tensor stored_transposed(const Tensor& t) {
  const Tensor c = Tensor::empty({t.size(0), t.size(2), t.size(1)}, t.dtype());
  dispatch(RealTypes{}, t.dtype(), "test", [&]<class T>() {
    for (int64_t z = 0; z < t.size(0); ++z)
      for (int64_t i = 0; i < t.size(1); ++i)
        for (int64_t j = 0; j < t.size(2); ++j)
          c.data<T>()[(z * t.size(2) + j) * t.size(1) + i] = t.data<T>()[(z * t.size(1) + i) * t.size(2) + j];
  });
  return c.alias(t.shape(), {t.size(1) * t.size(2), 1, t.size(1)}, 0);
}

double tolerance(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64:
      return 1e-12;
    case Dtype::float32:
      return 1e-4;
    case Dtype::float16:
      return 2e-2;
    case Dtype::bfloat16:
      return 2e-1;
    default:
      return 0;
  }
}

void expect_product(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor* start) {
  const int64_t m = a.size(1), k = a.size(2), n = b.size(2);
  for (int64_t z = 0; z < a.size(0); ++z)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const int64_t at = (z * m + i) * n + j;
        double want = start ? value(*start, at) : 0;
        for (int64_t p = 0; p < k; ++p)
          want += value(a, z * a.stride(0) + i * a.stride(1) + p * a.stride(2)) *
                  value(b, z * b.stride(0) + p * b.stride(1) + j * b.stride(2));
        ASSERT_NEAR(value(out, at), want, tolerance(out.dtype())) << out.dtype() << " at " << z << "," << i << "," << j;
      }
}

TEST(Matmul, EveryTypeWithBatchesAndStrides) {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::float16, Dtype::bfloat16, Dtype::int64, Dtype::int32})
    for (int64_t batches : {1, 3, 40})
      for (bool accumulate : {false, true}) {
        const Tensor a = random_tensor({batches, 5, 17}, dtype, 1), b = random_tensor({batches, 17, 9}, dtype, 2);
        const Tensor start = random_tensor({batches, 5, 9}, dtype, 3), out = copy_of(start);
        kernels::matmul(here, out, a, b, accumulate);
        expect_product(out, a, b, accumulate ? &start : nullptr);
        const Tensor other = copy_of(start);
        kernels::matmul(here, other, stored_transposed(a), stored_transposed(b), accumulate);
        EXPECT_TRUE(same_bits(out, other)) << dtype;
        const Tensor shared = b.alias({batches, 17, 9}, {0, 9, 1}, 0);  // one right operand for all batches
        const Tensor broadcast = copy_of(start);
        kernels::matmul(here, broadcast, a, shared, accumulate);
        expect_product(broadcast, a, shared, accumulate ? &start : nullptr);
      }
}

TEST(Matmul, SmallIntegersWrap) {
  const Tensor a = Tensor::empty({1, 1, 2}, Dtype::int8), b = Tensor::empty({1, 2, 1}, Dtype::int8);
  const Tensor out = Tensor::empty({1, 1, 1}, Dtype::int8);
  a.data<int8_t>()[0] = a.data<int8_t>()[1] = b.data<int8_t>()[0] = b.data<int8_t>()[1] = 100;
  kernels::matmul(here, out, a, b, false);
  EXPECT_EQ(out.data<int8_t>()[0], int8_t(20000));
  const Tensor big = Tensor::empty({1, 1, 1}, Dtype::int64), square = Tensor::empty({1, 1, 1}, Dtype::int64);
  big.data<int64_t>()[0] = (int64_t(1) << 62) + 1;
  kernels::matmul(here, square, big, big, false);
  EXPECT_EQ(square.data<int64_t>()[0], (int64_t(1) << 63) + 1);
}

TEST(Matmul, HalfOperandsMaySumIntoFloat) {
  const Tensor a = random_tensor({1, 6, 30}, Dtype::bfloat16, 1), b = random_tensor({1, 30, 8}, Dtype::bfloat16, 2);
  const Tensor out = Tensor::empty({1, 6, 8});
  kernels::matmul(here, out, a, b, false);
  expect_product(out, a, b, nullptr);
}

TEST(Matmul, EmptySizes) {
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16, Dtype::float64, Dtype::int32}) {
    const Tensor out = random_tensor({2, 3, 4}, dtype, 1), before = copy_of(out);
    kernels::matmul(here, out, Tensor::empty({2, 3, 0}, dtype), Tensor::empty({2, 0, 4}, dtype), true);
    EXPECT_TRUE(same_bits(out, before)) << dtype;
    kernels::matmul(here, out, Tensor::empty({2, 3, 0}, dtype), Tensor::empty({2, 0, 4}, dtype), false);
    for (int64_t i = 0; i < out.numel(); ++i) EXPECT_EQ(value(out, i), 0) << dtype;
    kernels::matmul(here, Tensor::empty({0, 3, 4}, dtype), Tensor::empty({0, 3, 5}, dtype),
                    Tensor::empty({0, 5, 4}, dtype), false);
    kernels::matmul(here, Tensor::empty({2, 0, 4}, dtype), Tensor::empty({2, 0, 5}, dtype),
                    Tensor::empty({2, 5, 4}, dtype), false);
  }
}

struct PackCase {
  Dtype input, weight, output, bias;
};

class MatmulPacked : public ::testing::TestWithParam<PackCase> {};

TEST_P(MatmulPacked, BothUsesHaveTheValuesOfThePlainProduct) {
  const auto [input, weight_type, output, bias_type] = GetParam();
  const int64_t out_features = 70, in_features = 45, m = 21;
  const Tensor weight = random_tensor({out_features, in_features}, weight_type, 1);
  for (PackUse use : {PackUse::forward, PackUse::backward}) {
    const bool forward = use == PackUse::forward;
    const int64_t k = forward ? in_features : out_features, n = forward ? out_features : in_features;
    const Ref<kernels::PackedWeight> packed = kernels::pack(here, weight, use, input);
    EXPECT_EQ(packed->depth(), k);
    EXPECT_EQ(packed->columns(), n);
    EXPECT_EQ(packed->use(), use);
    EXPECT_GE(packed->bytes(), size_t(weight.numel()) * dtype_size(weight_type));
    const Tensor x = random_tensor({m, k}, input, 2), bias = random_tensor({n}, bias_type, 3);
    for (bool accumulate : {false, true}) {
      const Tensor start = random_tensor({m, n}, output, 4), out = copy_of(start);
      kernels::matmul_packed(here, out, x, *packed, bias, accumulate);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          double want = (accumulate ? value(start, i * n + j) : 0) + value(bias, j);
          for (int64_t p = 0; p < k; ++p)
            want += value(x, i * k + p) * value(weight, forward ? j * in_features + p : p * in_features + j);
          ASSERT_NEAR(value(out, i * n + j), want, tolerance(output)) << i << "," << j;
        }
      const Tensor plain = copy_of(start), again = copy_of(start);
      kernels::matmul_packed(here, again, x, *packed, Tensor(), accumulate);
      const Tensor w = weight.alias({1, k, n}, {0, forward ? 1 : in_features, forward ? in_features : 1}, 0);
      kernels::matmul(here, plain.alias({1, m, n}, {m * n, n, 1}, 0), x.alias({1, m, k}, {m * k, k, 1}, 0), w,
                      accumulate);
      EXPECT_TRUE(packed->uses_half_products() || same_bits(plain, again)) << "packed and plain differ";
    }
  }
}

TEST_P(MatmulPacked, RowsStridesAndThreadsDoNotChangeBits) {
  const auto [input, weight_type, output, bias_type] = GetParam();
  const int64_t n = 96, k = 150, most = 200;
  const Ref<kernels::PackedWeight> packed =
      kernels::pack(here, random_tensor({n, k}, weight_type, 1), PackUse::forward, input);
  const Tensor x = random_tensor({most, k}, input, 2), bias = random_tensor({n}, bias_type, 3);
  const Tensor whole = Tensor::empty({most, n}, output);
  kernels::matmul_packed(here, whole, x, *packed, bias, false);
  const int threads = cpu::num_threads();
  for (int64_t m : {1, 2, 3, 8, 31, 64, 65, 129}) {
    cpu::set_num_threads(int(m % 3) + 1);
    const int64_t first = most - m - 3;
    const Tensor rows = x.alias({m, k}, {k, 1}, first * k), part = Tensor::empty({m, n}, output);
    kernels::matmul_packed(here, part, rows, *packed, bias, false);
    EXPECT_EQ(std::memcmp(part.raw(), static_cast<char*>(whole.raw()) + size_t(first * n) * dtype_size(output),
                          size_t(m * n) * dtype_size(output)),
              0)
        << m << " rows";
    // The same rows as a transposed view, into rows of a wider matrix.
    const Tensor flipped = stored_transposed(rows.alias({1, m, k}, {m * k, k, 1}, first * k));
    const Tensor wide = Tensor::empty({m, n + 5}, output);
    kernels::matmul_packed(here, wide.alias({m, n}, {n + 5, 1}, 2), flipped.alias({m, k}, {1, m}, 0), *packed, bias,
                           false);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) ASSERT_EQ(value(wide, i * (n + 5) + 2 + j), value(part, i * n + j));
  }
  cpu::set_num_threads(threads);
}

const PackCase cases[] = {{Dtype::float32, Dtype::float32, Dtype::float32, Dtype::float32},
                          {Dtype::float64, Dtype::float64, Dtype::float64, Dtype::float64},
                          {Dtype::float32, Dtype::bfloat16, Dtype::float32, Dtype::float32},
                          {Dtype::float32, Dtype::float16, Dtype::float32, Dtype::float32},
                          {Dtype::bfloat16, Dtype::bfloat16, Dtype::bfloat16, Dtype::bfloat16},
                          {Dtype::bfloat16, Dtype::bfloat16, Dtype::float32, Dtype::float32},
                          {Dtype::float16, Dtype::float16, Dtype::float16, Dtype::float16}};
INSTANTIATE_TEST_SUITE_P(Types, MatmulPacked, ::testing::ValuesIn(cases));

TEST(MatmulPackedErrors, TypesAreChecked) {
  const Tensor w = Tensor::empty({4, 4});
  EXPECT_THROW(kernels::pack(here, w, PackUse::forward, Dtype::bfloat16), DtypeError);
  EXPECT_THROW(kernels::pack(here, Tensor::empty({4, 4}, Dtype::int32), PackUse::forward, Dtype::int32), DtypeError);
  EXPECT_THROW(kernels::pack(here, Tensor::empty({4}), PackUse::forward, Dtype::float32), ShapeError);
}

TEST(MatmulPackedSizes, EmptyDepthAndRows) {
  const Ref<kernels::PackedWeight> packed =
      kernels::pack(here, Tensor::empty({4, 0}), PackUse::forward, Dtype::float32);
  const Tensor out = random_tensor({3, 4}, Dtype::float32, 1);
  kernels::matmul_packed(here, out, Tensor::empty({3, 0}), *packed, Tensor(), false);
  for (int64_t i = 0; i < 12; ++i) EXPECT_EQ(value(out, i), 0);
  kernels::matmul_packed(here, Tensor::empty({0, 4}), Tensor::empty({0, 0}), *packed, Tensor(), false);
}

TEST(Matmul, AGroupHasTheBitsOfItsProducts) {
  struct Sizes {
    int64_t m, n, k;
  };
  // Few rows, many, none; depth 0; narrow and deep (cut by rows); large enough to take all threads.
  const std::vector<Sizes> all = {{1, 16, 576},   {5, 70, 16},   {0, 8, 8},     {3, 4, 0},     {100, 7, 2500},
                                  {33, 16, 4096}, {1, 64, 2048}, {16, 300, 40}, {200, 600, 90}};
  const cpu::Isa before = cpu::isa();
  for (cpu::Isa isa : {cpu::Isa::generic, cpu::Isa::avx2, cpu::Isa::avx512}) {
    if (isa > cpu::best_isa()) continue;
    cpu::set_isa(isa);
    for (bool accumulate : {false, true})
      for (int threads : {1, 3}) {
        cpu::set_num_threads(threads);
        std::vector<Tensor> operands, expected, got;
        std::vector<kernels::GroupedProduct> products;
        for (size_t i = 0; i < all.size(); ++i) {
          const auto [m, n, k] = all[i];
          const Tensor a = random_tensor({1, m, k}, Dtype::float32, uint32_t(i)),
                       b = stored_transposed(random_tensor({1, k, n}, Dtype::float32, uint32_t(i + 20)));
          const float scale = accumulate ? 1.0f : 1.5f;
          expected.push_back(random_tensor({1, m, n}, Dtype::float32, uint32_t(i + 40)));
          got.push_back(copy_of(expected[i]));
          kernels::matmul(here, expected[i], a, b, accumulate);
          for (int64_t e = 0; e < m * n; ++e) expected[i].data<float>()[e] *= scale;
          products.push_back({m, n, k, a.data<float>(), a.stride(1), a.stride(2), b.data<float>(), b.stride(1),
                              b.stride(2), got[i].data<float>(), n, scale});
          operands.push_back(a);
          operands.push_back(b);
        }
        kernels::matmul_grouped(here, products, accumulate);
        for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(same_bits(got[i], expected[i])) << i << " " << accumulate;
        kernels::matmul_grouped(here, {}, accumulate);
      }
  }
  cpu::set_isa(before);
  cpu::set_num_threads(2);
}

}  // namespace
}  // namespace hearth
