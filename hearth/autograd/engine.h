// The backward engine: walks recorded nodes from outputs to inputs.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

struct BackwardOptions {
  bool retain_graph = false;  ///< keep what was saved, for another backward
  bool create_graph = false;  ///< record the backward itself (implies retain_graph)
};

/// Adds d output / d leaf to the `grad` of every leaf that requires grad. `gradient` may be left out for a one-element
/// output. Raises ValueError when output has no history, ShapeError when the gradient does not fit.
/// Example: backward(loss);
void backward(const Tensor& output, const Tensor& gradient = {}, BackwardOptions options = {});
void backward(const TensorList& outputs, const TensorList& gradients, BackwardOptions options = {});

/// Gradients of `outputs` with respect to `inputs` (leaves or not), leaving every `.grad` alone. An input that the
/// outputs do not depend on raises ValueError unless `allow_unused`, then its gradient is undefined.
/// Example: TensorList g = grad({loss}, {w}, {}, {.create_graph = true});
TensorList grad(const TensorList& outputs, const TensorList& inputs, const TensorList& gradients = {},
                BackwardOptions options = {}, bool allow_unused = false);

}  // namespace hearth
