// Integer element-wise functions: wrapping arithmetic is done on unsigned numbers, so nothing here is undefined.
#include "hearth/backend/cpu/integer.h"

#include "hearth/core/error.h"

namespace hearth::cpu {

namespace {

int64_t wrapping_negate(int64_t x) { return int64_t(0 - uint64_t(x)); }
int64_t wrapping_multiply(int64_t x, int64_t y) { return int64_t(uint64_t(x) * uint64_t(y)); }

int64_t truncated_divide(int64_t x, int64_t y) {
  check<ValueError>(y != 0, "div: integer division by zero");
  return y == -1 ? wrapping_negate(x) : x / y;
}

int64_t floor_divide(int64_t x, int64_t y) {
  const int64_t quotient = truncated_divide(x, y);
  return y != -1 && x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient;
}

int64_t truncated_remainder(int64_t x, int64_t y) {
  check<ValueError>(y != 0, "remainder: integer division by zero");
  return y == -1 ? 0 : x % y;
}

int64_t floor_remainder(int64_t x, int64_t y) {
  const int64_t rest = truncated_remainder(x, y);
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  int64_t result = 1;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result = wrapping_multiply(result, base);
    base = wrapping_multiply(base, base);
  }
  return result;
}

int64_t left_shift(int64_t x, int64_t y) { return y < 0 || y > 63 ? 0 : int64_t(uint64_t(x) << y); }
int64_t right_shift(int64_t x, int64_t y) { return x >> (y < 0 || y > 63 ? 63 : y); }

template <class F>
void run_unary(int64_t* y, const int64_t* x, int64_t n, const int64_t*) {
  const F f{};
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <class F>
UnaryChunk<int64_t> unary(F) {
  return run_unary<F>;
}

template <class F>
void run_binary(int64_t* z, const int64_t* x, bool x_one, const int64_t* y, bool y_one, int64_t n) {
  const F f{};
  if (x_one) {
    const int64_t a = *x;
    for (int64_t i = 0; i < n; ++i) z[i] = f(a, y[i]);
  } else if (y_one) {
    const int64_t b = *y;
    for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], b);
  } else {
    for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
  }
}
template <class F>
BinaryChunk<int64_t> binary(F) {
  return run_binary<F>;
}

using I = int64_t;

}  // namespace

UnaryChunk<int64_t> integer_unary(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  switch (op) {
    case K::neg:
      return unary([](I x) { return wrapping_negate(x); });
    case K::abs:
      return unary([](I x) { return x < 0 ? wrapping_negate(x) : x; });
    case K::sign:
      return unary([](I x) { return I(x > 0) - I(x < 0); });
    case K::ceil:
    case K::floor:
    case K::round:
    case K::trunc:
      return unary([](I x) { return x; });
    case K::square:
      return unary([](I x) { return wrapping_multiply(x, x); });
    case K::relu:
      return unary([](I x) { return x > 0 ? x : 0; });
    case K::bitwise_not:
      return unary([](I x) { return ~x; });
    default:
      return nullptr;
  }
}

BinaryChunk<int64_t> integer_binary(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  switch (op) {
    case K::add:
      return binary([](I x, I y) { return I(uint64_t(x) + uint64_t(y)); });
    case K::sub:
      return binary([](I x, I y) { return I(uint64_t(x) - uint64_t(y)); });
    case K::mul:
      return binary([](I x, I y) { return wrapping_multiply(x, y); });
    case K::div:
      return binary([](I x, I y) { return truncated_divide(x, y); });
    case K::floor_divide:
      return binary([](I x, I y) { return floor_divide(x, y); });
    case K::remainder:
      return binary([](I x, I y) { return floor_remainder(x, y); });
    case K::fmod:
      return binary([](I x, I y) { return truncated_remainder(x, y); });
    case K::pow:
      return binary([](I x, I y) { return power(x, y); });
    case K::maximum:
    case K::fmax:
      return binary([](I x, I y) { return x > y ? x : y; });
    case K::minimum:
    case K::fmin:
      return binary([](I x, I y) { return x < y ? x : y; });
    case K::bitwise_and:
      return binary([](I x, I y) { return x & y; });
    case K::bitwise_or:
      return binary([](I x, I y) { return x | y; });
    case K::bitwise_xor:
      return binary([](I x, I y) { return x ^ y; });
    case K::left_shift:
      return binary([](I x, I y) { return left_shift(x, y); });
    case K::right_shift:
      return binary([](I x, I y) { return right_shift(x, y); });
    default:
      return nullptr;
  }
}

}  // namespace hearth::cpu
