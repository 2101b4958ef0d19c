// Integer element-wise functions: wrapping arithmetic is done on unsigned numbers, so nothing here is undefined.
#include "hearth/backend/cpu/integer.h"

#include "hearth/core/error.h"

namespace hearth::cpu {

namespace {

template <class I>
I wrapping_negate(I x) {
  return I(0 - uint64_t(x));
}
template <class I>
I wrapping_multiply(I x, I y) {
  return I(uint64_t(x) * uint64_t(y));
}

/// The one divisor whose quotient may overflow: -1, which unsigned numbers do not have.
template <class I>
bool is_minus_one(I x) {
  return std::is_signed_v<I> && x == I(-1);
}

template <class I>
I truncated_divide(I x, I y) {
  check<ValueError>(y != 0, "div: integer division by zero");
  return is_minus_one(y) ? wrapping_negate(x) : x / y;
}

template <class I>
I floor_divide(I x, I y) {
  const I quotient = truncated_divide(x, y);
  return !is_minus_one(y) && x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient;
}

template <class I>
I truncated_remainder(I x, I y) {
  check<ValueError>(y != 0, "remainder: integer division by zero");
  return is_minus_one(y) ? 0 : x % y;
}

template <class I>
I floor_remainder(I x, I y) {
  const I rest = truncated_remainder(x, y);
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

template <class I>
I power(I base, I exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == I(-1) ? (exponent % 2 == 0 ? 1 : I(-1)) : 0;
  I result = 1;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result = wrapping_multiply(result, base);
    base = wrapping_multiply(base, base);
  }
  return result;
}

template <class I>
I left_shift(I x, I y) {
  return y < 0 || y > 63 ? 0 : I(uint64_t(x) << y);
}
template <class I>
I right_shift(I x, I y) {
  if (y >= 0 && y <= 63) return x >> y;
  return std::is_signed_v<I> ? x >> 63 : 0;
}

template <class I, class F>
void run_unary(I* y, const I* x, int64_t n, const I*) {
  const F f{};
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <class I, class F>
UnaryChunk<I> unary(F) {
  return run_unary<I, F>;
}

/// O is bool for a comparison.
template <class O, class I, class F>
void run_binary(O* z, const I* x, bool x_one, const I* y, bool y_one, int64_t n) {
  const F f{};
  if (x_one) {
    const I a = *x;
    for (int64_t i = 0; i < n; ++i) z[i] = f(a, y[i]);
  } else if (y_one) {
    const I b = *y;
    for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], b);
  } else {
    for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
  }
}
template <class I, class F>
BinaryChunk<I> binary(F) {
  return run_binary<I, I, F>;
}
template <class F>
CompareChunk<uint64_t> comparison(F) {
  return run_binary<bool, uint64_t, F>;
}

}  // namespace

template <class I>
UnaryChunk<I> integer_unary(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  switch (op) {
    case K::neg:
      return unary<I>([](I x) { return wrapping_negate(x); });
    case K::abs:
      return unary<I>([](I x) { return x < 0 ? wrapping_negate(x) : x; });
    case K::sign:
      return unary<I>([](I x) { return I(x > 0) - I(x < 0); });
    case K::ceil:
    case K::floor:
    case K::round:
    case K::trunc:
      return unary<I>([](I x) { return x; });
    case K::square:
      return unary<I>([](I x) { return wrapping_multiply(x, x); });
    case K::relu:
      return unary<I>([](I x) { return x > 0 ? x : I(0); });
    case K::bitwise_not:
      return unary<I>([](I x) { return ~x; });
    default:
      return nullptr;
  }
}

template UnaryChunk<int64_t> integer_unary(kernels::UnaryOp);
template UnaryChunk<uint64_t> integer_unary(kernels::UnaryOp);

template <class I>
BinaryChunk<I> integer_binary(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  switch (op) {
    case K::add:
      return binary<I>([](I x, I y) { return I(uint64_t(x) + uint64_t(y)); });
    case K::sub:
      return binary<I>([](I x, I y) { return I(uint64_t(x) - uint64_t(y)); });
    case K::mul:
      return binary<I>([](I x, I y) { return wrapping_multiply(x, y); });
    case K::div:
      return binary<I>([](I x, I y) { return truncated_divide(x, y); });
    case K::floor_divide:
      return binary<I>([](I x, I y) { return floor_divide(x, y); });
    case K::remainder:
      return binary<I>([](I x, I y) { return floor_remainder(x, y); });
    case K::fmod:
      return binary<I>([](I x, I y) { return truncated_remainder(x, y); });
    case K::pow:
      return binary<I>([](I x, I y) { return power(x, y); });
    case K::maximum:
    case K::fmax:
      return binary<I>([](I x, I y) { return x > y ? x : y; });
    case K::minimum:
    case K::fmin:
      return binary<I>([](I x, I y) { return x < y ? x : y; });
    case K::bitwise_and:
      return binary<I>([](I x, I y) { return x & y; });
    case K::bitwise_or:
      return binary<I>([](I x, I y) { return x | y; });
    case K::bitwise_xor:
      return binary<I>([](I x, I y) { return x ^ y; });
    case K::left_shift:
      return binary<I>([](I x, I y) { return left_shift(x, y); });
    case K::right_shift:
      return binary<I>([](I x, I y) { return right_shift(x, y); });
    default:
      return nullptr;
  }
}

template BinaryChunk<int64_t> integer_binary(kernels::BinaryOp);
template BinaryChunk<uint64_t> integer_binary(kernels::BinaryOp);

CompareChunk<uint64_t> unsigned_compare(kernels::CompareOp op) {
  using K = kernels::CompareOp;
  using U = uint64_t;
  switch (op) {
    case K::eq:
      return comparison([](U x, U y) { return x == y; });
    case K::ne:
      return comparison([](U x, U y) { return x != y; });
    case K::lt:
      return comparison([](U x, U y) { return x < y; });
    case K::le:
      return comparison([](U x, U y) { return x <= y; });
    case K::gt:
      return comparison([](U x, U y) { return x > y; });
    case K::ge:
      return comparison([](U x, U y) { return x >= y; });
  }
  return nullptr;
}

}  // namespace hearth::cpu
