// Normalisation of rows on one instruction set: raw pointers, one contiguous row a call.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

/// Rows of one storage type S; arithmetic, statistics and sums in C: float, or double when S is double. dim >= 1.
/// weight and bias have S elements and may be null (1 and 0). With `centered` false, mean is 0 (rms norm).
struct NormRows {
  /// y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(mean((x - mean)^2) + eps). Writes *mean and *rstd (C).
  void (*forward)(const void* x, const void* weight, const void* bias, void* y, int64_t dim, double eps, bool centered,
                  void* mean, void* rstd);
  /// dx from x, dy and the statistics, and, where they are not null, adds dy * xhat to dweight and dy to dbias (C).
  /// With g = dy * weight and xhat = (x - mean) * rstd: dx = rstd * (g - mean(g) - xhat * mean(g * xhat)); for rms norm
  /// without mean(g). dx may be null.
  void (*backward)(const void* x, const void* dy, const void* weight, const void* mean, const void* rstd, void* dx,
                   void* dweight, void* dbias, int64_t dim, bool centered);
  /// z = x + y.
  void (*add)(const void* x, const void* y, void* z, int64_t dim);
  /// sum += part, both C; and y = S(sum).
  void (*accumulate)(const void* part, void* sum, int64_t dim);
  void (*narrow)(const void* sum, void* y, int64_t dim);
};

// In the order of Dtype: float16, bfloat16, float32, float64.
namespace generic {
extern const NormRows norm_rows[4];
}
namespace avx2 {
extern const NormRows norm_rows[4];
}
namespace avx512 {
extern const NormRows norm_rows[4];
}

}  // namespace hearth::cpu
