// Convolution layers.
#include "hearth/nn/conv.h"

#include <cmath>

#include "hearth/nn/init.h"

namespace hearth::nn {
namespace {

/// [first, second / groups, kernel...], where one size of the kernel stands for all `dims`.
Shape weight_shape(const char* name, int64_t first, int64_t second, const Extents& kernel, int dims, int64_t groups) {
  check<ValueError>(groups > 0 && first > 0 && second > 0 && first % groups == 0 && second % groups == 0, name,
                    ": groups must divide the channels: ", groups, ", ", first, ", ", second);
  check<ValueError>(kernel.size() == 1 || int(kernel.size()) == dims, name, ": kernel has ", kernel.size(),
                    " sizes for ", dims, " dimensions");
  Shape shape{first, second / groups};
  for (int d = 0; d < dims; ++d) {
    shape.push_back(kernel[kernel.size() == 1 ? 0 : size_t(d)]);
    check<ValueError>(shape[d + 2] > 0, name, ": kernel size must be positive: ", shape[d + 2]);
  }
  return shape;
}

void start(const Tensor& weight, const Tensor& bias) {
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  if (!bias.defined()) return;
  const double bound = 1 / std::sqrt(double(init::fans(weight).in));
  init::uniform_(bias, -bound, bound);
}

}  // namespace

Conv1d::Conv1d(int64_t in, int64_t out, const Extents& kernel, const ConvOptions& options) : options_(options) {
  weight = new_parameter(weight_shape("conv1d", out, in, kernel, 1, options.groups));
  if (options.bias) bias = new_parameter({out});
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  start(weight, bias);
}

Tensor Conv1d::forward(const Tensor& x) const {
  return conv1d(x, weight, bias, options_.stride, options_.padding, options_.dilation, options_.groups);
}

Conv2d::Conv2d(int64_t in, int64_t out, const Extents& kernel, const ConvOptions& options) : options_(options) {
  weight = new_parameter(weight_shape("conv2d", out, in, kernel, 2, options.groups));
  if (options.bias) bias = new_parameter({out});
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  start(weight, bias);
}

Tensor Conv2d::forward(const Tensor& x) const {
  return conv2d(x, weight, bias, options_.stride, options_.padding, options_.dilation, options_.groups);
}

ConvTranspose1d::ConvTranspose1d(int64_t in, int64_t out, const Extents& kernel, const ConvTransposeOptions& options)
    : options_(options) {
  weight = new_parameter(weight_shape("conv_transpose1d", in, out, kernel, 1, options.groups));
  if (options.bias) bias = new_parameter({out});
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  start(weight, bias);
}

Tensor ConvTranspose1d::forward(const Tensor& x) const {
  return conv_transpose1d(x, weight, bias, options_.stride, options_.padding, options_.output_padding, options_.groups,
                          options_.dilation);
}

ConvTranspose2d::ConvTranspose2d(int64_t in, int64_t out, const Extents& kernel, const ConvTransposeOptions& options)
    : options_(options) {
  weight = new_parameter(weight_shape("conv_transpose2d", in, out, kernel, 2, options.groups));
  if (options.bias) bias = new_parameter({out});
  add_parameter("weight", weight);
  add_parameter("bias", bias);
  start(weight, bias);
}

Tensor ConvTranspose2d::forward(const Tensor& x) const {
  return conv_transpose2d(x, weight, bias, options_.stride, options_.padding, options_.output_padding, options_.groups,
                          options_.dilation);
}

}  // namespace hearth::nn
