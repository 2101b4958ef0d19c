// Layers that hold or reshape.
#include "hearth/nn/layer.h"

#include "hearth/ops/view.h"

namespace hearth::nn {

void Sequential::push_back(std::unique_ptr<Layer> layer) {
  check<ValueError>(layer != nullptr, "sequential: got no layer at place ", layers_.size());
  layers_.push_back(std::move(layer));
  add_module(std::to_string(layers_.size() - 1), *layers_.back());
}

Tensor Sequential::forward(const Tensor& x) const {
  Tensor y = x;
  for (const auto& layer : layers_) y = layer->forward(y);
  return y;
}

Tensor Flatten::forward(const Tensor& x) const { return flatten(x, start_, end_); }

}  // namespace hearth::nn
