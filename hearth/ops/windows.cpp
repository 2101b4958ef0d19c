// Windows of images: the pair of adjoint ops under convolution.
#include "hearth/ops/windows.h"

#include "hearth/core/node.h"
#include "hearth/ops/view.h"

namespace hearth {

Tensor image_to_windows(const Tensor& x, const kernels::WindowGrid& grid, const Extent3& windows) {
  const Tensor y = Tensor::empty(
      {x.size(1), grid.kernel[0], grid.kernel[1], grid.kernel[2], x.size(0), windows[0], windows[1], windows[2]},
      x.dtype(), x.device());
  kernels::image_to_windows(x.device(), y, x, grid);
  if (!needs_grad(x)) return y;
  const Extent3 size{x.size(2), x.size(3), x.size(4)};
  return record("image_to_windows", y, {x},
                [grid, size](const GradContext& c) -> Grads { return {windows_to_image(c.dy(), grid, size)}; });
}

Tensor windows_to_image(const Tensor& windows, const kernels::WindowGrid& grid, const Extent3& size) {
  const Shape& s = windows.shape();
  const Tensor y = Tensor::empty({s[4], s[0], size[0], size[1], size[2]}, windows.dtype(), windows.device());
  kernels::windows_to_image(y.device(), y, windows, grid);
  if (!needs_grad(windows)) return y;
  const Extent3 count{s[5], s[6], s[7]};
  return record("windows_to_image", y, {windows},
                [grid, count](const GradContext& c) -> Grads { return {image_to_windows(c.dy(), grid, count)}; });
}

Extent3 spatial_extent(const char* op, const char* what, const std::vector<int64_t>& values, int spatial,
                       int64_t neutral, int64_t least) {
  check<ValueError>(values.size() == 1 || int(values.size()) == spatial, op, ": ", what, " needs one number or ",
                    spatial, ", got ", values.size());
  Extent3 extent{neutral, neutral, neutral};
  for (int i = 0; i < spatial; ++i) {
    const int64_t v = values.size() == 1 ? values[0] : values[size_t(i)];
    check<ValueError>(v >= least && v < (int64_t(1) << 40), op, ": ", what, " is out of range: ", v, ", least ", least);
    extent[size_t(3 - spatial) + size_t(i)] = v;
  }
  return extent;
}

Tensor with_depth(const Tensor& x, int spatial) {
  Tensor y = x;
  for (int i = spatial; i < 3; ++i) y = unsqueeze(y, 2);
  return y;
}

Tensor without_depth(const Tensor& x, int spatial) {
  Tensor y = x;
  for (int i = spatial; i < 3; ++i) y = squeeze(y, 2);
  return y;
}

}  // namespace hearth
