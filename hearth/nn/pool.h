// Pooling layers.
#pragma once

#include "hearth/nn/layer.h"
#include "hearth/ops/pool.h"

namespace hearth::nn {

using PoolFunction = Pooled (*)(const Tensor&, const std::vector<int64_t>&, const PoolOptions&);
using MeanFunction = Tensor (*)(const Tensor&, const std::vector<int64_t>&, const PoolOptions&);

/// The largest of each window. Example: nn::MaxPool2d pool(2);
template <PoolFunction F>
class MaxPool : public Layer {
 public:
  explicit MaxPool(std::vector<int64_t> kernel, PoolOptions options = {})
      : kernel_(std::move(kernel)), options_(std::move(options)) {}
  explicit MaxPool(int64_t kernel, PoolOptions options = {}) : MaxPool(std::vector<int64_t>{kernel}, options) {}
  Tensor forward(const Tensor& x) const override { return F(x, kernel_, options_).values; }

 private:
  std::vector<int64_t> kernel_;
  PoolOptions options_;
};
using MaxPool1d = MaxPool<max_pool1d>;
using MaxPool2d = MaxPool<max_pool2d>;

/// The mean of each window.
template <MeanFunction F>
class AvgPool : public Layer {
 public:
  explicit AvgPool(std::vector<int64_t> kernel, PoolOptions options = {})
      : kernel_(std::move(kernel)), options_(std::move(options)) {}
  explicit AvgPool(int64_t kernel, PoolOptions options = {}) : AvgPool(std::vector<int64_t>{kernel}, options) {}
  Tensor forward(const Tensor& x) const override { return F(x, kernel_, options_); }

 private:
  std::vector<int64_t> kernel_;
  PoolOptions options_;
};
using AvgPool1d = AvgPool<avg_pool1d>;
using AvgPool2d = AvgPool<avg_pool2d>;

/// Means of as many windows as the output is to have. Example: nn::AdaptiveAvgPool2d whole_image(1);
template <Tensor (*F)(const Tensor&, const std::vector<int64_t>&)>
class AdaptiveAvgPool : public Layer {
 public:
  explicit AdaptiveAvgPool(std::vector<int64_t> size) : size_(std::move(size)) {}
  explicit AdaptiveAvgPool(int64_t size) : size_{size} {}
  Tensor forward(const Tensor& x) const override { return F(x, size_); }

 private:
  std::vector<int64_t> size_;
};
using AdaptiveAvgPool1d = AdaptiveAvgPool<adaptive_avg_pool1d>;
using AdaptiveAvgPool2d = AdaptiveAvgPool<adaptive_avg_pool2d>;

}  // namespace hearth::nn
