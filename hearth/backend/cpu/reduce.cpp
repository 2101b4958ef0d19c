// Reductions over the last dimension.
#include "hearth/backend/kernels/reduce.h"

#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::ReduceFn reduce;

namespace {

template <class T>
struct Accumulate {
  using Type =
      std::conditional_t<std::is_integral_v<T>, int64_t, std::conditional_t<std::is_same_v<T, double>, double, float>>;
};

/// Pairwise sum: the tree depends on n only.
template <class T>
typename Accumulate<T>::Type tree_sum(const T* x, int64_t stride, int64_t n) {
  using A = typename Accumulate<T>::Type;
  if (n <= 16) {
    A sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += A(x[i * stride]);
    return sum;
  }
  const int64_t half = n / 2;
  return tree_sum(x, stride, half) + tree_sum(x + half * stride, stride, n - half);
}

}  // namespace

void reduce(kernels::ReduceOp op, const Tensor& out, const Tensor& x) {
  check<NotImplementedError>(op == kernels::ReduceOp::sum, "reduce: only sum");
  dispatch(AllTypes{}, x.dtype(), "reduce", [&]<class T>() {
    for (int64_t r = 0; r < x.size(0); ++r)
      out.data<T>()[r] = T(tree_sum(x.data<T>() + r * x.stride(0), x.stride(1), x.size(1)));
  });
}

}  // namespace hearth::cpu
