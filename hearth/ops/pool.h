// Pooling in one and two dimensions, and resizing of images.
#pragma once

#include <string_view>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Maxima and where they stood inside their plane (row * width + column), int64.
struct Pooled {
  Tensor values;
  Tensor indices;
};

/// Settings of a moving window; an empty stride is the window's size. Each list has one number, or one for each spatial
/// dimension. With ceil_mode a last window may reach over the end, if it begins inside.
struct PoolOptions {
  std::vector<int64_t> stride{};
  std::vector<int64_t> padding{0};
  std::vector<int64_t> dilation{1};  ///< maxima only
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< averages only: padding counts as elements
  int64_t divisor = 0;            ///< averages only: divide by this instead of counting
};

/// x [N, C, L] or [C, L]. NaN wins; padding is never the maximum; of equal elements the first.
/// Raises ShapeError, ValueError. Example: auto [y, at] = max_pool1d(x, {3}, {.stride = {2}});
Pooled max_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
/// x [N, C, H, W] or [C, H, W].
Pooled max_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
Tensor avg_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
Tensor avg_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});

/// Pools to a given size: window i of n covers [floor(i size / n), ceil((i + 1) size / n)). -1 keeps a size.
Pooled adaptive_max_pool1d(const Tensor& x, const std::vector<int64_t>& size);
Pooled adaptive_max_pool2d(const Tensor& x, const std::vector<int64_t>& size);
Tensor adaptive_avg_pool1d(const Tensor& x, const std::vector<int64_t>& size);
Tensor adaptive_avg_pool2d(const Tensor& x, const std::vector<int64_t>& size);

enum class Resize { nearest, nearest_exact, linear };  ///< linear: bilinear for images

/// Resizes the spatial dimensions (all after the first two) to `size`, or by `scale` factors (one, or one for each);
/// exactly one of both is given. Pixels are areas unless align_corners, which puts the outer ones on each other
/// (linear only). Example: Tensor y = interpolate(x, {}, {2.0}, Resize::linear);
Tensor interpolate(const Tensor& x, const std::vector<int64_t>& size, const std::vector<double>& scale = {},
                   Resize mode = Resize::nearest, bool align_corners = false);

}  // namespace hearth
