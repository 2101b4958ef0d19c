// Element-wise kernels: every element is computed by one scalar function, wherever it lies.
#include "hearth/backend/kernels/elementwise.h"

#include <cmath>
#include <limits>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"
#include "hearth/core/layout.h"

namespace hearth::cpu {

extern kernels::UnaryFn unary;
extern kernels::BinaryFn binary;
extern kernels::CompareFn compare;
extern kernels::WhereFn where;
extern kernels::CopyFn copy;
extern kernels::FillFn fill;

namespace {

/// Calls f(pointers) for each element of the loop nest.
template <int N, class F>
void for_each(const Loops<N>& loops, F f) {
  const int64_t inner = loops.inner();
  for (int64_t row = 0; row < loops.outer(); ++row) {
    auto at = loops.at(row);
    for (int64_t i = 0; i < inner; ++i) {
      f(at);
      for (size_t k = 0; k < N; ++k) at[k] += loops.strides[k][0];
    }
  }
}

template <class T>
T load(const char* p) {
  return *reinterpret_cast<const T*>(p);
}
template <class T>
void store(char* p, T v) {
  *reinterpret_cast<T*>(p) = v;
}

/// The type that arithmetic on T is done in.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float, T>;

template <class T>
T apply(kernels::UnaryOp op, T x) {
  using enum kernels::UnaryOp;
  if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case neg:
        return -x;
      case abs:
        return std::abs(x);
      case exp:
        return std::exp(x);
      case log:
        return std::log(x);
      case sqrt:
        return std::sqrt(x);
      case rsqrt:
        return T(1) / std::sqrt(x);
      case reciprocal:
        return T(1) / x;
      case square:
        return x * x;
      case tanh:
        return std::tanh(x);
      case relu:
        return x > 0 ? x : (x != x ? x : T(0));
      case sigmoid:
        return T(1) / (T(1) + std::exp(-x));
      default:
        break;
    }
  } else {
    if (op == neg) return T(-x);
  }
  fail<NotImplementedError>("unary: not implemented for ", dtype_of<T>);
}

template <class T>
T apply(kernels::BinaryOp op, T x, T y) {
  using enum kernels::BinaryOp;
  switch (op) {
    case add:
      return T(x + y);
    case sub:
      return T(x - y);
    case mul:
      return T(x * y);
    case maximum:
      return x != x ? x : (y != y ? y : (x > y ? x : y));
    case minimum:
      return x != x ? x : (y != y ? y : (x < y ? x : y));
    default:
      break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    if (op == div) return x / y;
    if (op == pow) return std::pow(x, y);
  }
  fail<NotImplementedError>("binary: not implemented for ", dtype_of<T>);
}

}  // namespace

void unary(kernels::UnaryOp op, const Tensor& out, const Tensor& x) {
  dispatch(AllTypes{}, x.dtype(), "unary", [&]<class T>() {
    for_each(merge_loops<2>({&out, &x}), [&](auto at) { store(at[0], T(apply(op, Compute<T>(load<T>(at[1]))))); });
  });
}

void binary(kernels::BinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  dispatch(AllTypes{}, x.dtype(), "binary", [&]<class T>() {
    for_each(merge_loops<3>({&out, &x, &y}),
             [&](auto at) { store(at[0], T(apply(op, Compute<T>(load<T>(at[1])), Compute<T>(load<T>(at[2]))))); });
  });
}

void compare(kernels::CompareOp op, const Tensor& out, const Tensor& x, const Tensor& y) {
  using enum kernels::CompareOp;
  dispatch(AllTypes{}, x.dtype(), "compare", [&]<class T>() {
    for_each(merge_loops<3>({&out, &x, &y}), [&](auto at) {
      const Compute<T> a = load<T>(at[1]), b = load<T>(at[2]);
      store(at[0], op == eq   ? a == b
                   : op == ne ? a != b
                   : op == lt ? a < b
                   : op == le ? a <= b
                   : op == gt ? a > b
                              : a >= b);
    });
  });
}

void where(const Tensor& out, const Tensor& condition, const Tensor& x, const Tensor& y) {
  dispatch(AllTypes{}, x.dtype(), "where", [&]<class T>() {
    for_each(merge_loops<4>({&out, &condition, &x, &y}),
             [&](auto at) { store(at[0], load<bool>(at[1]) ? load<T>(at[2]) : load<T>(at[3])); });
  });
}

void copy(const Tensor& out, const Tensor& x) {
  dispatch(AllTypes{}, x.dtype(), "copy", [&]<class S>() {
    dispatch(AllTypes{}, out.dtype(), "copy", [&]<class T>() {
      for_each(merge_loops<2>({&out, &x}), [&](auto at) {
        if constexpr (std::is_same_v<T, bool>)
          store(at[0], Compute<S>(load<S>(at[1])) != Compute<S>(0));
        else
          store(at[0], T(Compute<T>(Compute<S>(load<S>(at[1])))));
      });
    });
  });
}

void fill(const Tensor& out, const Scalar& value) {
  dispatch(AllTypes{}, out.dtype(), "fill", [&]<class T>() {
    const T v = std::is_integral_v<T> && !value.is_floating() ? T(value.to_int64()) : T(Compute<T>(value.to_double()));
    for_each(merge_loops<1>({&out}), [&](auto at) { store(at[0], v); });
  });
}

}  // namespace hearth::cpu
