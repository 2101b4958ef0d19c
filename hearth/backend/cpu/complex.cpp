// Complex element-wise kernels.
#include "hearth/backend/cpu/complex.h"

#include "hearth/backend/cpu/complex_number.h"
#include "hearth/backend/cpu/elements.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

namespace {

template <class C, class F>
void unary_loop(C* y, const C* x, int64_t n, const C*) {
  const F f{};
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}
template <class C, class F>
UnaryChunk<C> unary(F) {
  return unary_loop<C, F>;
}

/// O is bool for a comparison.
template <class O, class C, class F>
void binary_loop(O* z, const C* x, bool x_one, const C* y, bool y_one, int64_t n) {
  const F f{};
  const int64_t x_step = x_one ? 0 : 1, y_step = y_one ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) z[i] = f(x[i * x_step], y[i * y_step]);
}
template <class C, class F>
BinaryChunk<C> binary(F) {
  return binary_loop<C, C, F>;
}

/// exp(x) - 1, exact near 0: the real part is expm1(a) cos(b) - 2 sin(b / 2)^2.
template <class R>
std::complex<R> expm1(std::complex<R> x) {
  const R half_sine = std::sin(x.imag() / 2);
  return {std::expm1(x.real()) * std::cos(x.imag()) - 2 * half_sine * half_sine,
          std::exp(x.real()) * std::sin(x.imag())};
}

/// log(1 + x), exact near 0: |1 + x|^2 - 1 = a (2 + a) + b^2.
template <class R>
std::complex<R> log1p(std::complex<R> x) {
  const R a = x.real(), b = x.imag(), phase = std::atan2(b, a + 1);
  if (std::abs(x) >= R(0.5)) return {std::log(std::hypot(a + 1, b)), phase};
  return {std::log1p(a * (2 + a) + b * b) / 2, phase};
}

template <class C>
C inverse(C x) {
  return complex_quotient(C(1), x);
}
template <class C>
C sigmoid(C x) {
  return inverse(C(1) + std::exp(-x));
}

template <class C>
UnaryChunk<C> find_function(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  using R = typename C::value_type;
  switch (op) {
    case K::sin:
      return unary<C>([](C x) { return std::sin(x); });
    case K::cos:
      return unary<C>([](C x) { return std::cos(x); });
    case K::tan:
      return unary<C>([](C x) { return std::tan(x); });
    case K::asin:
      return unary<C>([](C x) { return std::asin(x); });
    case K::acos:
      return unary<C>([](C x) { return std::acos(x); });
    case K::atan:
      return unary<C>([](C x) { return std::atan(x); });
    case K::sinh:
      return unary<C>([](C x) { return std::sinh(x); });
    case K::cosh:
      return unary<C>([](C x) { return std::cosh(x); });
    case K::tanh:
      return unary<C>([](C x) { return std::tanh(x); });
    case K::asinh:
      return unary<C>([](C x) { return std::asinh(x); });
    case K::acosh:
      return unary<C>([](C x) { return std::acosh(x); });
    case K::atanh:
      return unary<C>([](C x) { return std::atanh(x); });
    case K::sigmoid:
      return unary<C>([](C x) { return sigmoid(x); });
    case K::silu:
      return unary<C>([](C x) { return complex_product(x, sigmoid(x)); });
    case K::exp2:
      return unary<C>([](C x) { return std::exp(x * R(0.69314718055994530942)); });
    default:
      return nullptr;
  }
}

template <class C>
UnaryChunk<C> find_unary(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  using R = typename C::value_type;
  switch (op) {
    case K::neg:
      return unary<C>([](C x) { return -x; });
    case K::square:
      return unary<C>([](C x) { return complex_product(x, x); });
    case K::reciprocal:
      return unary<C>([](C x) { return inverse(x); });
    case K::sqrt:
      return unary<C>([](C x) { return std::sqrt(x); });
    case K::rsqrt:
      return unary<C>([](C x) { return inverse(std::sqrt(x)); });
    case K::exp:
      return unary<C>([](C x) { return std::exp(x); });
    case K::expm1:
      return unary<C>([](C x) { return expm1(x); });
    case K::log:
      return unary<C>([](C x) { return std::log(x); });
    case K::log1p:
      return unary<C>([](C x) { return log1p(x); });
    case K::log2:
      return unary<C>([](C x) { return std::log(x) * R(1.44269504088896340736); });
    case K::log10:
      return unary<C>([](C x) { return std::log10(x); });
    default:
      return find_function<C>(op);
  }
}

template <class C>
BinaryChunk<C> find_binary(kernels::BinaryOp op) {
  using K = kernels::BinaryOp;
  switch (op) {
    case K::add:
      return binary<C>([](C x, C y) { return x + y; });
    case K::sub:
      return binary<C>([](C x, C y) { return x - y; });
    case K::mul:
      return binary<C>([](C x, C y) { return complex_product(x, y); });
    case K::div:
      return binary<C>([](C x, C y) { return complex_quotient(x, y); });
    case K::pow:
      return binary<C>([](C x, C y) { return std::pow(x, y); });
    default:
      return nullptr;
  }
}

/// What is asked of a complex number is asked of its parts.
template <class C>
bool answer(kernels::UnaryOp op, C x) {
  using K = kernels::UnaryOp;
  const auto re = x.real(), im = x.imag();
  if (op == K::logical_not) return re == 0 && im == 0;
  if (op == K::isnan) return std::isnan(re) || std::isnan(im);
  if (op == K::isinf) return std::isinf(re) || std::isinf(im);
  return std::isfinite(re) && std::isfinite(im);
}

bool is_question(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  return op == K::logical_not || op == K::isnan || op == K::isinf || op == K::isfinite;
}

[[noreturn]] void refuse(Dtype dtype) { fail<DtypeError>("elementwise: the operation is not defined for ", dtype); }

}  // namespace

void complex_unary(kernels::UnaryOp op, const Tensor& out, const Tensor& x) {
  dispatch(ComplexTypes{}, x.dtype(), "unary", [&]<class C>() {
    const auto loops = merge_loops<2>({&out, &x});
    if (is_question(op)) {
      for_each_chunk<bool, C, 1>(
          loops, {out.dtype(), x.dtype()},
          [op](bool* y, const std::array<const C*, 1>& in, const std::array<bool, 1>&, int64_t n) {
            for (int64_t i = 0; i < n; ++i) y[i] = answer(op, in[0][i]);
          });
      return;
    }
    const UnaryChunk<C> f = find_unary<C>(op);
    if (!f) refuse(x.dtype());
    for_each_chunk<C, C, 1>(loops, {out.dtype(), x.dtype()},
                            [f](C* y, const std::array<const C*, 1>& in, const std::array<bool, 1>&, int64_t n) {
                              f(y, in[0], n, nullptr);
                            });
  });
}

void complex_binary(kernels::BinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  dispatch(ComplexTypes{}, x.dtype(), "binary", [&]<class C>() {
    const BinaryChunk<C> f = find_binary<C>(op);
    if (!f) refuse(x.dtype());
    for_each_chunk<C, C, 2>(merge_loops<3>({&out, &x, &y}), {out.dtype(), x.dtype(), y.dtype()},
                            [f](C* z, const std::array<const C*, 2>& in, const std::array<bool, 2>& one, int64_t n) {
                              f(z, in[0], one[0], in[1], one[1], n);
                            });
  });
}

void complex_compare(kernels::CompareOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  using K = kernels::CompareOp;
  check<DtypeError>(op == K::eq || op == K::ne, "compare: complex numbers have no order: ", x.dtype());
  dispatch(ComplexTypes{}, x.dtype(), "compare", [&]<class C>() {
    const auto equal = [](C a, C b) { return a == b; };
    const auto unequal = [](C a, C b) { return a != b; };
    const CompareChunk<C> f =
        op == K::eq ? binary_loop<bool, C, decltype(equal)> : binary_loop<bool, C, decltype(unequal)>;
    for_each_chunk<bool, C, 2>(merge_loops<3>({&out, &x, &y}), {out.dtype(), x.dtype(), y.dtype()},
                               [f](bool* z, const std::array<const C*, 2>& in, const std::array<bool, 2>& one,
                                   int64_t n) { f(z, in[0], one[0], in[1], one[1], n); });
  });
}

}  // namespace hearth::cpu
