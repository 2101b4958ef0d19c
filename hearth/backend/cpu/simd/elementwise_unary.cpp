// Functions of one array: every op is one function of a Vec, used for the body and, masked, for the tail.
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
Vec<T> each_lane(Vec<T> x, F f) {
  T lanes[Vec<T>::size];
  x.store(lanes);
  for (T& lane : lanes) lane = T(f(double(lane)));
  return Vec<T>::load(lanes);
}

/// The derivative of lgamma. Source: reflection for x < 0, the recurrence up to 10, then the asymptotic series
/// (Abramowitz and Stegun 6.3.5, 6.3.7, 6.3.18).
double digamma(double x) {
  if (x == 0) return ::copysign(HUGE_VAL, -x);
  double result = 0;
  if (x < 0) {
    if (x == ::floor(x)) return NAN;
    const double pi = 3.14159265358979323846;
    double whole;
    result = -pi / ::tan(pi * ::modf(x, &whole));
    x = 1 - x;
  }
  for (; x < 10; ++x) result -= 1 / x;
  const double z = 1 / (x * x);
  const double series =
      z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * 691.0 / 32760)))));
  return result + ::log(x) - 0.5 / x - series;
}

/// The derivative of digamma: reflection for x < 0.5, the recurrence up to 10, then the asymptotic series (Abramowitz
/// and Stegun 6.4.7, 6.4.6, 6.4.12).
double trigamma(double x) {
  double sign = 1, result = 0;
  if (x < 0.5) {
    const double pi = 3.14159265358979323846, s = ::sin(pi * x);
    result = -(pi * pi) / (s * s);
    sign = -1;
    x = 1 - x;
  }
  for (; x < 10; ++x) result += 1 / (x * x);
  const double z = 1 / (x * x);
  const double series =
      (1 + z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * 5.0 / 66))))) / x + z / 2;
  return sign * (result + series);
}

/// The inverse of erf: a first guess from the series of Winitzki (2008), then Newton's method with Halley's correction.
double inverse_erf(double x) {
  const double magnitude = ::fabs(x);
  if (!(magnitude < 1)) return magnitude == 1 ? ::copysign(HUGE_VAL, x) : NAN;
  const double l = ::log1p(-x * x), a = 0.147, pi = 3.14159265358979323846;
  const double t = 2 / (pi * a) + l / 2;
  double y = ::sqrt(::sqrt(t * t - l / a) - t);
  for (int step = 0; step < 3; ++step) {
    // Near 1 the error of erf would be lost; its complement keeps it.
    const double error = magnitude < 0.5 ? ::erf(y) - magnitude : (1 - magnitude) - ::erfc(y);
    const double slope = 1.1283791670955125739 * ::exp(-y * y);
    if (slope == 0) break;
    const double newton = error / slope;
    y -= newton / (1 + y * newton);
  }
  return ::copysign(y, x);
}

/// The logarithm of |gamma(x)|, without the C library's shared sign variable.
double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

constexpr double ln2 = 0.69314718055994530942;

/// SLEEF's log1p, asinh and acosh overflow for the largest numbers; there they are log(x) + offset.
template <class T>
Vec<T> near_end(Vec<T> x, Vec<T> value, double offset) {
  const Mask<T> large = x > number<T>(sizeof(T) == sizeof(float) ? 1e18 : 1e150);
  return any(large) ? select(large, log(x) + number<T>(offset), value) : value;
}

template <class T>
Vec<T> softplus(Vec<T> x) {
  return max(x, Vec<T>::zero()) + log1p(exp(-abs(x)));
}

/// min(max(x + 3, 0), 6)
template <class T>
Vec<T> shifted_relu6(Vec<T> x) {
  return min_nan(max_nan(x + number<T>(3), Vec<T>::zero()), number<T>(6));
}

template <class T, class F>
void run_unary(T* y, const T* x, int64_t n, const T* p) {
  using V = Vec<T>;
  const F f{};
  int64_t i = 0;
  for (; i + V::size <= n; i += V::size) f(V::load(x + i), p).store(y + i);
  if (i < n) f(V::load(x + i, int(n - i)), p).store(y + i, int(n - i));
}

template <class T, class F>
UnaryChunk<T> chunk(F) {
  return run_unary<T, F>;
}

template <class T>
UnaryChunk<T> arithmetic(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  using V = Vec<T>;
  switch (op) {
    case K::neg:
      return chunk<T>([](V x, const T*) { return -x; });
    case K::abs:
      return chunk<T>([](V x, const T*) { return abs(x); });
    case K::sign:
      return chunk<T>([](V x, const T*) {
        return select(x > V::zero(), number<T>(1), select(x < V::zero(), number<T>(-1), V::zero()));
      });
    case K::ceil:
      return chunk<T>([](V x, const T*) { return ceil(x); });
    case K::floor:
      return chunk<T>([](V x, const T*) { return floor(x); });
    case K::round:
      return chunk<T>([](V x, const T*) { return round_even(x); });
    case K::trunc:
      return chunk<T>([](V x, const T*) { return trunc(x); });
    case K::frac:
      return chunk<T>([](V x, const T*) { return x - trunc(x); });
    case K::sqrt:
      return chunk<T>([](V x, const T*) { return sqrt(x); });
    case K::rsqrt:
      return chunk<T>([](V x, const T*) { return number<T>(1) / sqrt(x); });
    case K::reciprocal:
      return chunk<T>([](V x, const T*) { return number<T>(1) / x; });
    case K::square:
      return chunk<T>([](V x, const T*) { return x * x; });
    case K::relu:
      return chunk<T>([](V x, const T*) { return max_nan(x, V::zero()); });
    case K::hardsigmoid:
      return chunk<T>([](V x, const T*) { return shifted_relu6(x) / number<T>(6); });
    case K::hardswish:
      return chunk<T>([](V x, const T*) { return x * (shifted_relu6(x) / number<T>(6)); });
    default:
      return nullptr;
  }
}

template <class T>
UnaryChunk<T> exponential(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  using V = Vec<T>;
  switch (op) {
    case K::exp:
      return chunk<T>([](V x, const T*) { return exp(x); });
    case K::expm1:
      return chunk<T>([](V x, const T*) { return expm1(x); });
    case K::exp2:
      return chunk<T>([](V x, const T*) { return exp2(x); });
    case K::log:
      return chunk<T>([](V x, const T*) { return log(x); });
    case K::log1p:
      return chunk<T>([](V x, const T*) { return near_end(x, log1p(x), 0); });
    case K::log2:
      return chunk<T>([](V x, const T*) { return log2(x); });
    case K::log10:
      return chunk<T>([](V x, const T*) { return log10(x); });
    case K::erf:
      return chunk<T>([](V x, const T*) { return erf(x); });
    case K::erfc:
      return chunk<T>([](V x, const T*) { return erfc(x); });
    case K::erfinv:
      return chunk<T>([](V x, const T*) { return each_lane(x, inverse_erf); });
    case K::trigamma:
      return chunk<T>([](V x, const T*) { return each_lane(x, trigamma); });
    case K::lgamma:
      return chunk<T>([](V x, const T*) { return each_lane(x, log_gamma); });
    case K::digamma:
      return chunk<T>([](V x, const T*) { return each_lane(x, digamma); });
    case K::sigmoid:
      return chunk<T>([](V x, const T*) { return sigmoid(x); });
    case K::logit:
      return chunk<T>([](V x, const T*) { return log(x / (number<T>(1) - x)); });
    case K::logsigmoid:
      return chunk<T>([](V x, const T*) { return min_nan(x, V::zero()) - log1p(exp(-abs(x))); });
    case K::silu:
      return chunk<T>([](V x, const T*) { return x / (number<T>(1) + exp(-x)); });
    case K::gelu:
      return chunk<T>([](V x, const T*) {
        return x * number<T>(0.5) * (number<T>(1) + erf(x * number<T>(0.70710678118654752440)));
      });
    case K::gelu_tanh:
      return chunk<T>([](V x, const T*) {
        const V inner = number<T>(0.79788456080286535588) * (x + number<T>(0.044715) * x * x * x);
        return number<T>(0.5) * x * (number<T>(1) + tanh(inner));
      });
    case K::mish:
      return chunk<T>([](V x, const T*) { return x * tanh(select(is_nan(x), x, softplus(x))); });
    default:
      return nullptr;
  }
}

template <class T>
UnaryChunk<T> trigonometric_function(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  using V = Vec<T>;
  switch (op) {
    case K::sin:
      return chunk<T>([](V x, const T*) { return sin(x); });
    case K::cos:
      return chunk<T>([](V x, const T*) { return cos(x); });
    case K::tan:
      return chunk<T>([](V x, const T*) { return tan(x); });
    case K::asin:
      return chunk<T>([](V x, const T*) { return asin(x); });
    case K::acos:
      return chunk<T>([](V x, const T*) { return acos(x); });
    case K::atan:
      return chunk<T>([](V x, const T*) { return atan(x); });
    case K::sinh:
      return chunk<T>([](V x, const T*) { return sinh(x); });
    case K::cosh:
      return chunk<T>([](V x, const T*) { return cosh(x); });
    case K::tanh:
      return chunk<T>([](V x, const T*) { return tanh(x); });
    case K::asinh:
      return chunk<T>([](V x, const T*) { return copysign(near_end(abs(x), asinh(abs(x)), ln2), x); });
    case K::acosh:
      return chunk<T>([](V x, const T*) { return near_end(x, acosh(x), ln2); });
    case K::atanh:
      return chunk<T>([](V x, const T*) { return atanh(x); });
    default:
      return nullptr;
  }
}

}  // namespace

template <class T>
UnaryChunk<T> unary_chunk(kernels::UnaryOp op) {
  if (UnaryChunk<T> f = arithmetic<T>(op)) return f;
  if (UnaryChunk<T> f = exponential<T>(op)) return f;
  return trigonometric_function<T>(op);
}
template UnaryChunk<float> unary_chunk(kernels::UnaryOp);
template UnaryChunk<double> unary_chunk(kernels::UnaryOp);

template <class T>
UnaryChunk<T> parametric_chunk(kernels::ParametricOp op) {
  using K = kernels::ParametricOp;
  using V = Vec<T>;
  switch (op) {
    case K::leaky_relu:
      return chunk<T>([](V x, const T* p) { return select(x > V::zero(), x, x * V::broadcast(p[0])); });
    case K::elu:
      return chunk<T>([](V x, const T* p) {
        const V scale = V::broadcast(p[1]);
        const V negative = expm1(x * V::broadcast(p[2])) * (V::broadcast(p[0]) * scale);
        return select(x > V::zero(), x * scale, negative);
      });
    case K::softplus:
      return chunk<T>([](V x, const T* p) {
        const V scaled = x * V::broadcast(p[0]);
        return select(scaled > V::broadcast(p[1]), x, log1p(exp(scaled)) / V::broadcast(p[0]));
      });
    case K::clamp:
      return chunk<T>([](V x, const T* p) { return min_nan(max_nan(x, V::broadcast(p[0])), V::broadcast(p[1])); });
    case K::threshold:
      return chunk<T>([](V x, const T* p) { return select(x <= V::broadcast(p[0]), V::broadcast(p[1]), x); });
  }
  return nullptr;
}
template UnaryChunk<float> parametric_chunk(kernels::ParametricOp);
template UnaryChunk<double> parametric_chunk(kernels::ParametricOp);

namespace {

template <class To, class From>
void convert(To* y, const From* x, int64_t n) {
  constexpr int size = Vec<float>::size;
  int64_t i = 0;
  for (; i + size <= n; i += size) store(y + i, load(x + i));
  if (i < n) store(y + i, load(x + i, int(n - i)), int(n - i));
}

}  // namespace

const HalfConversion half_conversion = {
    [](float* y, const uint16_t* x, int64_t n) { convert(y, reinterpret_cast<const Bf16*>(x), n); },
    [](float* y, const uint16_t* x, int64_t n) { convert(y, reinterpret_cast<const F16*>(x), n); },
    [](uint16_t* y, const float* x, int64_t n) { convert(reinterpret_cast<Bf16*>(y), x, n); },
    [](uint16_t* y, const float* x, int64_t n) { convert(reinterpret_cast<F16*>(y), x, n); },
};

}  // namespace hearth::cpu::HEARTH_ISA
