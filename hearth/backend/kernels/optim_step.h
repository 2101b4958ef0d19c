// Contract of optimizer updates over lists of parameters, and of the norm and scaling that clipping needs.
//
// Shapes: the tensors of one item have one shape, all contiguous. Dtypes: param and grad equal (float32, float64,
// bfloat16, float16); state float32 (float64 for float64). Arithmetic in the type of the state, results rounded once.
// Invariance: an updated element depends on its own numbers only; the norm sums squares in double in pieces cut by
// shape and added in order, so neither depends on the number of threads.
#pragma once

#include <vector>

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// torch.optim.SGD's settings.
struct SgdSettings {
  double lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
};

/// `buffer` is undefined without momentum; `first`: it is written, not read.
struct SgdItem {
  Tensor param, grad, buffer;
  bool first = false;
};

/// torch.optim.Adam's settings, and AdamW's with `decoupled`.
struct AdamSettings {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  bool decoupled = false, amsgrad = false, maximize = false;
};

/// `step` counts from 1, this one included; max_exp_avg_sq is undefined without amsgrad.
struct AdamItem {
  Tensor param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq;
  int64_t step = 1;
};

using SgdStepFn = void(const std::vector<SgdItem>& items, const SgdSettings& settings);
using AdamStepFn = void(const std::vector<AdamItem>& items, const AdamSettings& settings);
/// The sum of all squares.
using SumSquaresFn = double(const TensorList& xs);
/// x = x * factor for each.
using ScaleFn = void(const TensorList& xs, double factor);

inline constinit Slot<SgdStepFn> sgd_step{"sgd_step"};
inline constinit Slot<AdamStepFn> adam_step{"adam_step"};
inline constinit Slot<SumSquaresFn> sum_squares{"sum_squares"};
inline constinit Slot<ScaleFn> scale{"scale"};

}  // namespace hearth::kernels
