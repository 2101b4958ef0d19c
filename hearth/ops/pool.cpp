// Pooling: maxima are found by a kernel and get their gradient by position; averages are weighted sums, one dimension
// after the other.
#include "hearth/ops/pool.h"

#include <algorithm>
#include <cmath>

#include "hearth/backend/kernels/pool.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/resample.h"
#include "hearth/ops/view.h"
#include "hearth/ops/windows.h"

namespace hearth {

namespace {

using kernels::WindowGrid;
using Pair = std::array<int64_t, 2>;
using Spans = std::vector<Pair>;

/// x as [N, C, D, H, W].
struct Image {
  Tensor x;
  int spatial;
  bool batched;
  int64_t size(size_t axis) const { return x.size(2 + int(axis)); }
};

Image as_image(const char* op, const Tensor& x, int spatial) {
  const int rank = spatial + 2;
  check<ShapeError>(x.dim() == rank || x.dim() == rank - 1, op, ": input must have ", rank, " dimensions, or ",
                    rank - 1, " without a batch: ", x.shape());
  for (int d = rank - spatial - 1 - (x.dim() < rank); d < x.dim(); ++d)
    check<ShapeError>(x.size(d) > 0, op, ": only the batch may be empty: ", x.shape());
  Image image{x, spatial, x.dim() == rank};
  image.x = with_depth(image.batched ? x : unsqueeze(x, 0), spatial);
  return image;
}

Tensor as_given(const Image& image, const Tensor& y) {
  const Tensor z = without_depth(y, image.spatial);
  return image.batched ? z : squeeze(z, 0);
}

struct Windows {
  WindowGrid grid;
  kernels::Extent3 count;
};

/// PyTorch's sizes: with ceil_mode a window that would begin behind the input and its front padding is dropped.
Windows plan_windows(const char* op, const Image& image, const std::vector<int64_t>& kernel,
                     const PoolOptions& options) {
  const int n = image.spatial;
  Windows w;
  w.grid.kernel = spatial_extent(op, "kernel", kernel, n, 1, 1);
  w.grid.stride = spatial_extent(op, "stride", options.stride.empty() ? kernel : options.stride, n, 1, 1);
  w.grid.before = spatial_extent(op, "padding", options.padding, n, 0, 0);
  w.grid.dilation = spatial_extent(op, "dilation", options.dilation, n, 1, 1);
  for (size_t i = 0; i < 3; ++i) {
    const int64_t size = image.size(i), pad = w.grid.before[i], stride = w.grid.stride[i];
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
Tensor as_tensor(const Spans& windows) {
  const int64_t n = int64_t(windows.size());
  const Tensor t = Tensor::empty({2, n}, Dtype::int64);
  for (int64_t i = 0; i < n; ++i) {
    t.data<int64_t>()[i] = windows[size_t(i)][0];
    t.data<int64_t>()[n + i] = windows[size_t(i)][1];
  }
  return t;
}

/// What each window covers inside the input.
Spans clipped(const Windows& w, size_t axis, int64_t size) {
  const int64_t step = w.grid.dilation[axis];
  Spans windows;
  for (int64_t a = 0; a < w.count[axis]; ++a) {
    int64_t begin = a * w.grid.stride[axis] - w.grid.before[axis];
    const int64_t end = std::min(begin + step * (w.grid.kernel[axis] - 1) + 1, size);
    if (begin < 0) begin += (-begin + step - 1) / step * step;
    windows.push_back({begin, end});
  }
  return windows;
}

Spans adaptive(int64_t size, int64_t count) {
  Spans windows;
  for (int64_t i = 0; i < count; ++i) windows.push_back({i * size / count, ((i + 1) * size + count - 1) / count});
  return windows;
}

/// Values at `at` [planes, places] of planes [planes, pixels], computed already, with their gradient.
Tensor recorded_maxima(const Tensor& planes, const Tensor& values, const Tensor& at) {
  if (!needs_grad(planes)) return values;
  return record("max_pool", values, {planes}, [at, shape = planes.shape()](const GradContext& c) -> Grads {
    return {scatter_add(zeros(shape, c.dy().dtype(), c.dy().device()), 1, at, c.dy())};
  });
}

Pooled max_over(const char* op, const Image& image, const std::array<Spans, 3>& windows, const kernels::Extent3& step) {
  const Tensor& x = image.x;
  const int64_t n = x.size(0), c = x.size(1);
  kernels::Extent3 count;
  for (size_t i = 0; i < 3; ++i) {
    count[i] = int64_t(windows[i].size());
    for (const Pair& w : windows[i])
      check<ShapeError>(w[0] < w[1], op, ": a window holds padding only: input ", x.shape());
  }
  const Shape shape{n * c, count[0], count[1], count[2]}, out{n, c, count[0], count[1], count[2]};
  const Tensor planes = reshape(x, {n * c, n * c == 0 ? 0 : x.numel() / (n * c)});
  const Tensor at = Tensor::empty(shape, Dtype::int64, x.device()),
               values = Tensor::empty(shape, x.dtype(), x.device());
  {
    NoGrad guard;
    const Shape plane{n * c, image.size(0), image.size(1), image.size(2)};
    kernels::max_window(x.device(), values, at, contiguous(reshape(x.detach(), plane)),
                        {as_tensor(windows[0]), as_tensor(windows[1]), as_tensor(windows[2])}, step);
  }
  const int64_t places = count[0] * count[1] * count[2];
  const Tensor flat = at.alias({n * c, places}, {places, 1}, 0);
  const Tensor picked = recorded_maxima(planes, values.alias({n * c, places}, {places, 1}, 0), flat);
  return {as_given(image, reshape(picked, out)), as_given(image, reshape(at, out))};
}

Pooled max_pool(const char* op, const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options,
                int spatial) {
  const Image image = as_image(op, x, spatial);
  const Windows w = plan_windows(op, image, kernel, options);
  std::array<Spans, 3> spans;
  for (size_t i = 0; i < 3; ++i) spans[i] = clipped(w, i, image.size(i));
  return max_over(op, image, spans, w.grid.dilation);
}

/// The window [begin, end) clipped to the input, each element with weight 1 / count.
void add_window(Taps& taps, int64_t begin, int64_t end, double count) {
  for (int64_t i = std::max<int64_t>(begin, 0); i < std::min(end, taps.size); ++i) taps.add(i, 1 / count);
  taps.end_row();
}

/// Each dimension that changes is summed in turn; 16-bit floats in float32.
Tensor weighted(const Image& image, const std::array<std::shared_ptr<Taps>, 3>& taps) {
  const Dtype dtype = image.x.dtype();
  Tensor y = dtype == Dtype::float64 ? image.x : to(image.x, Dtype::float32);
  for (size_t i = 3; i-- > 0;)
    if (taps[i]) y = resample(y, 2 + int(i), taps[i]);
  return as_given(image, to(y, dtype));
}

/// Means of integers: exact sums, divided towards zero.
Tensor integer_means(const Image& image, const std::array<std::shared_ptr<Taps>, 3>& taps) {
  Tensor y = to(image.x, Dtype::float64);
  Shape along(5, 1);
  Tensor divisors = ones(along, Dtype::float64);
  for (size_t i = 3; i-- > 0;) {
    if (!taps[i]) continue;
    Taps unit = *taps[i];
    const Tensor divisor = Tensor::empty({unit.rows()}, Dtype::float64);
    for (int64_t r = 0; r < unit.rows(); ++r) {
      const int64_t k = unit.first[size_t(r)];
      divisor.data<double>()[r] = k < unit.first[size_t(r) + 1] ? std::round(1 / unit.weight[size_t(k)]) : 1;
    }
    std::fill(unit.weight.begin(), unit.weight.end(), 1.0);
    y = resample(y, 2 + int(i), std::make_shared<const Taps>(std::move(unit)));
    Shape shape = along;
    shape[2 + int(i)] = divisor.numel();
    divisors = mul(divisors, reshape(divisor, shape));
  }
  return as_given(image, to(trunc(div(y, divisors)), image.x.dtype()));
}

Tensor averaged(const char* op, const Image& image, const std::array<std::shared_ptr<Taps>, 3>& taps) {
  check<DtypeError>(is_floating(image.x.dtype()) || image.x.dtype() == Dtype::int64, op,
                    ": needs a floating tensor: ", image.x.dtype());
  return is_floating(image.x.dtype()) ? weighted(image, taps) : integer_means(image, taps);
}

Tensor avg_pool(const char* op, const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options,
                int spatial) {
  check<ValueError>(options.dilation == std::vector<int64_t>{1}, op, ": averages have no dilation");
  const Image image = as_image(op, x, spatial);
  const Windows w = plan_windows(op, image, kernel, options);
  std::array<std::shared_ptr<Taps>, 3> taps;
  for (size_t i = size_t(3 - spatial); i < 3; ++i) {
    taps[i] = std::make_shared<Taps>();
    taps[i]->size = image.size(i);
    for (int64_t a = 0; a < w.count[i]; ++a) {
      const int64_t begin = a * w.grid.stride[i] - w.grid.before[i], size = image.size(i);
      const int64_t end = std::min(begin + w.grid.kernel[i], size + w.grid.before[i]);
      double count =
          double(options.count_include_pad ? end - begin : std::min(end, size) - std::max<int64_t>(begin, 0));
      if (options.divisor) count = i == 2 ? double(options.divisor) : 1;
      add_window(*taps[i], begin, end, count);
    }
  }
  return averaged(op, image, taps);
}

/// The wanted size; -1 keeps the input's.
kernels::Extent3 adaptive_size(const char* op, const Image& image, const std::vector<int64_t>& size) {
  kernels::Extent3 out = spatial_extent(op, "size", size, image.spatial, 1, -1);
  for (size_t i = 0; i < 3; ++i)
    if (out[i] == -1) out[i] = image.size(i);
  return out;
}

Pooled adaptive_max(const char* op, const Tensor& x, const std::vector<int64_t>& size, int spatial) {
  const Image image = as_image(op, x, spatial);
  const kernels::Extent3 out = adaptive_size(op, image, size);
  std::array<Spans, 3> spans;
  for (size_t i = 0; i < 3; ++i) spans[i] = adaptive(image.size(i), out[i]);
  return max_over(op, image, spans, {1, 1, 1});
}

Tensor adaptive_avg(const char* op, const Tensor& x, const std::vector<int64_t>& size, int spatial) {
  check<DtypeError>(is_floating(x.dtype()), op, ": needs a floating tensor: ", x.dtype());
  const Image image = as_image(op, x, spatial);
  const kernels::Extent3 out = adaptive_size(op, image, size);
  std::array<std::shared_ptr<Taps>, 3> taps;
  for (size_t i = size_t(3 - spatial); i < 3; ++i) {
    taps[i] = std::make_shared<Taps>();
    taps[i]->size = image.size(i);
    for (const Pair& w : adaptive(image.size(i), out[i])) add_window(*taps[i], w[0], w[1], double(w[1] - w[0]));
  }
  return weighted(image, taps);
}

}  // namespace

Pooled max_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return max_pool("max_pool1d", x, kernel, options, 1);
}
Pooled max_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return max_pool("max_pool2d", x, kernel, options, 2);
}
Pooled max_pool3d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return max_pool("max_pool3d", x, kernel, options, 3);
}
Tensor avg_pool1d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return avg_pool("avg_pool1d", x, kernel, options, 1);
}
Tensor avg_pool2d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return avg_pool("avg_pool2d", x, kernel, options, 2);
}
Tensor avg_pool3d(const Tensor& x, const std::vector<int64_t>& kernel, const PoolOptions& options) {
  return avg_pool("avg_pool3d", x, kernel, options, 3);
}
Pooled adaptive_max_pool1d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_max("adaptive_max_pool1d", x, size, 1);
}
Pooled adaptive_max_pool2d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_max("adaptive_max_pool2d", x, size, 2);
}
Pooled adaptive_max_pool3d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_max("adaptive_max_pool3d", x, size, 3);
}
Tensor adaptive_avg_pool1d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_avg("adaptive_avg_pool1d", x, size, 1);
}
Tensor adaptive_avg_pool2d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_avg("adaptive_avg_pool2d", x, size, 2);
}
Tensor adaptive_avg_pool3d(const Tensor& x, const std::vector<int64_t>& size) {
  return adaptive_avg("adaptive_avg_pool3d", x, size, 3);
}

}  // namespace hearth
