// Matrix products.
#include "hearth/backend/kernels/matmul.h"

#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::MatmulFn matmul;

void matmul(const Tensor& out, const Tensor& a, const Tensor& b) {
  const int64_t m = a.size(1), k = a.size(2), n = b.size(2);
  dispatch(AllTypes{}, a.dtype(), "matmul", [&]<class T>() {
    using A = std::conditional_t<std::is_integral_v<T>, int64_t,
                                 std::conditional_t<std::is_same_v<T, double>, double, float>>;
    for (int64_t z = 0; z < a.size(0); ++z)
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          A sum = 0;
          for (int64_t p = 0; p < k; ++p)
            sum += A(a.data<T>()[z * a.stride(0) + i * a.stride(1) + p * a.stride(2)]) *
                   A(b.data<T>()[z * b.stride(0) + p * b.stride(1) + j * b.stride(2)]);
          out.data<T>()[(z * m + i) * n + j] = T(sum);
        }
  });
}

}  // namespace hearth::cpu
