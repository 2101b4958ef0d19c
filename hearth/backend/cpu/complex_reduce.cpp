// Reductions of complex numbers: sums are sums of parts, products run in row order.
#include <vector>

#include "hearth/backend/cpu/complex.h"
#include "hearth/backend/cpu/complex_number.h"
#include "hearth/backend/cpu/reduced_rows.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::ReduceFn reduce;
extern kernels::CumulateFn cumulate;
extern kernels::CopyFn copy;

namespace {

using Wide = std::complex<double>;

/// The parts of x as a new dimension of size 2 at place `at`, in x's memory.
Tensor with_parts(const Tensor& x, int at) {
  Shape shape = x.shape(), strides = x.strides();
  for (int64_t& stride : strides) stride *= 2;
  shape.insert(at, 2);
  strides.insert(at, 1);
  Tensor y = x.alias(shape, strides, 2 * x.offset());
  y.impl()->dtype = real_type(x.dtype());
  return y;
}

void check_op(bool known, Dtype dtype) { check<DtypeError>(known, "reduce: the operation is not defined for ", dtype); }

}  // namespace

void complex_reduce(kernels::ReduceOp op, const Tensor& out, const Tensor& x) {
  const int kept = out.dim();
  if (op == kernels::ReduceOp::sum) return reduce(op, with_parts(out, kept), with_parts(x, kept));
  check_op(op == kernels::ReduceOp::prod, x.dtype());
  dispatch(ComplexTypes{}, x.dtype(), "prod", [&]<class C>() {
    const ReducedRows rows(x, kept);
    C* to = out.data<C>();
    rows.for_each([&](int64_t r, const char* row) {
      C buffer[elementwise_chunk];
      Wide total = 1;
      for (int64_t i = 0; i < rows.reduced.numel; i += elementwise_chunk) {
        const int64_t n = std::min(elementwise_chunk, rows.reduced.numel - i);
        rows.load(buffer, row, i, n);
        for (int64_t j = 0; j < n; ++j) total = complex_product(total, Wide(buffer[j]));
      }
      to[r] = C(total);
    });
  });
}

void complex_cumulate(kernels::CumulateOp op, const Tensor& out, const Tensor& x) {
  const int last = x.dim() - 1;
  if (op == kernels::CumulateOp::sum) {
    const Tensor parts = with_parts(x, last);
    const Tensor sums = Tensor::empty(parts.shape(), parts.dtype(), x.device());
    cumulate(op, sums, Tensor(), parts);
    return copy(with_parts(out, last), sums);
  }
  check_op(op == kernels::CumulateOp::prod, x.dtype());
  dispatch(ComplexTypes{}, x.dtype(), "cumprod", [&]<class C>() {
    const ReducedRows rows(x, last);
    const int64_t n = rows.reduced.numel;
    C* to = out.data<C>();
    rows.for_each([&](int64_t r, const char* from) {
      C* row = to + r * n;
      rows.load(row, from, 0, n);
      Wide total = 1;
      for (int64_t i = 0; i < n; ++i) row[i] = C(total = complex_product(total, Wide(row[i])));
    });
  });
}

}  // namespace hearth::cpu
