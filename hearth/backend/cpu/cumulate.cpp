// Running results and ranks: one row after the other, in a buffer of the compute type.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "hearth/backend/cpu/complex.h"
#include "hearth/backend/cpu/reduced_rows.h"
#include "hearth/backend/kernels/reduce.h"

namespace hearth::cpu {

extern kernels::CumulateFn cumulate;
extern kernels::SelectRankFn select_rank;

namespace {

using kernels::CumulateOp;

double log_add_exp(double a, double b) {
  if (a == b) return a + 0.69314718055994530942;
  const double low = std::min(a, b), high = std::max(a, b);
  return a != a || b != b ? a + b : high + std::log1p(std::exp(low - high));
}

/// Floats accumulate in double, integers in int64.
template <class C>
using Accumulator = std::conditional_t<std::is_integral_v<C>, C, double>;

template <class A>
A step(CumulateOp op, A total, A x) {
  if constexpr (std::is_integral_v<A>)
    return op == CumulateOp::sum ? A(uint64_t(total) + uint64_t(x)) : A(uint64_t(total) * uint64_t(x));
  else
    return op == CumulateOp::sum ? total + x : op == CumulateOp::prod ? total * x : log_add_exp(total, x);
}

template <class C>
void run_sums(CumulateOp op, C* row, int64_t n) {
  using A = Accumulator<C>;
  A total = op == CumulateOp::prod ? A(1) : A(0);
  if constexpr (!std::is_integral_v<C>)
    if (op == CumulateOp::logsumexp) total = -std::numeric_limits<A>::infinity();
  for (int64_t i = 0; i < n; ++i) row[i] = C(total = step<A>(op, total, A(row[i])));
}

template <class C>
void run_extremes(bool largest, C* row, int64_t* indices, int64_t n) {
  C best = row[0];
  int64_t where = 0;
  for (int64_t i = 0; i < n; ++i) {
    const C x = row[i];
    if (x != x || (best == best && (largest ? x >= best : x <= best))) {
      best = x;
      where = i;
    }
    row[i] = best;
    if (indices) indices[i] = where;
  }
}

template <class C>
void cumulate_rows(CumulateOp op, const Tensor& out, const Tensor& indices, const Tensor& x) {
  const ReducedRows rows(x, x.dim() - 1);
  const int64_t n = rows.reduced.numel, width = int64_t(dtype_size(out.dtype()));
  if (n == 0) return;
  rows.for_each([&](int64_t r, const char* from) {
    std::vector<C> row(static_cast<size_t>(n));
    rows.load(row.data(), from, 0, n);
    if (op == CumulateOp::max || op == CumulateOp::min)
      run_extremes(op == CumulateOp::max, row.data(),
                   indices.defined() ? static_cast<int64_t*>(indices.raw()) + r * n : nullptr, n);
    else
      run_sums(op, row.data(), n);
    store_elements(static_cast<char*>(out.raw()) + r * n * width, width, row.data(), n, out.dtype());
  });
}

template <class C>
void rank_rows(const Tensor& values, const Tensor& indices, const Tensor& x, int64_t k) {
  const ReducedRows rows(x, values.dim());
  const int64_t n = rows.reduced.numel, width = int64_t(dtype_size(x.dtype()));
  rows.for_each([&](int64_t r, const char* from) {
    std::vector<C> row(static_cast<size_t>(n));
    rows.load(row.data(), from, 0, n);
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), int64_t(0));
    std::nth_element(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
      const C u = row[size_t(a)], v = row[size_t(b)];
      if ((u != u) != (v != v)) return v != v;
      return u < v || (!(v < u) && a < b);
    });
    const int64_t at = order[size_t(k)];
    store_elements(static_cast<char*>(values.raw()) + r * width, width, &row[size_t(at)], 1, x.dtype());
    static_cast<int64_t*>(indices.raw())[r] = at;
  });
}

}  // namespace

void cumulate(CumulateOp op, const Tensor& out, const Tensor& indices, const Tensor& x) {
  if (is_complex(x.dtype())) return complex_cumulate(op, out, x);
  with_compute_type(x.dtype(), [&]<class C>() { cumulate_rows<C>(op, out, indices, x); });
}

void select_rank(const Tensor& values, const Tensor& indices, const Tensor& x, int64_t k) {
  with_compute_type(x.dtype(), [&]<class C>() { rank_rows<C>(values, indices, x, k); });
}

}  // namespace hearth::cpu
