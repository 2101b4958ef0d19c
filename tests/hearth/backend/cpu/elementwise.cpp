// Element-wise kernels: an element's bits do not depend on where it lies, on its neighbours or on the thread count;
// values against libm in double on every instruction set; copies and conversions.
#include "hearth/backend/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"

namespace hearth {
namespace {

using kernels::BinaryOp;
using kernels::CompareOp;
using kernels::ParametricOp;
using kernels::UnaryOp;

constexpr Dtype floating_types[] = {Dtype::float32, Dtype::float64, Dtype::bfloat16, Dtype::float16};
constexpr Dtype every_type[] = {Dtype::boolean, Dtype::uint8,   Dtype::int8,     Dtype::int16,   Dtype::int32,
                                Dtype::int64,   Dtype::float16, Dtype::bfloat16, Dtype::float32, Dtype::float64};

/// Numbers of many sizes with the special ones in between.
Tensor numbers(int64_t n, Dtype dtype, uint64_t seed) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const double special[] = {0.0, -0.0, 1, -1, inf, -inf, NAN, 1e-30, -3e4, 150, -1000.5, 2.5, 0.5};
  Tensor x = Tensor::empty({n}, Dtype::float64);
  uint64_t state = seed;
  for (int64_t i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const double unit = double(state >> 11) * 0x1p-52 - 1.0;
    x.data<double>()[i] =
        i % 5 == 3 ? special[size_t(i / 5) % std::size(special)] : unit * std::pow(10.0, double(i % 4) - 1);
  }
  return to(x, dtype);
}

/// The same bits; which of the many NaNs an element holds is left open (the compiler may swap operands of a sum).
bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = contiguous(a), y = contiguous(b);
  if (!(x.shape() == y.shape()) || x.dtype() != y.dtype()) return false;
  const size_t size = dtype_size(x.dtype());
  const auto nan_x = to_vector<uint8_t>(isnan(x)), nan_y = to_vector<uint8_t>(isnan(y));
  for (size_t i = 0; i < nan_x.size(); ++i) {
    const bool same =
        std::memcmp(static_cast<char*>(x.raw()) + i * size, static_cast<char*>(y.raw()) + i * size, size) == 0;
    if (!same && !(nan_x[i] && nan_y[i])) return false;
  }
  return true;
}

class ElementwiseKernel : public testing::Test {
 protected:
  void TearDown() override {
    cpu::set_isa(isa_);
    cpu::set_num_threads(threads_);
  }
  void each_isa(const std::function<void()>& f) {
    for (cpu::Isa isa : {cpu::Isa::generic, cpu::Isa::avx2, cpu::Isa::avx512}) {
      if (isa > cpu::best_isa()) continue;
      cpu::set_isa(isa);
      SCOPED_TRACE(cpu::isa_name(isa));
      f();
    }
    cpu::set_isa(isa_);
  }
  cpu::Isa isa_ = cpu::isa();
  int threads_ = cpu::num_threads();
};

/// x's elements every `gap` places in memory, starting at `start`.
Tensor spread(const Tensor& x, int64_t gap, int64_t start) {
  Tensor memory = zeros({start + x.numel() * gap}, x.dtype());
  const Tensor place = slice(memory, 0, start, start + x.numel() * gap, gap);
  copy_(place, x);
  return place;
}

using Apply = std::function<void(const Tensor& out, const TensorList& in)>;

/// The op on whole tensors, on single elements, with gaps, shifted, as short rows and over a gap: the same bits.
void expect_one_function(const std::string& what, const Apply& apply, const TensorList& in, Dtype out_dtype) {
  const int64_t n = in[0].numel();
  const Tensor whole = Tensor::empty({n}, out_dtype);
  apply(whole, in);
  for (int64_t i = 0; i < n; i += 7) {
    TensorList one;
    for (const Tensor& x : in) one.push_back(narrow(x, 0, i, 1));
    const Tensor out = Tensor::empty({1}, out_dtype);
    apply(out, one);
    ASSERT_TRUE(same_bits(out, narrow(whole, 0, i, 1))) << what << " alone, element " << i;
  }
  TensorList gapped, rows, shifted;
  for (const Tensor& x : in) {
    gapped.push_back(spread(x, 3, 1));
    rows.push_back(transpose(contiguous(transpose(reshape(x, {n / 3, 3}), 0, 1)), 0, 1));
    shifted.push_back(narrow(x, 0, 5, n - 5));
  }
  const Tensor place = spread(whole, 2, 1);
  zero_(place);
  apply(place, gapped);
  ASSERT_TRUE(same_bits(place, whole)) << what << " with gaps";
  const Tensor short_rows = Tensor::empty({n / 3, 3}, out_dtype);
  apply(short_rows, rows);
  ASSERT_TRUE(same_bits(reshape(short_rows, {n}), whole)) << what << " in short rows";
  const Tensor tail = Tensor::empty({n - 5}, out_dtype);
  apply(tail, shifted);
  ASSERT_TRUE(same_bits(tail, narrow(whole, 0, 5, n - 5))) << what << " shifted";
}

TEST_F(ElementwiseKernel, UnaryBitsDoNotDependOnPlace) {
  each_isa([&] {
    for (Dtype dtype : floating_types)
      for (int op = 0; op <= int(UnaryOp::isfinite); ++op) {
        if (UnaryOp(op) == UnaryOp::bitwise_not) continue;
        const bool question = UnaryOp(op) >= UnaryOp::logical_not;
        expect_one_function(
            "unary op " + std::to_string(op) + " " + std::string(dtype_name(dtype)),
            [&](const Tensor& out, const TensorList& in) { kernels::unary({}, UnaryOp(op), out, in[0]); },
            {numbers(411, dtype, 1)}, question ? Dtype::boolean : dtype);
        if (HasFatalFailure()) return;
      }
  });
}

TEST_F(ElementwiseKernel, ParametricBitsDoNotDependOnPlace) {
  each_isa([&] {
    for (Dtype dtype : floating_types)
      for (int op = 0; op <= int(ParametricOp::threshold); ++op)
        expect_one_function(
            "parametric op " + std::to_string(op),
            [&](const Tensor& out, const TensorList& in) {
              kernels::parametric({}, ParametricOp(op), out, in[0], 0.3, 1.7, 0.9);
            },
            {numbers(411, dtype, 2)}, dtype);
  });
}

TEST_F(ElementwiseKernel, BinaryBitsDoNotDependOnPlace) {
  each_isa([&] {
    for (Dtype dtype : floating_types) {
      const TensorList in{numbers(411, dtype, 3), numbers(411, dtype, 4)};
      for (int op = 0; op <= int(BinaryOp::gelu_tanh_backward); ++op) {
        if (BinaryOp(op) >= BinaryOp::bitwise_and && BinaryOp(op) <= BinaryOp::right_shift) continue;
        expect_one_function(
            "binary op " + std::to_string(op) + " " + std::string(dtype_name(dtype)),
            [&](const Tensor& out, const TensorList& x) { kernels::binary({}, BinaryOp(op), out, x[0], x[1]); }, in,
            dtype);
        if (HasFatalFailure()) return;
      }
      for (int op = 0; op <= int(CompareOp::ge); ++op)
        expect_one_function(
            "comparison " + std::to_string(op),
            [&](const Tensor& out, const TensorList& x) { kernels::compare({}, CompareOp(op), out, x[0], x[1]); }, in,
            Dtype::boolean);
    }
  });
}

TEST_F(ElementwiseKernel, LoneNumbersAndThreads) {
  each_isa([&] {
    for (Dtype dtype : {Dtype::float32, Dtype::bfloat16, Dtype::int32}) {
      const Tensor x = to(numbers(100003, Dtype::float32, 5), dtype), y = full({}, 3, dtype);
      const Tensor spread_out = full(x.shape(), 3, dtype);
      for (BinaryOp op : {BinaryOp::add, BinaryOp::sub, BinaryOp::pow, BinaryOp::maximum}) {
        const Tensor expected = empty_like(x), seen = empty_like(x);
        cpu::set_num_threads(1);
        kernels::binary({}, op, expected, x, spread_out);
        cpu::set_num_threads(3);
        kernels::binary({}, op, seen, x, expand(y, x.shape()));
        EXPECT_TRUE(same_bits(expected, seen)) << dtype;
        kernels::binary({}, op, expected, spread_out, x);
        kernels::binary({}, op, seen, expand(y, x.shape()), x);
        EXPECT_TRUE(same_bits(expected, seen)) << dtype;
        kernels::binary({}, op, seen, expand(y, x.shape()), expand(y, x.shape()));
        EXPECT_EQ(seen.alias({1}, {1}, 0).item(), seen.alias({1}, {1}, 100002).item());
      }
    }
  });
}

TEST_F(ElementwiseKernel, OutputMayBeAnOperand) {
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    const Tensor x = numbers(2000, dtype, 6), y = numbers(2000, dtype, 7), expected = empty_like(x);
    kernels::binary({}, BinaryOp::mul, expected, x, y);
    const Tensor left = clone(x), right = clone(y);
    kernels::binary({}, BinaryOp::mul, left, left, y);
    kernels::binary({}, BinaryOp::mul, right, x, right);
    EXPECT_TRUE(same_bits(expected, left) && same_bits(expected, right)) << dtype;
  }
}

TEST_F(ElementwiseKernel, ValuesAgainstLibm) {
  struct Function {
    UnaryOp op;
    double (*f)(double);
    double low, high;
  };
  const Function functions[] = {{UnaryOp::exp, std::exp, -80, 80},       {UnaryOp::log, std::log, 1e-6, 1e6},
                                {UnaryOp::sin, std::sin, -200, 200},     {UnaryOp::tanh, std::tanh, -9, 9},
                                {UnaryOp::erf, std::erf, -3, 3},         {UnaryOp::log1p, std::log1p, -0.9, 1e5},
                                {UnaryOp::lgamma, std::lgamma, 0.1, 50}, {UnaryOp::atan, std::atan, -50, 50}};
  each_isa([&] {
    for (const Function& function : functions)
      for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
        const Tensor x = linspace(function.low, function.high, 997, dtype), y = empty_like(x);
        kernels::unary({}, function.op, y, x);
        const std::vector<double> in = to_vector<double>(x), out = to_vector<double>(y);
        const double unit = dtype == Dtype::float32 ? 1.2e-7 : 2.3e-16;
        for (size_t i = 0; i < in.size(); ++i) {
          const double expected = function.f(in[i]);
          ASSERT_NEAR(out[i], expected, 3 * unit * std::max(std::fabs(expected), 1e-3))
              << "op " << int(function.op) << " at " << in[i];
        }
      }
  });
}

TEST_F(ElementwiseKernel, CopiesOfEveryGeometry) {
  for (Dtype dtype : {Dtype::uint8, Dtype::int16, Dtype::float32, Dtype::int64}) {
    const Tensor x = to(reshape(arange(0, 37 * 19 * 5), {37, 19, 5}), dtype);
    for (const Shape& order : {Shape{2, 1, 0}, Shape{1, 0, 2}, Shape{0, 2, 1}, Shape{2, 0, 1}}) {
      const Tensor view = permute(x, order), y = Tensor::empty(view.shape(), dtype);
      kernels::copy({}, y, view);
      for (int64_t a = 0; a < view.size(0); a += 3)
        for (int64_t b = 0; b < view.size(1); b += 2)
          for (int64_t c = 0; c < view.size(2); ++c)
            ASSERT_EQ(select(select(select(y, 0, a), 0, b), 0, c).item(),
                      select(select(select(view, 0, a), 0, b), 0, c).item())
                << dtype;
      const Tensor back = Tensor::empty({37, 19, 5}, dtype);
      kernels::copy({}, permute(back, order), y);
      ASSERT_TRUE(same_bits(back, x)) << dtype;
    }
  }
  // More dimensions than fit without the heap.
  const Tensor deep = permute(reshape(arange(0, 1024), Shape(10, 2)), {9, 7, 5, 3, 1, 8, 6, 4, 2, 0});
  const Tensor sum_deep = Tensor::empty(deep.shape(), Dtype::int64);
  kernels::binary({}, BinaryOp::add, sum_deep, deep, deep);
  EXPECT_TRUE(same_bits(sum_deep, mul(clone(deep), 2)));
}

TEST_F(ElementwiseKernel, ConversionsAreDefined) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const Tensor x = from_values<double>({0, -0.0, 1.9, -1.9, 300, -129, 3e9, 1e30, -1e30, inf, -inf, NAN});
  each_isa([&] {
    for (Dtype from : every_type)
      for (Dtype target : every_type) {
        const Tensor source = to(x, from), whole = to(source, target);
        for (int64_t i = 0; i < x.numel(); ++i)
          ASSERT_TRUE(same_bits(to(narrow(source, 0, i, 1), target), narrow(whole, 0, i, 1)))
              << from << " to " << target << " element " << i;
        EXPECT_TRUE(same_bits(to(spread(source, 2, 1), target), whole));
      }
  });
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(to_vector<int64_t>(to(x, Dtype::int64)),
            (std::vector<int64_t>{0, 0, 1, -1, 300, -129, 3000000000, least, least, least, least, least}));
  EXPECT_EQ(to(narrow(x, 0, 6, 1), Dtype::int32).item_int(), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(to(narrow(x, 0, 4, 1), Dtype::uint8).item_int(), 44);
  EXPECT_EQ(to(narrow(x, 0, 11, 1), Dtype::boolean).item_int(), 1);
  EXPECT_EQ(to(from_values<int64_t>({256}), Dtype::boolean).item_int(), 1);
}

TEST_F(ElementwiseKernel, Fill) {
  Tensor x = zeros({4, 6}, Dtype::int16);
  kernels::fill({}, slice(x, 1, 1, 6, 2), 7);
  EXPECT_EQ(sum(x).item_int(), 7 * 12);
  kernels::fill({}, x, 70000);
  EXPECT_EQ(to_vector<int64_t>(x)[0], 70000 - 65536);
}

TEST_F(ElementwiseKernel, RefusesWhatIsNotDefined) {
  const Tensor x = zeros({3}), i = zeros({3}, Dtype::int32);
  EXPECT_THROW(kernels::binary({}, BinaryOp::bitwise_and, x, x, x), DtypeError);
  EXPECT_THROW(kernels::unary({}, UnaryOp::exp, i, i), DtypeError);
  EXPECT_THROW(kernels::parametric({}, ParametricOp::clamp, i, i, 0, 1, 0), DtypeError);
  EXPECT_THROW(kernels::binary({}, BinaryOp::floor_divide, i, i, i), ValueError);
}

}  // namespace
}  // namespace hearth
