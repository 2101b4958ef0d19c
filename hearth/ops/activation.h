// Activation functions, element by element; float32 for integers where the result is not whole.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// x > 0 ? x : slope * x.
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x > 0 ? x : alpha * (exp(x) - 1).
Tensor elu(const Tensor& x, double alpha = 1);
/// elu with the two constants of Klambauer et al. 2017 that keep mean and variance.
Tensor selu(const Tensor& x);
/// max(0, x) + min(0, alpha * (exp(x / alpha) - 1)). Raises ValueError for alpha = 0.
Tensor celu(const Tensor& x, double alpha = 1);

enum class Gelu : uint8_t { none, tanh };
/// x times the normal distribution function of x; Gelu::tanh is its approximation (Hendrycks and Gimpel 2016).
Tensor gelu(const Tensor& x, Gelu approximate = Gelu::none);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
/// x * tanh(softplus(x)).
Tensor mish(const Tensor& x);
/// log(1 + exp(beta x)) / beta, and x itself where beta x exceeds the threshold.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20);
/// log(sigmoid(x)).
Tensor logsigmoid(const Tensor& x);
/// x clamped to [low, high]; the gradient on the bounds is 0.
Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);
Tensor relu6(const Tensor& x);
/// min(max(x + 3, 0), 6) / 6.
Tensor hardsigmoid(const Tensor& x);
/// x * hardsigmoid(x).
Tensor hardswish(const Tensor& x);
/// x > at ? x : value.
Tensor threshold(const Tensor& x, double at, double value);
/// x - tanh(x).
Tensor tanhshrink(const Tensor& x);
/// x / (1 + |x|).
Tensor softsign(const Tensor& x);
/// x moved towards 0 by lambda, 0 within it.
Tensor softshrink(const Tensor& x, double lambda = 0.5);
/// x where |x| > lambda, else 0.
Tensor hardshrink(const Tensor& x, double lambda = 0.5);
/// x > 0 ? x : weight * x, one weight or one for each channel (dimension 1).
Tensor prelu(const Tensor& x, const Tensor& weight);
/// The first half of a dimension times the sigmoid of the second. Raises ShapeError for an odd size.
Tensor glu(const Tensor& x, int64_t dim = -1);

const Tensor& relu_(const Tensor& x);
const Tensor& silu_(const Tensor& x);
const Tensor& leaky_relu_(const Tensor& x, double slope = 0.01);

}  // namespace hearth
