// Reductions: values against float64, and the same bits along memory, across it, gathered and on any thread count.
#include "hearth/backend/kernels/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"

namespace hearth {
namespace {

using kernels::ReduceOp;

Tensor random_matrix(int64_t rows, int64_t columns, Dtype dtype, uint32_t seed = 1) {
  Tensor x = Tensor::empty({rows, columns}, Dtype::float64);
  uint32_t state = seed;
  for (int64_t i = 0; i < x.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    x.data<double>()[i] = double(int32_t(state)) / 2147483648.0;
  }
  return to(x, dtype);
}

Tensor reduce_rows(ReduceOp op, const Tensor& x) {
  Tensor out = Tensor::empty({x.size(0)}, x.dtype());
  kernels::reduce({}, op, out, x);
  return out;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.numel() == b.numel() && std::memcmp(a.raw(), b.raw(), size_t(a.numel()) * dtype_size(a.dtype())) == 0;
}

std::vector<cpu::Isa> sets() {
  std::vector<cpu::Isa> all{cpu::Isa::generic};
  if (cpu::best_isa() >= cpu::Isa::avx2) all.push_back(cpu::Isa::avx2);
  if (cpu::best_isa() >= cpu::Isa::avx512) all.push_back(cpu::Isa::avx512);
  return all;
}

class Reduce : public testing::Test {
 protected:
  void TearDown() override {
    cpu::set_isa(isa_);
    cpu::set_num_threads(threads_);
  }
  cpu::Isa isa_ = cpu::isa();
  int threads_ = cpu::num_threads();
};

TEST_F(Reduce, SumAgainstFloat64) {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::bfloat16, Dtype::float16})
    for (int64_t n : {1, 2, 63, 64, 65, 200, 4096, 4097, 20000}) {
      const Tensor x = random_matrix(3, n, dtype);
      const auto wide = to_vector<double>(x);
      const auto got = to_vector<double>(reduce_rows(ReduceOp::sum, x));
      for (size_t r = 0; r < 3; ++r) {
        double expected = 0;
        for (size_t i = 0; i < size_t(n); ++i) expected += wide[r * size_t(n) + i];
        const double unit = dtype == Dtype::bfloat16 ? 0.004 : dtype == Dtype::float16 ? 5e-4 : 1e-6;
        EXPECT_NEAR(got[r], expected, unit * (std::fabs(expected) + std::sqrt(double(n)))) << dtype << " n " << n;
      }
    }
}

TEST_F(Reduce, BitsDoNotDependOnLayoutSetOrThreads) {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::bfloat16})
    for (int64_t n : {7, 64, 4500})
      for (ReduceOp op : {ReduceOp::sum, ReduceOp::prod, ReduceOp::max, ReduceOp::min}) {
        const Tensor x = random_matrix(70, n, dtype);
        const Tensor expected = reduce_rows(op, x);
        const Tensor across = transpose(contiguous(transpose(x, 0, 1)), 0, 1);
        const Tensor spread = zeros({70, n, 2}, dtype);
        copy_(select(spread, 2, 1), x);
        for (cpu::Isa isa : sets()) {
          cpu::set_isa(isa);
          for (int threads : {1, 3}) {
            cpu::set_num_threads(threads);
            EXPECT_TRUE(same_bits(expected, reduce_rows(op, x))) << dtype << ' ' << n;
            EXPECT_TRUE(same_bits(expected, reduce_rows(op, across))) << dtype << ' ' << n;
            EXPECT_TRUE(same_bits(expected, reduce_rows(op, select(spread, 2, 1)))) << dtype << ' ' << n;
            const Tensor one = reduce_rows(op, narrow(x, 0, 41, 1));
            EXPECT_TRUE(same_bits(narrow(expected, 0, 41, 1), one)) << dtype << ' ' << n;
          }
        }
        cpu::set_isa(isa_);
      }
}

TEST_F(Reduce, SpecialValues) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const Tensor x = from_values<double>({1, nan, 3, -inf, 2, 5}, {2, 3});
  EXPECT_TRUE(std::isnan(to_vector<double>(reduce_rows(ReduceOp::max, x))[0]));
  EXPECT_EQ(to_vector<double>(reduce_rows(ReduceOp::max, x))[1], 5);
  EXPECT_EQ(to_vector<double>(reduce_rows(ReduceOp::min, x))[1], -inf);
  Tensor where = Tensor::empty({2}, Dtype::int64);
  kernels::reduce_index({}, kernels::ReduceIndexOp::argmax, Tensor(), where, x);
  EXPECT_EQ(to_vector<int64_t>(where), (std::vector<int64_t>{1, 2}));
  const Tensor none = Tensor::empty({2, 0}, Dtype::float32);
  EXPECT_EQ(to_vector<float>(reduce_rows(ReduceOp::sum, none)), (std::vector<float>{0, 0}));
  EXPECT_EQ(to_vector<float>(reduce_rows(ReduceOp::prod, none)), (std::vector<float>{1, 1}));
}

TEST_F(Reduce, Integers) {
  const Tensor x = from_values<int8_t>({100, 100, 100, -128, 1, 2}, {2, 3});
  Tensor out = Tensor::empty({2}, Dtype::int64);
  kernels::reduce({}, ReduceOp::sum, out, x);
  EXPECT_EQ(to_vector<int64_t>(out), (std::vector<int64_t>{300, -125}));
  EXPECT_EQ(to_vector<int64_t>(reduce_rows(ReduceOp::min, x)), (std::vector<int64_t>{100, -128}));
  Tensor any = Tensor::empty({2}, Dtype::boolean);
  kernels::reduce({}, ReduceOp::all, any, from_values<float>({1, 0, 2, 3}, {2, 2}));
  EXPECT_EQ(to_vector<int64_t>(any), (std::vector<int64_t>{0, 1}));
}

}  // namespace
}  // namespace hearth
