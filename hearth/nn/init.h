// Initial values: PyTorch's nn.init, drawing the same numbers from the same seed.
#pragma once

#include "hearth/core/random.h"
#include "hearth/core/tensor.h"

namespace hearth::nn::init {

// All write into a floating tensor, without recording, and return it; `generator` is the default one when null.

enum class Fan : uint8_t { in, out };
enum class Nonlinearity : uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// How many inputs feed a unit and how many outputs it feeds: for a weight [out, in, kernel...] in * kernel sizes and
/// out * kernel sizes. Raises ShapeError for fewer than two dimensions.
struct Fans {
  int64_t in, out;
};
Fans fans(const Tensor& weight);
/// What a function's input is to be scaled with to keep its variance; `slope` is leaky_relu's.
double gain(Nonlinearity nonlinearity, double slope = 0.01);

const Tensor& uniform_(const Tensor& x, double low = 0, double high = 1, Generator* generator = nullptr);
const Tensor& normal_(const Tensor& x, double mean = 0, double deviation = 1, Generator* generator = nullptr);
/// Normal numbers, drawn again outside [low, high] (these two are values, not deviations).
const Tensor& trunc_normal_(const Tensor& x, double mean = 0, double deviation = 1, double low = -2, double high = 2,
                            Generator* generator = nullptr);
const Tensor& constant_(const Tensor& x, double value);
const Tensor& zeros_(const Tensor& x);
const Tensor& ones_(const Tensor& x);
/// Ones on the diagonal of a matrix.
const Tensor& eye_(const Tensor& x);
/// A convolution's weight [out, in, kernel...] that hands as many channels as possible through, in each group.
const Tensor& dirac_(const Tensor& x, int64_t groups = 1);

/// Bounds sqrt(6 / (fan in + fan out)), times `gain` (Glorot and Bengio 2010).
const Tensor& xavier_uniform_(const Tensor& x, double gain = 1, Generator* generator = nullptr);
const Tensor& xavier_normal_(const Tensor& x, double gain = 1, Generator* generator = nullptr);
/// Deviation gain / sqrt(fan) (He et al. 2015); `slope` is leaky_relu's.
const Tensor& kaiming_uniform_(const Tensor& x, double slope = 0, Fan fan = Fan::in,
                               Nonlinearity nonlinearity = Nonlinearity::leaky_relu, Generator* generator = nullptr);
const Tensor& kaiming_normal_(const Tensor& x, double slope = 0, Fan fan = Fan::in,
                              Nonlinearity nonlinearity = Nonlinearity::leaky_relu, Generator* generator = nullptr);
/// Rows (or columns, whichever are fewer) of length `gain` at right angles; later dimensions count as columns
/// (Saxe et al. 2014). Raises ShapeError for fewer than two dimensions.
const Tensor& orthogonal_(const Tensor& x, double gain = 1, Generator* generator = nullptr);
/// Normal numbers with a share `sparsity` of each column zeroed (Martens 2010).
const Tensor& sparse_(const Tensor& x, double sparsity, double deviation = 0.01, Generator* generator = nullptr);

}  // namespace hearth::nn::init
