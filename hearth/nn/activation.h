// Activation functions and dropout as layers.
#pragma once

#include "hearth/nn/layer.h"
#include "hearth/ops/activation.h"
#include "hearth/ops/math.h"

namespace hearth::nn {

/// A function of one tensor without settings, as a layer.
template <Tensor (*F)(const Tensor&)>
class Activation : public Layer {
 public:
  Tensor forward(const Tensor& x) const override { return F(x); }
};
using ReLU = Activation<hearth::relu>;
using ReLU6 = Activation<hearth::relu6>;
using SiLU = Activation<hearth::silu>;
using SELU = Activation<hearth::selu>;
using Mish = Activation<hearth::mish>;
using Sigmoid = Activation<hearth::sigmoid>;
using LogSigmoid = Activation<hearth::logsigmoid>;
using Tanh = Activation<hearth::tanh>;
using Tanhshrink = Activation<hearth::tanhshrink>;
using Softsign = Activation<hearth::softsign>;
using Hardsigmoid = Activation<hearth::hardsigmoid>;
using Hardswish = Activation<hearth::hardswish>;

class GELU : public Layer {
 public:
  explicit GELU(Gelu approximate = Gelu::none) : approximate_(approximate) {}
  Tensor forward(const Tensor& x) const override;

 private:
  Gelu approximate_;
};

class LeakyReLU : public Layer {
 public:
  explicit LeakyReLU(double slope = 0.01) : slope_(slope) {}
  Tensor forward(const Tensor& x) const override;

 private:
  double slope_;
};

class ELU : public Layer {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) const override;

 private:
  double alpha_;
};

class Softplus : public Layer {
 public:
  explicit Softplus(double beta = 1, double threshold = 20) : beta_(beta), threshold_(threshold) {}
  Tensor forward(const Tensor& x) const override;

 private:
  double beta_, threshold_;
};

/// The slope for negative numbers is learned: one, or one for each channel.
class PReLU : public Layer {
 public:
  explicit PReLU(int64_t count = 1, double start = 0.25);
  Tensor forward(const Tensor& x) const override;

  Tensor weight;
};

class Softmax : public Layer {
 public:
  explicit Softmax(int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) const override;

 private:
  int64_t dim_;
};

class LogSoftmax : public Layer {
 public:
  explicit LogSoftmax(int64_t dim) : dim_(dim) {}
  Tensor forward(const Tensor& x) const override;

 private:
  int64_t dim_;
};

/// In training zeroes each element with probability p and scales the rest by 1 / (1 - p); else the input itself.
/// Raises ValueError unless 0 <= p <= 1.
class Dropout : public Layer {
 public:
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) const override;

 private:
  double p_;
};

}  // namespace hearth::nn
