// Gradient clipping.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth::optim {

/// Scales all gradients so that their joint norm of order `norm_type` (1, 2, ..., or infinity) is at most `max_norm`,
/// which may be infinite; returns the norm before that, summed in float64 in an order that no thread count changes.
/// Gradients stay as they are when the norm is infinite or NaN. Raises ValueError unless max_norm and norm_type are
/// positive. Example: double norm = optim::clip_grad_norm(model.parameters(), 1.0);
double clip_grad_norm(const TensorList& params, double max_norm, double norm_type = 2);

/// Bounds every element of every gradient to [-max_value, max_value]; NaN stays. Raises ValueError for a negative
/// bound. Example: optim::clip_grad_value(model.parameters(), 0.5);
void clip_grad_value(const TensorList& params, double max_value);

}  // namespace hearth::optim
