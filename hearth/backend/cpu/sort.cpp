// Sorting and searching: positions are sorted, so that one order serves values, indices and derivatives.
#include "hearth/backend/kernels/sort.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::SortFn sort;
extern kernels::TopkFn topk;
extern kernels::SortRowsFn sort_rows;
extern kernels::SearchsortedFn searchsorted;
extern kernels::HistcFn histc;

namespace {

template <class T>
using Compute = std::conditional_t<std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>, float, T>;

/// NaN is the largest.
template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

/// Rows of at least this many elements in all go into one range.
constexpr int64_t elements_per_chunk = 4096;

int64_t rows_per_chunk(int64_t n) { return std::max<int64_t>(1, elements_per_chunk / std::max<int64_t>(1, n)); }

/// Calls f(row, values) with each row as compute type, dense.
template <class F>
void each_row(const Tensor& x, const char* name, F f) {
  const int64_t n = x.size(1);
  dispatch(RealTypes{}, x.dtype(), name, [&]<class T>() {
    const T* data = static_cast<const T*>(x.raw());
    const int64_t row_stride = x.stride(0), stride = x.stride(1);
    parallel_for(0, x.size(0), rows_per_chunk(n), [&](int64_t begin, int64_t end) {
      // Not std::vector<bool>, which has no elements to point at.
      std::vector<std::conditional_t<std::is_same_v<T, bool>, uint8_t, Compute<T>>> values(static_cast<size_t>(n));
      for (int64_t r = begin; r < end; ++r) {
        for (int64_t i = 0; i < n; ++i) values[size_t(i)] = data[r * row_stride + i * stride];
        f(r, values.data());
      }
    });
  });
}

}  // namespace

void sort(const Tensor& out, const Tensor& x, bool descending) {
  if (out.numel() == 0) return;
  const int64_t n = x.size(1);
  int64_t* to = out.data<int64_t>();
  each_row(x, "sort", [&](int64_t r, const auto* v) {
    int64_t* order = to + r * n;
    std::iota(order, order + n, 0);
    if (descending)
      std::stable_sort(order, order + n, [v](int64_t a, int64_t b) { return less(v[b], v[a]); });
    else
      std::stable_sort(order, order + n, [v](int64_t a, int64_t b) { return less(v[a], v[b]); });
  });
}

void sort_rows(const Tensor& out, const Tensor& x) {
  int64_t* order = out.data<int64_t>();
  std::iota(order, order + out.numel(), 0);
  const int64_t n = x.size(1), row_stride = x.stride(0), stride = x.stride(1);
  dispatch(RealTypes{}, x.dtype(), "sort_rows", [&]<class T>() {
    const T* data = static_cast<const T*>(x.raw());
    std::stable_sort(order, order + out.numel(), [=](int64_t a, int64_t b) {
      for (int64_t i = 0; i < n; ++i) {
        const Compute<T> u = data[a * row_stride + i * stride], v = data[b * row_stride + i * stride];
        if (less(u, v)) return true;
        if (less(v, u)) return false;
      }
      return false;
    });
  });
}

void topk(const Tensor& out, const Tensor& x, bool descending) {
  if (out.numel() == 0) return;
  const int64_t n = x.size(1), k = out.size(1);
  int64_t* to = out.data<int64_t>();
  each_row(x, "topk", [&](int64_t r, const auto* v) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    // Ties go to the earlier position, so that the choice does not depend on the algorithm.
    const auto before = [v, descending](int64_t a, int64_t b) {
      if (less(v[a], v[b])) return !descending;
      if (less(v[b], v[a])) return descending;
      return a < b;
    };
    std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
    std::copy_n(order.begin(), k, to + r * k);
  });
}

void searchsorted(const Tensor& out, const Tensor& boundaries, const Tensor& values, bool right) {
  if (out.numel() == 0) return;
  const int64_t n = boundaries.size(1), m = values.size(1);
  const bool shared = boundaries.size(0) == 1;
  int64_t* to = out.data<int64_t>();
  dispatch(RealTypes{}, values.dtype(), "searchsorted", [&]<class T>() {
    const T* edges = static_cast<const T*>(boundaries.raw());
    const T* wanted = static_cast<const T*>(values.raw());
    parallel_for(0, out.numel(), 1024, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* row = edges + (shared ? 0 : i / m * n);
        const auto order = [](T a, T b) { return less<Compute<T>>(a, b); };
        to[i] = (right ? std::upper_bound(row, row + n, wanted[i], order)
                       : std::lower_bound(row, row + n, wanted[i], order)) -
                row;
      }
    });
  });
}

void histc(const Tensor& out, const Tensor& x, double low, double high) {
  double* counts = out.data<double>();
  const int64_t bins = out.numel();
  dispatch(FloatTypes{}, x.dtype(), "histc", [&]<class T>() {
    using C = Compute<T>;
    const T* v = static_cast<const T*>(x.raw());
    for (int64_t i = 0; i < x.size(1); ++i) {
      const C value = v[i * x.stride(1)];
      if (!(value >= C(low) && value <= C(high))) continue;
      // Every step is rounded to T: which bin an element at an edge falls into is PyTorch's choice.
      const T apart = T(value - C(low)), parts = T(C(apart) * C(T(bins)));
      const auto at = int64_t(C(T(C(parts) / C(T(C(T(high)) - C(T(low)))))));
      counts[std::min(at, bins - 1)] += 1;
    }
  });
}

}  // namespace hearth::cpu
