// Pooling over windows at drawn places, and the reverse of max pooling.
#include <algorithm>

#include "hearth/ops/create.h"
#include "hearth/ops/index.h"
#include "hearth/ops/pool.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// Where the windows of one dimension begin. The arithmetic is that of the sample's type.
template <class T>
std::vector<int64_t> begins(T sample, int64_t size, int64_t count, int64_t kernel) {
  std::vector<int64_t> at;
  const T step = count > 1 ? T(size - kernel) / T(count - 1) : T(0);
  for (int64_t i = 0; i + 1 < count; ++i) at.push_back(int64_t((T(i) + sample) * step) - int64_t(sample * step));
  if (count > 0) at.push_back(size - kernel);
  return at;
}

/// Positions of all elements of all windows of one plane, [windows * elements of a window].
void window_positions(const std::vector<std::vector<int64_t>>& starts, const std::vector<int64_t>& kernel,
                      const std::vector<int64_t>& sizes, int64_t* out) {
  const size_t n = kernel.size();
  std::vector<int64_t> index(2 * n, 0);
  const auto limit = [&](size_t d) { return d < n ? int64_t(starts[d].size()) : kernel[d - n]; };
  for (;;) {
    int64_t position = 0;
    for (size_t d = 0; d < n; ++d) position = position * sizes[d] + starts[d][size_t(index[d])] + index[n + d];
    *out++ = position;
    size_t d = 2 * n;
    while (d-- > 0 && ++index[d] == limit(d)) index[d] = 0;
    if (d == size_t(-1)) return;
  }
}

}  // namespace

Pooled fractional_max_pool(const Tensor& x, const std::vector<int64_t>& kernel, const std::vector<int64_t>& size,
                           const Tensor& samples) {
  const int spatial = int(size.size());
  check<ValueError>((spatial == 2 || spatial == 3) && kernel.size() == size.size(),
                    "fractional_max_pool: needs two or three sizes and as many of the window");
  check<ShapeError>(x.dim() == spatial + 2 || x.dim() == spatial + 1, "fractional_max_pool: input is ", x.shape());
  const bool batched = x.dim() == spatial + 2;
  const int64_t n = batched ? x.size(0) : 1, channels = x.size(-spatial - 1);
  check<ShapeError>(samples.dim() == 3 && samples.shape() == Shape({n, channels, spatial}),
                    "fractional_max_pool: samples are ", samples.shape(), ", expected ", Shape{n, channels, spatial});
  check<DtypeError>(is_floating(x.dtype()) && samples.dtype() == x.dtype(),
                    "fractional_max_pool: needs floating input and samples of its dtype: ", x.dtype(), ", ",
                    samples.dtype());
  std::vector<int64_t> sizes;
  int64_t windows = 1, elements = 1;
  for (int d = 0; d < spatial; ++d) {
    sizes.push_back(x.size(d - spatial));
    const int64_t k = kernel[size_t(d)], want = size[size_t(d)];
    check<ShapeError>(k > 0 && want > 0 && want + k - 1 <= sizes.back(), "fractional_max_pool: ", want, " windows of ",
                      k, " do not fit a dimension of ", sizes.back());
    windows *= want;
    elements *= k;
  }
  const int64_t planes = n * channels;
  const Tensor positions = Tensor::empty({planes, windows * elements}, Dtype::int64);
  const std::vector<double> drawn = to_vector<double>(samples);
  for (int64_t p = 0; p < planes; ++p) {
    std::vector<std::vector<int64_t>> starts;
    for (int d = 0; d < spatial; ++d) {
      // An image's first sample is for its columns, a volume's for its depth.
      const double u = drawn[size_t(p * spatial + (spatial == 2 ? 1 - d : d))];
      const size_t i = size_t(d);
      starts.push_back(x.dtype() == Dtype::float64 ? begins(u, sizes[i], size[i], kernel[i])
                                                   : begins(float(u), sizes[i], size[i], kernel[i]));
    }
    window_positions(starts, kernel, sizes, positions.data<int64_t>() + p * windows * elements);
  }
  int64_t pixels = 1;
  for (int64_t s : sizes) pixels *= s;
  const Tensor candidates = reshape(gather(reshape(x, {planes, pixels}), 1, positions), {planes, windows, elements});
  const ValueIndex most = max(candidates, 2);
  const Tensor at = gather(reshape(positions, {planes, windows, elements}), 2, unsqueeze(most.indices, 2));
  Shape out{n, channels};
  for (int64_t s : size) out.push_back(s);
  if (!batched) out.erase(0);
  return {reshape(most.values, out), reshape(at, out)};
}

Tensor max_unpool(const Tensor& x, const Tensor& indices, const std::vector<int64_t>& size) {
  const int spatial = int(size.size());
  check<DtypeError>(indices.dtype() == Dtype::int64, "max_unpool: indices must be int64: ", indices.dtype());
  check<ShapeError>(indices.shape() == x.shape(), "max_unpool: indices ", indices.shape(), " for values ", x.shape());
  check<ShapeError>(spatial >= 1 && spatial <= 3 && (x.dim() == spatial + 2 || x.dim() == spatial + 1),
                    "max_unpool: ", spatial, " sizes for values ", x.shape());
  Shape shape = x.shape();
  int64_t pixels = 1, planes = 1;
  for (int d = 0; d < x.dim(); ++d) {
    const int s = d - (x.dim() - spatial);
    if (s >= 0) {
      check<ShapeError>(size[size_t(s)] > 0, "max_unpool: size must be positive: ", size[size_t(s)]);
      shape[d] = size[size_t(s)];
      pixels *= shape[d];
    } else {
      planes *= shape[d];
    }
  }
  const int64_t places = planes ? x.numel() / planes : 0;
  if (x.numel() > 0) {
    const auto [low, high] = aminmax(indices);
    check<ValueError>(low.item_int() >= 0 && high.item_int() < pixels, "max_unpool: found an invalid max index: from ",
                      low.item_int(), " to ", high.item_int(), " for planes of ", pixels);
  }
  const Tensor y = scatter(zeros({planes, pixels}, x.dtype(), x.device()), 1, reshape(indices, {planes, places}),
                           reshape(x, {planes, places}));
  return reshape(y, shape);
}

}  // namespace hearth
