// Functions of two arrays, and comparisons: one function of two Vecs per op, with either operand possibly one number.
#include "hearth/backend/cpu/simd/elementwise.h"
#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {

namespace {

template <class T>
Vec<T> number(double x) {
  return Vec<T>::broadcast(T(x));
}

/// A function that has no vector form, lane by lane.
template <class T, class F>
Vec<T> each_lane(Vec<T> x, Vec<T> y, F f) {
  T a[Vec<T>::size], b[Vec<T>::size];
  x.store(a);
  y.store(b);
  for (int i = 0; i < Vec<T>::size; ++i) a[i] = f(a[i], b[i]);
  return Vec<T>::load(a);
}

// Unlike the template in <cmath>, these overloads stay in this file.
inline float exact_fmod(float x, float y) { return ::fmodf(x, y); }
inline double exact_fmod(double x, double y) { return ::fmod(x, y); }

/// The quotient rounded down, from the exact remainder, as Python defines it.
template <class T>
T floor_quotient(T x, T y) {
  if (y == 0) return x / y;
  const T rest = exact_fmod(x, y);
  T quotient = (x - rest) / y;
  if (rest != 0 && (y < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return T(::copysign(0.0, double(x / y)));
  const T whole = T(::floor(double(quotient)));
  return quotient - whole > T(0.5) ? whole + 1 : whole;
}

/// The remainder with the sign of y.
template <class T>
T floor_remainder(T x, T y) {
  const T rest = exact_fmod(x, y);
  return rest != 0 && (y < 0) != (rest < 0) ? rest + y : rest;
}

template <class T>
T hypotenuse(T x, T y) {
  if constexpr (sizeof(T) == sizeof(float))
    return ::fabsf(x) == HUGE_VALF || ::fabsf(y) == HUGE_VALF
               ? HUGE_VALF
               : T(::sqrt(double(x) * double(x) + double(y) * double(y)));
  else
    return ::hypot(x, y);
}

template <class T>
Vec<T> log_add_exp(Vec<T> x, Vec<T> y) {
  const Vec<T> sum = max_nan(x, y) + log1p(exp(-abs(x - y)));
  return select(x == y, x + number<T>(0.69314718055994530942), sum);
}

/// z = f(x, y) with masked tails; a lone number is broadcast once.
template <class T, class F>
void run_binary(T* z, const T* x, bool x_one, const T* y, bool y_one, int64_t n) {
  using V = Vec<T>;
  const F f{};
  const int tail = int(n % V::size);
  const int64_t whole = n - tail;
  int64_t i = 0;
  if (x_one) {
    const V a = V::broadcast(*x);
    for (; i < whole; i += V::size) f(a, V::load(y + i)).store(z + i);
    if (tail) f(a, V::load(y + i, tail)).store(z + i, tail);
  } else if (y_one) {
    const V b = V::broadcast(*y);
    for (; i < whole; i += V::size) f(V::load(x + i), b).store(z + i);
    if (tail) f(V::load(x + i, tail), b).store(z + i, tail);
  } else {
    for (; i < whole; i += V::size) f(V::load(x + i), V::load(y + i)).store(z + i);
    if (tail) f(V::load(x + i, tail), V::load(y + i, tail)).store(z + i, tail);
  }
}

template <class T, class F>
BinaryChunk<T> chunk(F) {
  return run_binary<T, F>;
}

template <class T>
BinaryChunk<T> arithmetic(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  using V = Vec<T>;
  switch (op) {
    case K::add:
      return chunk<T>([](V x, V y) { return x + y; });
    case K::sub:
      return chunk<T>([](V x, V y) { return x - y; });
    case K::mul:
      return chunk<T>([](V x, V y) { return x * y; });
    case K::div:
      return chunk<T>([](V x, V y) { return x / y; });
    case K::floor_divide:
      return chunk<T>([](V x, V y) { return each_lane(x, y, floor_quotient<T>); });
    case K::remainder:
      return chunk<T>([](V x, V y) { return each_lane(x, y, floor_remainder<T>); });
    case K::fmod:
      return chunk<T>([](V x, V y) { return each_lane(x, y, [](T a, T b) { return exact_fmod(a, b); }); });
    case K::pow:
      return chunk<T>([](V x, V y) { return pow(x, y); });
    case K::maximum:
      return chunk<T>([](V x, V y) { return max_nan(x, y); });
    case K::minimum:
      return chunk<T>([](V x, V y) { return min_nan(x, y); });
    case K::fmax:
      return chunk<T>([](V x, V y) { return select(is_nan(y), x, max(x, y)); });
    case K::fmin:
      return chunk<T>([](V x, V y) { return select(is_nan(y), x, min(x, y)); });
    case K::atan2:
      return chunk<T>([](V x, V y) { return atan2(x, y); });
    case K::hypot:
      return chunk<T>([](V x, V y) { return each_lane(x, y, hypotenuse<T>); });
    case K::copysign:
      return chunk<T>([](V x, V y) { return copysign(x, y); });
    case K::logaddexp:
      return chunk<T>([](V x, V y) { return log_add_exp(x, y); });
    default:
      return nullptr;
  }
}

template <class T>
BinaryChunk<T> activation_gradient(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  using V = Vec<T>;
  switch (op) {
    case K::relu_backward:
      return chunk<T>([](V dy, V y) { return select(y <= V::zero(), V::zero(), dy); });
    case K::sigmoid_backward:
      return chunk<T>([](V dy, V y) { return dy * ((number<T>(1) - y) * y); });
    case K::tanh_backward:
      return chunk<T>([](V dy, V y) { return dy * (number<T>(1) - y * y); });
    case K::silu_backward:
      return chunk<T>([](V dy, V x) {
        const V s = sigmoid(x), one = number<T>(1);
        return dy * (s * (one + x * (one - s)));
      });
    case K::gelu_backward:
      return chunk<T>([](V dy, V x) {
        const V cdf = number<T>(0.5) * (number<T>(1) + erf(x * number<T>(0.70710678118654752440)));
        const V pdf = exp(x * x * number<T>(-0.5)) * number<T>(0.39894228040143267794);
        return dy * (cdf + x * pdf);
      });
    case K::gelu_tanh_backward:
      return chunk<T>([](V dy, V x) {
        const V beta = number<T>(0.79788456080286535588), kappa = number<T>(0.044715), one = number<T>(1);
        const V square = x * x;
        const V t = tanh(beta * (x + kappa * square * x));
        const V slope = beta * (one + number<T>(3) * kappa * square);
        return dy * number<T>(0.5) * ((one + t) + x * ((one - t * t) * slope));
      });
    default:
      return nullptr;
  }
}

/// Plain loops: comparing rounds nothing, so there is no difference between body and tail to guard against.
template <class T, class F>
void run_compare(bool* z, const T* x, bool x_one, const T* y, bool y_one, int64_t n) {
  const F f{};
  if (x_one) {
    const T a = *x;
    for (int64_t i = 0; i < n; ++i) z[i] = f(a, y[i]);
  } else if (y_one) {
    const T b = *y;
    for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], b);
  } else {
    for (int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
  }
}

template <class T, class F>
CompareChunk<T> comparison(F) {
  return run_compare<T, F>;
}

}  // namespace

template <class T>
BinaryChunk<T> binary_chunk(kernels::BinaryOp op) {
  if (BinaryChunk<T> f = arithmetic<T>(op)) return f;
  return activation_gradient<T>(op);
}
template BinaryChunk<float> binary_chunk(kernels::BinaryOp);
template BinaryChunk<double> binary_chunk(kernels::BinaryOp);

template <class T>
CompareChunk<T> compare_chunk(kernels::CompareOp op) {
  using K = kernels::CompareOp;
  switch (op) {
    case K::eq:
      return comparison<T>([](T a, T b) { return a == b; });
    case K::ne:
      return comparison<T>([](T a, T b) { return a != b; });
    case K::lt:
      return comparison<T>([](T a, T b) { return a < b; });
    case K::le:
      return comparison<T>([](T a, T b) { return a <= b; });
    case K::gt:
      return comparison<T>([](T a, T b) { return a > b; });
    case K::ge:
      return comparison<T>([](T a, T b) { return a >= b; });
  }
  return nullptr;
}
template CompareChunk<float> compare_chunk(kernels::CompareOp);
template CompareChunk<double> compare_chunk(kernels::CompareOp);
template CompareChunk<int64_t> compare_chunk(kernels::CompareOp);

}  // namespace hearth::cpu::HEARTH_ISA
