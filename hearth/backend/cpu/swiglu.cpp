// SwiGLU on the CPU: pieces of rows to the kernel of the running instruction set.
#include "hearth/backend/kernels/swiglu.h"

#include <algorithm>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/swiglu.h"

namespace hearth::cpu {

extern kernels::SwigluFn swiglu;
extern kernels::SwigluBackwardFn swiglu_backward;

namespace {

const SwigluRows& rows_for(const Tensor& x) {
  return select(generic::swiglu_rows, avx2::swiglu_rows, avx512::swiglu_rows)[float_index(x.dtype(), "swiglu")];
}

char* row(const Tensor& x, int64_t r) {
  return static_cast<char*>(x.raw()) + size_t(r * x.stride(0)) * dtype_size(x.dtype());
}

int64_t grain(const Tensor& x) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, x.size(1))); }

}  // namespace

void swiglu(const Tensor& y, const Tensor& gate, const Tensor& up) {
  const auto kernel = rows_for(y).forward;
  parallel_for(0, y.size(0), grain(y), [&](int64_t b, int64_t e) {
    for (int64_t r = b; r < e; ++r) kernel(row(gate, r), row(up, r), row(y, r), y.size(1));
  });
}

void swiglu_backward(const Tensor& dgate, const Tensor& dup, const Tensor& dy, const Tensor& gate, const Tensor& up) {
  const auto kernel = rows_for(dy).backward;
  parallel_for(0, dy.size(0), grain(dy), [&](int64_t b, int64_t e) {
    for (int64_t r = b; r < e; ++r)
      kernel(row(gate, r), row(up, r), row(dy, r), row(dgate, r), row(dup, r), dy.size(1));
  });
}

}  // namespace hearth::cpu
