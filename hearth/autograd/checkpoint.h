// Activation checkpointing: forget a part's activations and compute them again in backward.
#pragma once

#include <functional>

#include "hearth/core/tensor.h"

namespace hearth {

/// f(inputs), keeping only the inputs; backward runs f again. `parameters` are the leaves that f uses besides its
/// inputs; a leaf that is not listed gets no gradient. f must be a function of
/// inputs and parameters alone (no random numbers). Gradients equal those without checkpointing, bit for bit.
/// Source: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost.
/// Example: TensorList y = checkpoint([&](const TensorList& x) { return TensorList{block(x[0])}; }, {x},
/// block.parameters());
TensorList checkpoint(std::function<TensorList(const TensorList&)> f, const TensorList& inputs,
                      const TensorList& parameters = {});

}  // namespace hearth
