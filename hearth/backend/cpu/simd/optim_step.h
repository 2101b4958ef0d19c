// Optimizer updates on one instruction set: raw pointers, a piece of one parameter a call.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

/// One piece of a parameter: param and grad of the storage type S; state of its compute type (float; double for
/// double).
struct OptimPiece {
  void* param;
  const void* grad;
  void* state[3];
  int64_t count;
};

/// torch.optim.SGD's numbers; `first`: the momentum buffer is written, not read.
struct SgdNumbers {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first;
};

/// torch.optim.Adam's and AdamW's numbers, bias corrections done.
struct AdamNumbers {
  double lr, beta1, beta2, eps, weight_decay;
  double step_size;         ///< lr / (1 - beta1^t)
  double correction2_root;  ///< sqrt(1 - beta2^t)
  bool decoupled, amsgrad, maximize;
};

struct OptimKernels {
  /// state[0]: momentum buffer, or null without momentum.
  void (*sgd)(const OptimPiece& piece, const SgdNumbers& numbers);
  /// state: first moment, second moment, largest second moment (amsgrad, else null).
  void (*adam)(const OptimPiece& piece, const AdamNumbers& numbers);
  /// Sum of squares in double, fixed tree.
  double (*sum_squares)(const void* x, int64_t count);
  /// x = x * factor.
  void (*scale)(void* x, int64_t count, double factor);
};

// In the order of Dtype: float16, bfloat16, float32, float64.
namespace generic {
extern const OptimKernels optim_kernels[4];
}
namespace avx2 {
extern const OptimKernels optim_kernels[4];
}
namespace avx512 {
extern const OptimKernels optim_kernels[4];
}

}  // namespace hearth::cpu
