// Softmax on the CPU: whole rows handed to the row kernels of the running instruction set.
#include "hearth/backend/kernels/softmax.h"

#include <algorithm>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/softmax.h"

namespace hearth::cpu {

extern kernels::SoftmaxFn softmax;
extern kernels::SoftmaxBackwardFn softmax_backward;

namespace {

const SoftmaxRows& rows_for(const Tensor& x) {
  return select(generic::softmax_rows, avx2::softmax_rows, avx512::softmax_rows)[float_index(x.dtype(), "softmax")];
}

/// Calls f(byte offset of a row) for every row.
template <class F>
void each_row(const Tensor& x, F f) {
  const int64_t rows = x.size(0), n = x.size(1);
  if (n == 0) return;
  const size_t bytes = size_t(n) * dtype_size(x.dtype());
  parallel_for(0, rows, std::max<int64_t>(1, 8192 / n), [&](int64_t b, int64_t e) {
    for (int64_t r = b; r < e; ++r) f(size_t(r) * bytes);
  });
}

}  // namespace

void softmax(const Tensor& y, const Tensor& x, bool log) {
  const auto kernel = log ? rows_for(x).log_softmax : rows_for(x).softmax;
  const char* from = static_cast<const char*>(x.raw());
  char* to = static_cast<char*>(y.raw());
  each_row(x, [&](size_t at) { kernel(from + at, to + at, x.size(1)); });
}

void softmax_backward(const Tensor& dx, const Tensor& y, const Tensor& dy, bool log) {
  const auto kernel = log ? rows_for(y).log_softmax_backward : rows_for(y).softmax_backward;
  const char *out = static_cast<const char*>(y.raw()), *gradient = static_cast<const char*>(dy.raw());
  char* to = static_cast<char*>(dx.raw());
  each_row(y, [&](size_t at) { kernel(out + at, gradient + at, to + at, y.size(1)); });
}

}  // namespace hearth::cpu
