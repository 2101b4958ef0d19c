// Convolution: windows become columns, one batched product per group does the rest; its backward follows from both.
#include "hearth/ops/conv.h"

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"
#include "hearth/ops/windows.h"

namespace hearth {

namespace {

using kernels::WindowGrid;

int64_t volume(const Extent3& e) { return e[0] * e[1] * e[2]; }

/// Operands of a convolution with three spatial dimensions and a batch.
struct Operands {
  Tensor x, weight;
  int spatial;
  bool batched;
};

/// Checks ranks and dtypes; missing spatial dimensions are added in front.
Operands normalized(const char* op, const Tensor& x, const Tensor& weight, int spatial) {
  const int rank = spatial + 2;
  check<ShapeError>(weight.dim() == rank, op, ": weight must have ", rank, " dimensions: ", weight.shape());
  check<ShapeError>(x.dim() == rank || x.dim() == rank - 1, op, ": input must have ", rank, " dimensions, or ",
                    rank - 1, " without a batch: ", x.shape());
  check<DtypeError>(x.dtype() != Dtype::boolean && x.dtype() == weight.dtype(), op,
                    ": input and weight need one dtype: ", x.dtype(), " and ", weight.dtype());
  Operands o{x, weight, spatial, x.dim() == rank};
  if (!o.batched) o.x = unsqueeze(o.x, 0);
  o.x = with_depth(o.x, spatial);
  o.weight = with_depth(o.weight, spatial);
  return o;
}

/// Adds the bias to y [N, O, D, H, W] and drops the dimensions that `normalized` added.
Tensor finished(const char* op, const Operands& o, const Tensor& y, const Tensor& bias) {
  Tensor z = y;
  if (bias.defined()) {
    check<ShapeError>(bias.dim() == 1 && bias.size(0) == y.size(1), op, ": bias must have ", y.size(1),
                      " elements: ", bias.shape());
    check<DtypeError>(bias.dtype() == y.dtype(), op, ": bias has dtype ", bias.dtype(), ", input ", y.dtype());
    z = add(z, reshape(bias, {1, bias.size(0), 1, 1, 1}));
  }
  z = without_depth(z, o.spatial);
  if (!o.batched) z = squeeze(z, 0);
  return contiguous(z);
}

void check_groups(const char* op, int64_t groups, int64_t channels, int64_t outputs) {
  check<ValueError>(groups >= 1 && channels % groups == 0 && outputs % groups == 0, op, ": groups ", groups,
                    " must divide the channels: ", channels, " in, ", outputs, " out");
}

/// Zeros before each dimension, and in all.
struct Margins {
  Extent3 before{}, total{};
};

Margins margins(const char* op, const ConvPadding& padding, int spatial, const WindowGrid& grid) {
  if (padding.name().empty()) {
    const Extent3 p = spatial_extent(op, "padding", padding.sizes(), spatial, 0, 0);
    return {p, {2 * p[0], 2 * p[1], 2 * p[2]}};
  }
  check<ValueError>(padding.name() == "same" || padding.name() == "valid", op,
                    ": padding must be numbers, same or valid: ", padding.name());
  if (padding.name() == "valid") return {};
  check<ValueError>(grid.stride == Extent3{1, 1, 1}, op, ": padding same needs stride 1: ", grid.stride[1], ", ",
                    grid.stride[2]);
  Margins m;
  for (size_t i = 0; i < 3; ++i) {
    m.total[i] = grid.dilation[i] * (grid.kernel[i] - 1);
    m.before[i] = m.total[i] / 2;
  }
  return m;
}

Tensor convolve(const char* op, int spatial, const Tensor& input, const Tensor& kernel, const Tensor& bias,
                const Extents& stride, const ConvPadding& padding, const Extents& dilation, int64_t groups) {
  const Operands o = normalized(op, input, kernel, spatial);
  const int64_t n = o.x.size(0), channels = o.x.size(1), outputs = o.weight.size(0);
  check_groups(op, groups, channels, outputs);
  check<ShapeError>(o.weight.size(1) == channels / groups, op, ": weight ", kernel.shape(), " does not fit input ",
                    input.shape(), " with ", groups, " groups");
  WindowGrid grid;
  grid.kernel = {o.weight.size(2), o.weight.size(3), o.weight.size(4)};
  grid.stride = spatial_extent(op, "stride", stride, spatial, 1, 1);
  grid.dilation = spatial_extent(op, "dilation", dilation, spatial, 1, 1);
  const Margins m = margins(op, padding, spatial, grid);
  grid.before = m.before;
  Extent3 windows;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t size = o.x.size(2 + int(i)), reach = grid.dilation[i] * (grid.kernel[i] - 1) + 1;
    check<ShapeError>(size + m.total[i] >= reach && grid.kernel[i] > 0, op, ": kernel ", kernel.shape(),
                      " is larger than the padded input ", input.shape());
    windows[i] = (size + m.total[i] - reach) / grid.stride[i] + 1;
  }
  const int64_t depth = channels / groups * volume(grid.kernel), places = n * volume(windows);
  const Tensor columns = reshape(image_to_windows(o.x, grid, windows), {groups, depth, places});
  const Tensor y = matmul(reshape(o.weight, {groups, outputs / groups, depth}), columns);
  return finished(op, o, transpose(reshape(y, {outputs, n, windows[0], windows[1], windows[2]}), 0, 1), bias);
}

Tensor convolve_transposed(const char* op, int spatial, const Tensor& input, const Tensor& kernel, const Tensor& bias,
                           const Extents& stride, const Extents& padding, const Extents& output_padding, int64_t groups,
                           const Extents& dilation) {
  const Operands o = normalized(op, input, kernel, spatial);
  const int64_t n = o.x.size(0), channels = o.x.size(1), outputs = o.weight.size(1) * groups;
  check_groups(op, groups, channels, outputs);
  check<ShapeError>(o.weight.size(0) == channels, op, ": weight ", kernel.shape(), " does not fit input ",
                    input.shape());
  WindowGrid grid;
  grid.kernel = {o.weight.size(2), o.weight.size(3), o.weight.size(4)};
  grid.stride = spatial_extent(op, "stride", stride, spatial, 1, 1);
  grid.dilation = spatial_extent(op, "dilation", dilation, spatial, 1, 1);
  grid.before = spatial_extent(op, "padding", padding, spatial, 0, 0);
  const Extent3 extra = spatial_extent(op, "output_padding", output_padding, spatial, 0, 0);
  Extent3 size;
  for (size_t i = 0; i < 3; ++i) {
    check<ValueError>(extra[i] < std::max(grid.stride[i], grid.dilation[i]) || extra[i] == 0, op, ": output_padding ",
                      extra[i], " must be smaller than stride or dilation");
    size[i] = (o.x.size(2 + int(i)) - 1) * grid.stride[i] - 2 * grid.before[i] +
              grid.dilation[i] * (grid.kernel[i] - 1) + extra[i] + 1;
    check<ShapeError>(size[i] >= 0, op, ": output would have a negative size: input ", input.shape(), ", kernel ",
                      kernel.shape());
  }
  const Extent3 from{o.x.size(2), o.x.size(3), o.x.size(4)}, &k = grid.kernel;
  const int64_t depth = outputs / groups * volume(k);
  const Tensor pixels = reshape(transpose(o.x, 0, 1), {groups, channels / groups, n * volume(from)});
  const Tensor filters = transpose(reshape(o.weight, {groups, channels / groups, depth}), 1, 2);
  const Tensor columns = reshape(matmul(filters, pixels), {outputs, k[0], k[1], k[2], n, from[0], from[1], from[2]});
  return finished(op, o, windows_to_image(columns, grid, size), bias);
}

struct Columns {
  WindowGrid grid;
  Extent3 windows;
};

Columns column_grid(const char* op, const Extent3& size, const Extents& kernel, const Extents& dilation,
                    const Extents& padding, const Extents& stride) {
  Columns c;
  c.grid.kernel = spatial_extent(op, "kernel", kernel, 2, 1, 1);
  c.grid.dilation = spatial_extent(op, "dilation", dilation, 2, 1, 1);
  c.grid.before = spatial_extent(op, "padding", padding, 2, 0, 0);
  c.grid.stride = spatial_extent(op, "stride", stride, 2, 1, 1);
  for (size_t i = 0; i < 3; ++i) {
    const int64_t room = size[i] + 2 * c.grid.before[i] - c.grid.dilation[i] * (c.grid.kernel[i] - 1) - 1;
    check<ShapeError>(room >= 0, op, ": window is larger than the padded image of ", size[1], " x ", size[2]);
    c.windows[i] = room / c.grid.stride[i] + 1;
  }
  return c;
}

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extents& stride,
              const ConvPadding& padding, const Extents& dilation, int64_t groups) {
  return convolve("conv1d", 1, x, weight, bias, stride, padding, dilation, groups);
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extents& stride,
              const ConvPadding& padding, const Extents& dilation, int64_t groups) {
  return convolve("conv2d", 2, x, weight, bias, stride, padding, dilation, groups);
}

Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extents& stride,
              const ConvPadding& padding, const Extents& dilation, int64_t groups) {
  return convolve("conv3d", 3, x, weight, bias, stride, padding, dilation, groups);
}

Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extents& stride,
                        const Extents& padding, const Extents& output_padding, int64_t groups,
                        const Extents& dilation) {
  return convolve_transposed("conv_transpose1d", 1, x, weight, bias, stride, padding, output_padding, groups, dilation);
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extents& stride,
                        const Extents& padding, const Extents& output_padding, int64_t groups,
                        const Extents& dilation) {
  return convolve_transposed("conv_transpose2d", 2, x, weight, bias, stride, padding, output_padding, groups, dilation);
}

Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extents& stride,
                        const Extents& padding, const Extents& output_padding, int64_t groups,
                        const Extents& dilation) {
  return convolve_transposed("conv_transpose3d", 3, x, weight, bias, stride, padding, output_padding, groups, dilation);
}

Tensor im2col(const Tensor& x, const Extents& kernel, const Extents& dilation, const Extents& padding,
              const Extents& stride) {
  check<ShapeError>(x.dim() == 4, "im2col: needs images [N, C, H, W]: ", x.shape());
  check<DtypeError>(x.dtype() != Dtype::boolean, "im2col: needs numbers: ", x.dtype());
  const Columns c = column_grid("im2col", {1, x.size(2), x.size(3)}, kernel, dilation, padding, stride);
  const Tensor windows = image_to_windows(with_depth(x, 2), c.grid, c.windows);
  return contiguous(
      transpose(reshape(windows, {x.size(1) * volume(c.grid.kernel), x.size(0), volume(c.windows)}), 0, 1));
}

Tensor col2im(const Tensor& columns, const Extents& size, const Extents& kernel, const Extents& dilation,
              const Extents& padding, const Extents& stride) {
  check<ShapeError>(columns.dim() == 3, "col2im: needs columns [N, C * KH * KW, windows]: ", columns.shape());
  check<DtypeError>(columns.dtype() != Dtype::boolean, "col2im: needs numbers: ", columns.dtype());
  const Extent3 image = spatial_extent("col2im", "size", size, 2, 1, 1);
  const Columns c = column_grid("col2im", image, kernel, dilation, padding, stride);
  const int64_t area = volume(c.grid.kernel), places = volume(c.windows);
  check<ShapeError>(columns.size(1) % area == 0 && columns.size(2) == places, "col2im: columns ", columns.shape(),
                    " do not fit windows of ", area, " pixels and ", places, " windows");
  const Tensor windows = reshape(
      transpose(columns, 0, 1),
      {columns.size(1) / area, 1, c.grid.kernel[1], c.grid.kernel[2], columns.size(0), 1, c.windows[1], c.windows[2]});
  return without_depth(windows_to_image(windows, c.grid, image), 2);
}

}  // namespace hearth
