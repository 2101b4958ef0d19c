// Softmax rows on one instruction set: raw pointers, one contiguous row a call.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

/// What a row of logits is normalised with: log p(i) = (x[i] - max) - log_sum, in the row's compute type.
struct SoftmaxStatistics {
  double max;
  double log_sum;
};

/// Rows of one storage type. n >= 1; y or dx may be the memory of an input. The arithmetic is float32 (float64 for
/// float64); an element depends on its row only.
struct SoftmaxRows {
  /// y = exp(x - max x) / sum
  void (*softmax)(const void* x, void* y, int64_t n);
  /// y = (x - max x) - log(sum of exp(x - max x))
  void (*log_softmax)(const void* x, void* y, int64_t n);
  /// dx = y * (dy - sum(dy * y)), y = softmax(x)
  void (*softmax_backward)(const void* y, const void* dy, void* dx, int64_t n);
  /// dx = dy - exp(y) * sum(dy), y = log_softmax(x)
  void (*log_softmax_backward)(const void* y, const void* dy, void* dx, int64_t n);
  /// The max and log_sum that log_softmax uses, to the bit.
  SoftmaxStatistics (*statistics)(const void* x, int64_t n);
  /// x = -g * p in place, p = exp((x - max) - log_sum): the gradient of one log-probability but for + g at its target.
  void (*log_probability_gradient)(void* x, int64_t n, SoftmaxStatistics statistics, double g);
};

// In the order of Dtype: float16, bfloat16, float32, float64.
namespace generic {
extern const SoftmaxRows softmax_rows[4];
}
namespace avx2 {
extern const SoftmaxRows softmax_rows[4];
}
namespace avx512 {
extern const SoftmaxRows softmax_rows[4];
}

}  // namespace hearth::cpu
