// Element-wise kernels: pick the function of the op and the instruction set, then run it over the operands.
#include "hearth/backend/kernels/elementwise.h"

#include <cmath>

#include "hearth/backend/cpu/complex.h"
#include "hearth/backend/cpu/elements.h"
#include "hearth/backend/cpu/integer.h"
#include "hearth/backend/cpu/isa.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::UnaryFn unary;
extern kernels::ParametricFn parametric;
extern kernels::BinaryFn binary;
extern kernels::CompareFn compare;
extern kernels::WhereFn where;

namespace {

template <class C>
UnaryChunk<C> find_unary(kernels::UnaryOp op) {
  if constexpr (std::is_integral_v<C>) {
    return integer_unary<C>(op);
  } else {
    switch (isa()) {
      case Isa::avx512:
        return avx512::unary_chunk<C>(op);
      case Isa::avx2:
        return avx2::unary_chunk<C>(op);
      case Isa::generic:
        break;
    }
    return generic::unary_chunk<C>(op);
  }
}

template <class C>
UnaryChunk<C> find_parametric(kernels::ParametricOp op) {
  switch (isa()) {
    case Isa::avx512:
      return avx512::parametric_chunk<C>(op);
    case Isa::avx2:
      return avx2::parametric_chunk<C>(op);
    case Isa::generic:
      break;
  }
  return generic::parametric_chunk<C>(op);
}

template <class C>
BinaryChunk<C> find_binary(kernels::BinaryOp op) {
  if constexpr (std::is_integral_v<C>) {
    return integer_binary<C>(op);
  } else {
    switch (isa()) {
      case Isa::avx512:
        return avx512::binary_chunk<C>(op);
      case Isa::avx2:
        return avx2::binary_chunk<C>(op);
      case Isa::generic:
        break;
    }
    return generic::binary_chunk<C>(op);
  }
}

template <class C>
CompareChunk<C> find_compare(kernels::CompareOp op) {
  if constexpr (std::is_same_v<C, uint64_t>) {
    return unsigned_compare(op);
  } else {
    switch (isa()) {
      case Isa::avx512:
        return avx512::compare_chunk<C>(op);
      case Isa::avx2:
        return avx2::compare_chunk<C>(op);
      case Isa::generic:
        break;
    }
    return generic::compare_chunk<C>(op);
  }
}

template <class C>
void run_unary(UnaryChunk<C> f, const Tensor& out, const Tensor& x, const C* parameters) {
  for_each_chunk<C, C, 1>(merge_loops<2>({&out, &x}), {out.dtype(), x.dtype()},
                          [&](C* y, const std::array<const C*, 1>& in, const std::array<bool, 1>&, int64_t n) {
                            f(y, in[0], n, parameters);
                          });
}

/// Ops that ask a question: out is bool.
template <class C>
void run_predicate(kernels::UnaryOp op, const Tensor& out, const Tensor& x) {
  using K = kernels::UnaryOp;
  const auto run = [&](auto question) {
    for_each_chunk<bool, C, 1>(merge_loops<2>({&out, &x}), {out.dtype(), x.dtype()},
                               [&](bool* y, const std::array<const C*, 1>& in, const std::array<bool, 1>&, int64_t n) {
                                 for (int64_t i = 0; i < n; ++i) y[i] = question(in[0][i]);
                               });
  };
  constexpr bool floating = std::is_floating_point_v<C>;
  if (op == K::logical_not) return run([](C v) { return v == 0; });
  if (op == K::isnan) return run([](C v) { return v != v; });
  if (op == K::isinf) return run([](C v) { return floating && (v == C(HUGE_VAL) || v == -C(HUGE_VAL)); });
  run([](C v) { return !floating || v - v == 0; });
}

bool is_predicate(kernels::UnaryOp op) {
  using K = kernels::UnaryOp;
  return op == K::logical_not || op == K::isnan || op == K::isinf || op == K::isfinite;
}

template <class Chunk>
void check_found(Chunk f, Dtype dtype) {
  check<DtypeError>(f != nullptr, "elementwise: the operation is not defined for ", dtype);
}

}  // namespace

void unary(kernels::UnaryOp op, const Tensor& out, const Tensor& x) {
  if (is_complex(x.dtype())) return complex_unary(op, out, x);
  with_compute_type(x.dtype(), [&]<class C>() {
    if (is_predicate(op)) return run_predicate<C>(op, out, x);
    const UnaryChunk<C> f = find_unary<C>(op);
    check_found(f, x.dtype());
    run_unary<C>(f, out, x, nullptr);
  });
}

void parametric(kernels::ParametricOp op, const Tensor& out, const Tensor& x, double a, double b, double c) {
  check<DtypeError>(is_floating(x.dtype()), "elementwise: the operation is not defined for ", x.dtype());
  const auto run = [&]<class C>() {
    const C parameters[3] = {C(a), C(b), C(c)};
    run_unary<C>(find_parametric<C>(op), out, x, parameters);
  };
  x.dtype() == Dtype::float64 ? run.template operator()<double>() : run.template operator()<float>();
}

void binary(kernels::BinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  if (is_complex(x.dtype())) return complex_binary(op, out, x, y);
  with_compute_type(x.dtype(), [&]<class C>() {
    const BinaryChunk<C> f = find_binary<C>(op);
    check_found(f, x.dtype());
    for_each_chunk<C, C, 2>(merge_loops<3>({&out, &x, &y}), {out.dtype(), x.dtype(), y.dtype()},
                            [f](C* z, const std::array<const C*, 2>& in, const std::array<bool, 2>& one, int64_t n) {
                              f(z, in[0], one[0], in[1], one[1], n);
                            });
  });
}

void compare(kernels::CompareOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  if (is_complex(x.dtype())) return complex_compare(op, out, x, y);
  with_compute_type(x.dtype(), [&]<class C>() {
    const CompareChunk<C> f = find_compare<C>(op);
    for_each_chunk<bool, C, 2>(merge_loops<3>({&out, &x, &y}), {out.dtype(), x.dtype(), y.dtype()},
                               [f](bool* z, const std::array<const C*, 2>& in, const std::array<bool, 2>& one,
                                   int64_t n) { f(z, in[0], one[0], in[1], one[1], n); });
  });
}

namespace {

struct alignas(8) Word16 {
  uint64_t low, high;
};

/// Selects by element size: nothing is computed, so only the width matters.
template <class Word>
void select_words(const Loops<4>& loops) {
  parallel_for(0, loops.numel, elementwise_grain, [&](int64_t b, int64_t e) {
    Cursor<4> cursor(loops, b);
    const int64_t so = loops.strides[0][0], sc = loops.strides[1][0], sx = loops.strides[2][0],
                  sy = loops.strides[3][0];
    constexpr int64_t width = sizeof(Word);
    while (b < e) {
      const int64_t n = std::min(e - b, cursor.left_in_row());
      char *out = cursor.at[0], *c = cursor.at[1], *x = cursor.at[2], *y = cursor.at[3];
      if (so == width && sc == 1 && sx == width && sy == width) {
        for (int64_t i = 0; i < n; ++i)
          reinterpret_cast<Word*>(out)[i] = c[i] ? reinterpret_cast<Word*>(x)[i] : reinterpret_cast<Word*>(y)[i];
      } else {
        for (int64_t i = 0; i < n; ++i, out += so, c += sc, x += sx, y += sy)
          *reinterpret_cast<Word*>(out) = *reinterpret_cast<Word*>(*c ? x : y);
      }
      cursor.advance(n);
      b += n;
    }
  });
}

}  // namespace

void where(const Tensor& out, const Tensor& condition, const Tensor& x, const Tensor& y) {
  const auto loops = merge_loops<4>({&out, &condition, &x, &y});
  switch (dtype_size(out.dtype())) {
    case 1:
      return select_words<uint8_t>(loops);
    case 2:
      return select_words<uint16_t>(loops);
    case 4:
      return select_words<uint32_t>(loops);
    case 8:
      return select_words<uint64_t>(loops);
    default:
      return select_words<Word16>(loops);
  }
}

}  // namespace hearth::cpu
