// Activation functions and dropout as layers.
#include "hearth/nn/activation.h"

#include "hearth/nn/init.h"
#include "hearth/ops/random.h"
#include "hearth/ops/softmax.h"

namespace hearth::nn {

Tensor GELU::forward(const Tensor& x) const { return gelu(x, approximate_); }
Tensor LeakyReLU::forward(const Tensor& x) const { return leaky_relu(x, slope_); }
Tensor ELU::forward(const Tensor& x) const { return elu(x, alpha_); }
Tensor Softplus::forward(const Tensor& x) const { return softplus(x, beta_, threshold_); }
Tensor Softmax::forward(const Tensor& x) const { return softmax(x, dim_); }
Tensor LogSoftmax::forward(const Tensor& x) const { return log_softmax(x, dim_); }

PReLU::PReLU(int64_t count, double start) {
  add_parameter("weight", weight);
  init::constant_(weight = new_parameter({count}), start);
}

Tensor PReLU::forward(const Tensor& x) const { return prelu(x, weight); }

Dropout::Dropout(double p) : p_(p) {
  check<ValueError>(p >= 0 && p <= 1, "dropout: probability must be in [0, 1]: ", p);
}

Tensor Dropout::forward(const Tensor& x) const { return dropout(x, p_, is_training()); }

}  // namespace hearth::nn
