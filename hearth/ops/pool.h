// Pooling in one to three dimensions, its reverse, and resizing of images.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Maxima and where they stood inside their plane (in row-major order), int64.
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
  int64_t divisor = 0;            ///< averages only: divide by this instead of counting (0: count)
};

/// x [N, C, L] or [C, L]. NaN wins; padding is never the maximum; of equal elements the first. Any dtype.
/// Raises ShapeError, ValueError. Example: auto [y, at] = max_pool1d(x, {3}, {.stride = {2}});
Pooled max_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
/// x [N, C, H, W] or [C, H, W].
Pooled max_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
/// x [N, C, D, H, W] or [C, D, H, W].
Pooled max_pool3d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
/// Means; integers are divided without their fraction.
Tensor avg_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
Tensor avg_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});
Tensor avg_pool3d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options = {});

/// Pools to a given size: window i of n covers [floor(i size / n), ceil((i + 1) size / n)). -1 keeps a size.
Pooled adaptive_max_pool1d(const Tensor& x, const std::vector<int64_t>& size);
Pooled adaptive_max_pool2d(const Tensor& x, const std::vector<int64_t>& size);
Pooled adaptive_max_pool3d(const Tensor& x, const std::vector<int64_t>& size);
Tensor adaptive_avg_pool1d(const Tensor& x, const std::vector<int64_t>& size);
Tensor adaptive_avg_pool2d(const Tensor& x, const std::vector<int64_t>& size);
Tensor adaptive_avg_pool3d(const Tensor& x, const std::vector<int64_t>& size);

/// Maxima of windows that begin at places drawn by `samples` [N, C, spatial] in [0, 1) (Graham 2014): window i of n
/// begins at floor((i + u) a) - floor(u a) with a = (size - kernel) / (n - 1), the last one at size - kernel. x has
/// `size.size()` (2 or 3) spatial dimensions. Raises ShapeError, ValueError.
Pooled fractional_max_pool(const Tensor& x, const std::vector<int64_t>& kernel, const std::vector<int64_t>& size,
                           const Tensor& samples);

/// The reverse of max_pool: values at `indices` of planes of `size` (one to three sizes), zeros elsewhere; of values
/// that meet the last one stays. Raises IndexError for an index outside the plane, ShapeError, DtypeError.
Tensor max_unpool(const Tensor& x, const Tensor& indices, const std::vector<int64_t>& size);

/// linear: bilinear for images, trilinear for volumes; cubic: two dimensions; lanczos: the same, with antialias only;
/// area: means of adaptive windows.
enum class Resize { nearest, nearest_exact, linear, cubic, area, lanczos };

struct ResizeOptions {
  bool align_corners = false;  ///< outer pixels lie on each other (linear and cubic); else pixels are areas
  bool antialias = false;      ///< linear and cubic: shrinking averages over all that an output pixel covers
};

/// Resizes the spatial dimensions (all after the first two) to `size` (one for each); where `scale` has a factor for a
/// dimension, positions are computed with it instead of the ratio of the sizes. Integers: nearest; uint8 also linear
/// and cubic, rounded. Differentiable, and again. Raises ShapeError, ValueError, DtypeError.
/// Source of the cubic kernel: Keys 1981 with a = -0.75 (-0.5 with antialias), as PyTorch and Pillow have them.
Tensor resize(const Tensor& x, const std::vector<int64_t>& size, const std::vector<std::optional<double>>& scale,
              Resize mode, const ResizeOptions& options = {});

/// Resizes to `size`, or by `scale` factors (one, or one for each spatial dimension); exactly one of both is given.
/// Example: Tensor y = interpolate(x, {}, {2.0}, Resize::linear);
Tensor interpolate(const Tensor& x, const std::vector<int64_t>& size, const std::vector<double>& scale = {},
                   Resize mode = Resize::nearest, bool align_corners = false);

}  // namespace hearth
