// Windows of images: the pair of adjoint ops under convolution and average pooling.
#include "hearth/ops/windows.h"

#include "hearth/core/node.h"

namespace hearth {

Tensor image_to_windows(const Tensor& x, const kernels::WindowGrid& grid, const std::array<int64_t, 2>& windows) {
  const Tensor y = Tensor::empty({x.size(1), grid.kernel[0], grid.kernel[1], x.size(0), windows[0], windows[1]},
                                 x.dtype(), x.device());
  kernels::image_to_windows(x.device(), y, x, grid);
  if (!needs_grad(x)) return y;
  return record("image_to_windows", y, {x}, [grid, h = x.size(2), w = x.size(3)](const GradContext& c) -> Grads {
    return {windows_to_image(c.dy(), grid, {h, w})};
  });
}

Tensor windows_to_image(const Tensor& windows, const kernels::WindowGrid& grid, const std::array<int64_t, 2>& size) {
  const Shape& s = windows.shape();
  const Tensor y = Tensor::empty({s[3], s[0], size[0], size[1]}, windows.dtype(), windows.device());
  kernels::windows_to_image(y.device(), y, windows, grid);
  if (!needs_grad(windows)) return y;
  return record("windows_to_image", y, {windows}, [grid, h = s[4], w = s[5]](const GradContext& c) -> Grads {
    return {image_to_windows(c.dy(), grid, {h, w})};
  });
}

std::array<int64_t, 2> spatial_pair(const char* op, const char* what, const std::vector<int64_t>& values, int spatial,
                                    int64_t neutral, int64_t least) {
  check<ValueError>(values.size() == 1 || int(values.size()) == spatial, op, ": ", what, " needs one number or ",
                    spatial, ", got ", values.size());
  std::array<int64_t, 2> pair{spatial == 2 ? values[0] : neutral, values.back()};
  for (int64_t v : values)
    check<ValueError>(v >= least && v < (int64_t(1) << 40), op, ": ", what, " is out of range: ", v, ", least ", least);
  return pair;
}

}  // namespace hearth
