// Pooling: maxima are gathered by the positions that a kernel finds, averages are sums over windows.
#include "hearth/ops/pool.h"

#include <algorithm>

#include "hearth/backend/kernels/conv.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"
#include "hearth/ops/windows.h"

namespace hearth {

namespace {

using Pair = std::array<int64_t, 2>;

/// x as [N, C, H, W].
struct Image {
  Tensor x;
  int spatial;
  bool batched;
};

Image as_image(const char* op, const Tensor& x, int spatial) {
  const int rank = spatial + 2;
  check<ShapeError>(x.dim() == rank || x.dim() == rank - 1, op, ": input must have ", rank, " dimensions, or ",
                    rank - 1, " without a batch: ", x.shape());
  check<ShapeError>(x.size(-1) > 0 && x.size(-spatial) > 0, op, ": input has no pixels: ", x.shape());
  Image image{x, spatial, x.dim() == rank};
  if (!image.batched) image.x = unsqueeze(image.x, 0);
  if (spatial == 1) image.x = unsqueeze(image.x, 2);
  return image;
}

Tensor as_given(const Image& image, const Tensor& y) {
  Tensor z = y;
  if (image.spatial == 1) z = squeeze(z, 2);
  return image.batched ? z : squeeze(z, 0);
}

struct Windows {
  kernels::WindowGrid grid;
  Pair count;
};

/// PyTorch's sizes: with ceil_mode a window that would begin behind the input and its front padding is dropped.
Windows plan_windows(const char* op, const Image& image, const std::vector<int64_t>& kernel,
                     const PoolOptions& options) {
  const int n = image.spatial;
  Windows w;
  w.grid.kernel = spatial_pair(op, "kernel", kernel, n, 1, 1);
  w.grid.stride = spatial_pair(op, "stride", options.stride.empty() ? kernel : options.stride, n, 1, 1);
  w.grid.before = spatial_pair(op, "padding", options.padding, n, 0, 0);
  w.grid.dilation = spatial_pair(op, "dilation", options.dilation, n, 1, 1);
  for (size_t i = 0; i < 2; ++i) {
    const int64_t size = image.x.size(2 + int(i)), pad = w.grid.before[i], stride = w.grid.stride[i];
    const int64_t reach = w.grid.dilation[i] * (w.grid.kernel[i] - 1) + 1;
    check<ValueError>(pad <= reach / 2, op, ": padding ", pad, " is more than half of the window of ", reach);
    const int64_t room = size + 2 * pad - reach;
    check<ShapeError>(room >= 0 || (options.ceil_mode && room + stride - 1 >= 0), op, ": window of ", reach,
                      " is larger than the padded input ", image.x.shape());
    w.count[i] = (room + (options.ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (options.ceil_mode && (w.count[i] - 1) * stride >= size + pad) --w.count[i];
  }
  return w;
}

/// Begin and end of each window, [2, count] int64.
Tensor spans(const std::vector<Pair>& windows) {
  const int64_t n = int64_t(windows.size());
  const Tensor t = Tensor::empty({2, n}, Dtype::int64);
  for (int64_t i = 0; i < n; ++i) {
    t.data<int64_t>()[i] = windows[size_t(i)][0];
    t.data<int64_t>()[n + i] = windows[size_t(i)][1];
  }
  return t;
}

/// What each window covers inside the input.
std::vector<Pair> clipped(const Windows& w, size_t axis, int64_t size) {
  const int64_t step = w.grid.dilation[axis];
  std::vector<Pair> windows;
  for (int64_t a = 0; a < w.count[axis]; ++a) {
    int64_t begin = a * w.grid.stride[axis] - w.grid.before[axis];
    const int64_t end = std::min(begin + step * (w.grid.kernel[axis] - 1) + 1, size);
    while (begin < 0) begin += step;
    windows.push_back({begin, end});
  }
  return windows;
}

std::vector<Pair> adaptive(int64_t size, int64_t count) {
  std::vector<Pair> windows;
  for (int64_t i = 0; i < count; ++i) windows.push_back({i * size / count, ((i + 1) * size + count - 1) / count});
  return windows;
}

Pooled max_over(const Image& image, const std::vector<Pair>& rows, const std::vector<Pair>& columns, const Pair& step) {
  const Tensor& x = image.x;
  const int64_t n = x.size(0), c = x.size(1), pixels = x.size(2) * x.size(3);
  const int64_t oh = int64_t(rows.size()), ow = int64_t(columns.size());
  for (const std::vector<Pair>* windows : {&rows, &columns})
    for (const Pair& w : *windows)
      check<ShapeError>(w[0] < w[1], "max_pool: a window holds padding only: input ", x.shape());
  Tensor at = Tensor::empty({n * c, oh, ow}, Dtype::int64, x.device());
  {
    NoGrad guard;
    kernels::max_window(x.device(), at, reshape(x.detach(), {n * c, x.size(2), x.size(3)}), spans(rows), spans(columns),
                        step);
  }
  const Tensor values = gather(reshape(x, {n * c, pixels}), 1, reshape(at, {n * c, oh * ow}));
  return {as_given(image, reshape(values, {n, c, oh, ow})), as_given(image, reshape(at, {n, c, oh, ow}))};
}

Pooled max_pool(const char* op, const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options,
                int spatial) {
  const Image image = as_image(op, x, spatial);
  const Windows w = plan_windows(op, image, kernel, options);
  return max_over(image, clipped(w, 0, image.x.size(2)), clipped(w, 1, image.x.size(3)), w.grid.dilation);
}

/// Elements that each window counts along one axis.
std::vector<double> divisors(const Windows& w, size_t axis, int64_t size, bool include_padding) {
  std::vector<double> counts;
  for (int64_t a = 0; a < w.count[axis]; ++a) {
    const int64_t begin = a * w.grid.stride[axis] - w.grid.before[axis], end = begin + w.grid.kernel[axis];
    counts.push_back(double(include_padding ? std::min(end, size + w.grid.before[axis]) - begin
                                            : std::min(end, size) - std::max<int64_t>(begin, 0)));
  }
  return counts;
}

Tensor avg_pool(const char* op, const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options,
                int spatial) {
  check<DtypeError>(is_floating(x.dtype()), op, ": needs a floating tensor: ", x.dtype());
  check<ValueError>(options.divisor >= 0, op, ": divisor must be positive: ", options.divisor);
  check<ValueError>(options.dilation == std::vector<int64_t>{1}, op, ": averages have no dilation");
  const Image image = as_image(op, x, spatial);
  const Windows w = plan_windows(op, image, kernel, options);
  const Tensor sums = permute(sum(image_to_windows(image.x, w.grid, w.count), {1, 2}), {1, 0, 2, 3});
  if (options.divisor) return as_given(image, div(sums, double(options.divisor)));
  const std::vector<double> rows = divisors(w, 0, image.x.size(2), options.count_include_pad),
                            columns = divisors(w, 1, image.x.size(3), options.count_include_pad);
  const Tensor counts = Tensor::empty({w.count[0], w.count[1]}, Dtype::float64);
  for (size_t a = 0; a < rows.size(); ++a)
    for (size_t b = 0; b < columns.size(); ++b) counts.data<double>()[a * columns.size() + b] = rows[a] * columns[b];
  return as_given(image, div(sums, to(counts, x.dtype())));
}

/// The wanted size as a pair; -1 keeps the input's.
Pair adaptive_size(const char* op, const Image& image, const std::vector<int64_t>& size) {
  Pair out = spatial_pair(op, "size", size, image.spatial, 1, -1);
  for (size_t i = 0; i < 2; ++i) {
    if (out[i] == -1) out[i] = image.x.size(2 + int(i));
  }
  return out;
}

Pooled adaptive_max(const char* op, const Tensor& x, const std::vector<int64_t>& size, int spatial) {
  const Image image = as_image(op, x, spatial);
  const Pair out = adaptive_size(op, image, size);
  return max_over(image, adaptive(image.x.size(2), out[0]), adaptive(image.x.size(3), out[1]), {1, 1});
}

Tensor adaptive_avg(const char* op, const Tensor& x, const std::vector<int64_t>& size, int spatial) {
  check<DtypeError>(is_floating(x.dtype()), op, ": needs a floating tensor: ", x.dtype());
  const Image image = as_image(op, x, spatial);
  const Pair out = adaptive_size(op, image, size);
  const int64_t h = image.x.size(2), w = image.x.size(3);
  if (out[0] > 0 && out[1] > 0 && h % out[0] == 0 && w % out[1] == 0) {
    const Tensor y = avg_pool(op, image.x, {h / out[0], w / out[1]}, {}, 2);
    return as_given(image, y);
  }
  TensorList cells;
  for (const Pair& r : adaptive(h, out[0]))
    for (const Pair& c : adaptive(w, out[1]))
      cells.push_back(mean(narrow(narrow(image.x, 2, r[0], r[1] - r[0]), 3, c[0], c[1] - c[0]), {2, 3}));
  if (cells.empty()) return as_given(image, zeros({image.x.size(0), image.x.size(1), out[0], out[1]}, x.dtype()));
  return as_given(image, reshape(stack(cells, -1), {image.x.size(0), image.x.size(1), out[0], out[1]}));
}

}  // namespace

Pooled max_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return max_pool("max_pool1d", x, kernel, options, 1);
}
Pooled max_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return max_pool("max_pool2d", x, kernel, options, 2);
}
Tensor avg_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return avg_pool("avg_pool1d", x, kernel, options, 1);
}
Tensor avg_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return avg_pool("avg_pool2d", x, kernel, options, 2);
}
Pooled adaptive_max_pool1d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_max("adaptive_max_pool1d", x, size, 1);
}
Pooled adaptive_max_pool2d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_max("adaptive_max_pool2d", x, size, 2);
}
Tensor adaptive_avg_pool1d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_avg("adaptive_avg_pool1d", x, size, 1);
}
Tensor adaptive_avg_pool2d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_avg("adaptive_avg_pool2d", x, size, 2);
}

}  // namespace hearth
