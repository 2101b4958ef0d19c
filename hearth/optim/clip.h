// Gradient clipping.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth::optim {

/// Scales all gradients so that their joint Euclidean norm is at most `max_norm`; returns the norm before that.
/// Example: double norm = optim::clip_grad_norm(model.parameters(), 1.0);
double clip_grad_norm(const TensorList& params, double max_norm);

}  // namespace hearth::optim
