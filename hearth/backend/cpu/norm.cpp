// Normalisation on the CPU: rows to the row kernels; gradients of weight and bias in parts cut by shape.
#include "hearth/backend/kernels/norm.h"

#include <algorithm>
#include <cstring>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/norm.h"

namespace hearth::cpu {

extern kernels::NormFn norm;
extern kernels::NormBackwardFn norm_backward;

namespace {

const NormRows& rows_for(const Tensor& x) {
  return select(generic::norm_rows, avx2::norm_rows, avx512::norm_rows)[float_index(x.dtype(), "norm")];
}

char* bytes(const Tensor& x) { return x.defined() ? static_cast<char*>(x.raw()) : nullptr; }

/// Where the rows of a contract tensor [outer, inner, dim] lie.
struct Rows {
  explicit Rows(const Tensor& x)
      : data(bytes(x)),
        inner(x.size(1)),
        outer_stride(x.stride(0)),
        inner_stride(x.stride(1)),
        size(dtype_size(x.dtype())) {}
  char* operator[](int64_t row) const {
    return data + size_t(row / inner * outer_stride + row % inner * inner_stride) * size;
  }
  char* data;
  int64_t inner, outer_stride, inner_stride;
  size_t size;
};

/// Rows that one part of a sum over rows covers.
int64_t part_rows(int64_t dim) { return std::clamp<int64_t>(65536 / dim, 16, 1024); }

/// y = sum over the parts in order, narrowed; scratch: [parts, dim].
void add_parts(const Tensor& y, const Tensor& scratch, const NormRows& kernel) {
  const int64_t dim = scratch.size(1);
  const size_t wide = dtype_size(scratch.dtype()), narrow = dtype_size(y.dtype());
  parallel_for(0, dim, 512, [&](int64_t b, int64_t e) {
    char* total = bytes(scratch) + size_t(b) * wide;
    for (int64_t part = 1; part < scratch.size(0); ++part)
      kernel.accumulate(total + size_t(part * dim) * wide, total, e - b);
    kernel.narrow(total, bytes(y) + size_t(b) * narrow, e - b);
  });
}

}  // namespace

void norm(const Tensor& y, const Tensor& mean, const Tensor& rstd, const Tensor& x, const Tensor& weight,
          const Tensor& bias, double eps, bool centered) {
  const NormRows& kernel = rows_for(x);
  const int64_t dim = x.size(2), count = mean.numel();
  if (dim == 0 || count == 0) return;
  const Rows from(x), to(y);
  const size_t wide = dtype_size(mean.dtype());
  parallel_for(0, count, std::max<int64_t>(1, 16384 / dim), [&](int64_t b, int64_t e) {
    for (int64_t r = b; r < e; ++r)
      kernel.forward(from[r], bytes(weight), bytes(bias), to[r], dim, eps, centered, bytes(mean) + size_t(r) * wide,
                     bytes(rstd) + size_t(r) * wide);
  });
}

void norm_backward(const Tensor& dx, const Tensor& dweight, const Tensor& dbias, const Tensor& dy, const Tensor& x,
                   const Tensor& weight, const Tensor& mean, const Tensor& rstd, bool centered) {
  const NormRows& kernel = rows_for(x);
  const int64_t dim = x.size(2), count = mean.numel(), step = part_rows(std::max<int64_t>(dim, 1));
  const int64_t parts = std::max<int64_t>(1, (count + step - 1) / step);
  const size_t wide = dtype_size(mean.dtype());
  Tensor weight_parts, bias_parts;
  for (const auto& [result, scratch] : {std::pair{&dweight, &weight_parts}, std::pair{&dbias, &bias_parts}})
    if (result->defined()) {
      *scratch = Tensor::empty({parts, dim}, mean.dtype());
      std::memset(scratch->raw(), 0, size_t(parts * dim) * wide);
    }
  const auto part_of = [&](const Tensor& scratch, int64_t part) {
    return scratch.defined() ? bytes(scratch) + size_t(part * dim) * wide : nullptr;
  };
  const Rows from(x), gradient(dy);
  if (dim > 0)
    parallel_for(0, count, step, [&](int64_t b, int64_t e) {
      for (int64_t r = b; r < e; ++r)
        kernel.backward(from[r], gradient[r], bytes(weight), bytes(mean) + size_t(r) * wide,
                        bytes(rstd) + size_t(r) * wide, dx.defined() ? Rows(dx)[r] : nullptr,
                        part_of(weight_parts, b / step), part_of(bias_parts, b / step), dim, centered);
    });
  if (dweight.defined()) add_parts(dweight, weight_parts, kernel);
  if (dbias.defined()) add_parts(dbias, bias_parts, kernel);
}

}  // namespace hearth::cpu
