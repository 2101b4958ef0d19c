// Special functions on tensors: one double-precision function per op, run over chunks.
#include "hearth/backend/kernels/special.h"

#include <bit>
#include <cmath>
#include <utility>

#include "hearth/backend/cpu/elements.h"
#include "hearth/backend/cpu/special_functions.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::SpecialFn special;
extern kernels::SpecialBinaryFn special_binary;
extern kernels::NextAfterFn next_after;
extern kernels::DivisorFn divisor;

namespace {

using One = double (*)(double);
using Two = double (*)(double, double);

// In the order of the enumerations.
constexpr One functions[] = {bessel_i0,  bessel_i0_scaled, bessel_i1,         bessel_i1_scaled, bessel_j0,
                             bessel_j1,  bessel_y0,        bessel_y1,         bessel_k0,        bessel_k0_scaled,
                             bessel_k1,  bessel_k1_scaled, spherical_j0,      airy_ai,          scaled_erfc,
                             normal_cdf, log_normal_cdf,   inverse_normal_cdf};
constexpr Two pair_functions[] = {lower_gamma, upper_gamma, hurwitz_zeta, polygamma,  chebyshev_t, chebyshev_u,
                                  chebyshev_v, chebyshev_w, hermite_h,    hermite_he, laguerre_l,  legendre_p};

template <class F>
void with_float_type(const char* name, Dtype dtype, F f) {
  check<DtypeError>(is_floating(dtype), name, ": needs a floating tensor: ", dtype);
  dtype == Dtype::float64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace

void special(kernels::SpecialOp op, const Tensor& out, const Tensor& x) {
  const One f = functions[size_t(op)];
  with_float_type("special", x.dtype(), [&]<class C>() {
    for_each_chunk<C, C, 1>(merge_loops<2>({&out, &x}), {out.dtype(), x.dtype()},
                            [f](C* y, const std::array<const C*, 1>& in, const std::array<bool, 1>&, int64_t n) {
                              for (int64_t i = 0; i < n; ++i) y[i] = C(f(double(in[0][i])));
                            });
  });
}

void special_binary(kernels::SpecialBinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  const Two f = pair_functions[size_t(op)];
  with_float_type("special_binary", x.dtype(), [&]<class C>() {
    for_each_chunk<C, C, 2>(merge_loops<3>({&out, &x, &y}), {out.dtype(), x.dtype(), y.dtype()},
                            [f](C* z, const std::array<const C*, 2>& in, const std::array<bool, 2>& one, int64_t n) {
                              const int64_t a = one[0] ? 0 : 1, b = one[1] ? 0 : 1;
                              for (int64_t i = 0; i < n; ++i) z[i] = C(f(double(in[0][i * a]), double(in[1][i * b])));
                            });
  });
}

namespace {

/// The bits of neighbouring floating numbers of one sign are neighbouring integers.
template <class T, class Bits>
T stepped(T from, T towards) {
  const double a = double(from), b = double(towards);
  if (a != a || b != b) return a != a ? from : towards;
  if (a == b) return towards;
  Bits bits;
  if (a == 0) {
    bits = Bits(1) | (b < 0 ? Bits(Bits(1) << (8 * sizeof(Bits) - 1)) : Bits(0));
  } else {
    bits = std::bit_cast<Bits>(from);
    bits = Bits((a > 0) == (b > a) ? bits + 1 : bits - 1);
  }
  return std::bit_cast<T>(bits);
}

}  // namespace

void next_after(const Tensor& out, const Tensor& x, const Tensor& y) {
  dispatch(FloatTypes{}, out.dtype(), "nextafter", [&]<class T>() {
    using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;
    const auto loops = merge_loops<3>({&out, &x, &y});
    parallel_for(0, loops.numel, elementwise_grain, [&](int64_t b, int64_t e) {
      Cursor<3> cursor(loops, b);
      for (; b < e; ++b, cursor.advance(1))
        *reinterpret_cast<T*>(cursor.at[0]) =
            stepped<T, Bits>(*reinterpret_cast<const T*>(cursor.at[1]), *reinterpret_cast<const T*>(cursor.at[2]));
    });
  });
}

namespace {

/// Euclid's algorithm on magnitudes, which are unsigned: the smallest number has one too.
template <class I>
uint64_t greatest_common_divisor(I x, I y) {
  uint64_t a = x < 0 ? 0 - uint64_t(x) : uint64_t(x), b = y < 0 ? 0 - uint64_t(y) : uint64_t(y);
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

template <class I>
I least_common_multiple(I x, I y) {
  if (x == 0 || y == 0) return 0;
  const uint64_t a = x < 0 ? 0 - uint64_t(x) : uint64_t(x), b = y < 0 ? 0 - uint64_t(y) : uint64_t(y);
  return I(a / greatest_common_divisor(x, y) * b);
}

}  // namespace

void divisor(kernels::DivisorOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  const auto run = [&]<class I>() {
    for_each_chunk<I, I, 2>(merge_loops<3>({&out, &x, &y}), {out.dtype(), x.dtype(), y.dtype()},
                            [op](I* z, const std::array<const I*, 2>& in, const std::array<bool, 2>& one, int64_t n) {
                              const int64_t a = one[0] ? 0 : 1, b = one[1] ? 0 : 1;
                              for (int64_t i = 0; i < n; ++i) {
                                const I u = in[0][i * a], v = in[1][i * b];
                                z[i] = op == kernels::DivisorOp::gcd ? I(greatest_common_divisor(u, v))
                                                                     : least_common_multiple(u, v);
                              }
                            });
  };
  x.dtype() == Dtype::uint64 ? run.template operator()<uint64_t>() : run.template operator()<int64_t>();
}

}  // namespace hearth::cpu
