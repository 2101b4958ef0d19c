// Rotary embedding on the CPU: heads to the head kernel of the running instruction set.
#include "hearth/backend/kernels/rotary.h"

#include <algorithm>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/rotary.h"

namespace hearth::cpu {

extern kernels::RotaryFn rotary;

void rotary(const Tensor& y, const Tensor& x, const Tensor& positions, const Tensor& cos, const Tensor& sin,
            bool inverse) {
  const auto rotate =
      select(generic::rotary_rows, avx2::rotary_rows, avx512::rotary_rows)[float_index(x.dtype(), "rotary")].rotate;
  const int64_t heads = x.size(1), dim = x.size(2), half = cos.size(1);
  const int64_t size = int64_t(dtype_size(x.dtype())), wide = int64_t(dtype_size(cos.dtype()));
  const char *from = static_cast<const char*>(x.raw()), *c = static_cast<const char*>(cos.raw()),
             *s = static_cast<const char*>(sin.raw());
  char* to = static_cast<char*>(y.raw());
  const int64_t* position = positions.data<int64_t>();
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, heads * dim));
  parallel_for(0, x.size(0), grain, [&](int64_t b, int64_t e) {
    for (int64_t t = b; t < e; ++t)
      for (int64_t h = 0; h < heads; ++h)
        rotate(from + (t * x.stride(0) + h * x.stride(1)) * size, to + (t * heads + h) * dim * size,
               c + position[t] * half * wide, s + position[t] * half * wide, half, dim, inverse);
  });
}

}  // namespace hearth::cpu
