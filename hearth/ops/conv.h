// Convolution in one to three dimensions, its transpose, and windows as columns.
#pragma once

#include <string>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// One number for every spatial dimension, or one for each.
using Extents = std::vector<int64_t>;

/// Zeros before and after each spatial dimension, or "valid" (none) or "same" (as many as keep the size; stride 1).
class ConvPadding {
 public:
  ConvPadding(int64_t size) : sizes_{size} {}
  ConvPadding(int size) : sizes_{size} {}
  ConvPadding(Extents sizes) : sizes_(std::move(sizes)) {}
  ConvPadding(std::initializer_list<int64_t> sizes) : sizes_(sizes) {}
  ConvPadding(const char* name) : name_(name) {}
  ConvPadding(std::string name) : name_(std::move(name)) {}
  const Extents& sizes() const { return sizes_; }
  const std::string& name() const { return name_; }

 private:
  Extents sizes_;
  std::string name_;
};

/// x [N, C, L] or [C, L], weight [O, C / groups, K], bias [O] or undefined; gives [N, O, (L + 2 padding - dilation
/// (K-1)
/// - 1) / stride + 1]. The kernel is not flipped. Each output is one sum over (channel, position) in a fixed order;
/// the weight's gradient one sum over (image, place). Raises ShapeError, ValueError, DtypeError.
/// Example: Tensor y = conv1d(x, w, b, {2}, "valid");
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Extents& stride = {1},
              const ConvPadding& padding = 0, const Extents& dilation = {1}, int64_t groups = 1);
/// x [N, C, H, W] or [C, H, W], weight [O, C / groups, KH, KW].
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Extents& stride = {1},
              const ConvPadding& padding = 0, const Extents& dilation = {1}, int64_t groups = 1);
/// x [N, C, D, H, W] or [C, D, H, W], weight [O, C / groups, KD, KH, KW].
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Extents& stride = {1},
              const ConvPadding& padding = 0, const Extents& dilation = {1}, int64_t groups = 1);

/// The adjoint of conv1d: x [N, C, L], weight [C, O / groups, K]; length (L - 1) stride - 2 padding + dilation (K - 1)
/// + output_padding + 1. output_padding must be smaller than stride or dilation.
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Extents& stride = {1},
                        const Extents& padding = {0}, const Extents& output_padding = {0}, int64_t groups = 1,
                        const Extents& dilation = {1});
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Extents& stride = {1},
                        const Extents& padding = {0}, const Extents& output_padding = {0}, int64_t groups = 1,
                        const Extents& dilation = {1});
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Extents& stride = {1},
                        const Extents& padding = {0}, const Extents& output_padding = {0}, int64_t groups = 1,
                        const Extents& dilation = {1});

/// Windows of images as columns (PyTorch's nn.functional.unfold): [N, C, H, W] to [N, C * KH * KW, windows].
Tensor im2col(const Tensor& x, const Extents& kernel, const Extents& dilation = {1}, const Extents& padding = {0},
              const Extents& stride = {1});
/// The adjoint (nn.functional.fold): [N, C * KH * KW, windows] to [N, C, H, W], where windows overlap they add up.
Tensor col2im(const Tensor& columns, const Extents& size, const Extents& kernel, const Extents& dilation = {1},
              const Extents& padding = {0}, const Extents& stride = {1});

}  // namespace hearth
