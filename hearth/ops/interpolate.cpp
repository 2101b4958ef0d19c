// Resizing: each dimension in turn, as selected entries or weighted sums of a few.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/pool.h"
#include "hearth/ops/resample.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// One dimension to resize: sizes, and input pixels per output pixel in the arithmetic of T.
struct Axis {
  int64_t from, to;
  std::optional<double> factor;
  bool align_corners;

  template <class T>
  T step() const {
    if (align_corners) return to > 1 ? T(from - 1) / T(to - 1) : T(0);
    return factor ? T(1.0 / *factor) : T(from) / T(to);
  }
};

/// PyTorch computes places in float32 for all but float64, and whole factors of 1 and 2 exactly.
Tensor resize_nearest(const Tensor& x, int dim, const Axis& axis, bool exact) {
  const Tensor rows = Tensor::empty({axis.to}, Dtype::int64);
  const float step = axis.step<float>();
  for (int64_t i = 0; i < axis.to; ++i) {
    const float place = std::floor(exact ? (float(i) + 0.5f) * step : float(i) * step);
    int64_t at = std::min(int64_t(place), axis.from - 1);
    if (!exact && axis.to == axis.from) at = i;
    if (!exact && axis.to == 2 * axis.from) at = i / 2;
    rows.data<int64_t>()[i] = std::max<int64_t>(at, 0);
  }
  return index_select(x, dim, rows);
}

template <class T>
void linear_taps(Taps& taps, const Axis& axis) {
  const T step = axis.step<T>();
  for (int64_t i = 0; i < axis.to; ++i) {
    const T place = axis.align_corners ? T(i) * step : std::max((T(i) + T(0.5)) * step - T(0.5), T(0));
    const int64_t low = std::min(int64_t(place), axis.from - 1), high = std::min(low + 1, axis.from - 1);
    const T weight = std::clamp(place - T(low), T(0), T(1));
    taps.add(low, T(1) - weight);
    taps.add(high, weight);
    taps.end_row();
  }
}

/// Keys' kernel at distance d.
template <class T>
T cubic(T d, T a) {
  d = std::abs(d);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : T(0);
}

template <class T>
void cubic_taps(Taps& taps, const Axis& axis) {
  const T step = axis.step<T>();
  for (int64_t i = 0; i < axis.to; ++i) {
    const T place = axis.align_corners ? T(i) * step : (T(i) + T(0.5)) * step - T(0.5);
    const int64_t low = int64_t(std::floor(place));
    const T t = std::clamp(place - T(low), T(0), T(1));
    for (int64_t k = -1; k <= 2; ++k)
      taps.add(std::clamp<int64_t>(low + k, 0, axis.from - 1), cubic(t - T(k), T(-0.75)));
    taps.end_row();
  }
}

/// The window of Lanczos (1979) with three lobes.
template <class T>
T lanczos(T d) {
  if (std::abs(d) >= 3) return 0;
  const T x = T(std::numbers::pi) * d;
  return x == 0 ? T(1) : std::sin(x) / x * std::sin(x / 3) / (x / 3);
}

template <class T>
T filter(T d, Resize mode) {
  if (mode == Resize::lanczos) return lanczos(d);
  return mode == Resize::cubic ? cubic(d, T(-0.5)) : std::max(T(0), T(1) - std::abs(d));
}

template <class T>
void antialiased_taps(Taps& taps, const Axis& axis, Resize mode) {
  const T reach = mode == Resize::lanczos ? T(3) : mode == Resize::cubic ? T(2) : T(1);
  const T step = axis.step<T>(), shrink = step >= 1 ? step : T(1);
  for (int64_t i = 0; i < axis.to; ++i) {
    const T center = step * (T(i) + T(0.5)), support = reach * shrink;
    const int64_t begin = std::max<int64_t>(int64_t(center - support + T(0.5)), 0);
    const int64_t end = std::min(int64_t(center + support + T(0.5)), axis.from);
    std::vector<T> weights;
    T total = 0;
    for (int64_t k = begin; k < end; ++k) {
      const T d = (T(k) - center + T(0.5)) / shrink;
      weights.push_back(filter(d, mode));
      total += weights.back();
    }
    for (int64_t k = begin; k < end; ++k) taps.add(k, weights[size_t(k - begin)] / (total != 0 ? total : T(1)));
    taps.end_row();
  }
}

template <class T>
std::shared_ptr<const Taps> make_taps(const Axis& axis, Resize mode, const ResizeOptions& options) {
  auto taps = std::make_shared<Taps>();
  taps->size = axis.from;
  if (options.antialias)
    antialiased_taps<T>(*taps, axis, mode);
  else if (mode == Resize::cubic)
    cubic_taps<T>(*taps, axis);
  else
    linear_taps<T>(*taps, axis);
  return taps;
}

Tensor resize_area(const Tensor& x, const std::vector<int64_t>& size) {
  if (x.dim() == 3) return adaptive_avg_pool1d(x, size);
  return x.dim() == 4 ? adaptive_avg_pool2d(x, size) : adaptive_avg_pool3d(x, size);
}

/// Weights as whole multiples of a power of two, as many bits as fit the largest one into 15: what PyTorch and Pillow
/// compute bytes with.
std::shared_ptr<const Taps> fixed_point(const Taps& exact) {
  auto taps = std::make_shared<Taps>(exact);
  double most = 0, unit = 1;
  for (double w : taps->weight) most = std::max(most, w);
  for (int bits = 0; bits < 22 && int64_t(0.5 + most * unit * 2) < (1 << 15); ++bits) unit *= 2;
  for (double& w : taps->weight) w = std::trunc(w * unit + (w < 0 ? -0.5 : 0.5)) / unit;
  return taps;
}

/// Each pass gives bytes again, rounded to the nearest, halves up.
Tensor resize_bytes(const Tensor& x, const std::vector<Axis>& axes, Resize mode, const ResizeOptions& options) {
  Tensor y = to(x, Dtype::float64);
  for (size_t i = axes.size(); i-- > 0;) {
    if (axes[i].from == axes[i].to && !axes[i].factor) continue;
    const Tensor sums = resample(y, 2 + int(i), fixed_point(*make_taps<double>(axes[i], mode, options)));
    y = clamp(floor(add(sums, 0.5)), 0, 255);
  }
  return to(y, x.dtype());
}

/// Weighted sums in float32 or float64.
Tensor resize_weighted(const Tensor& x, const std::vector<Axis>& axes, Resize mode, const ResizeOptions& options) {
  check<DtypeError>(is_floating(x.dtype()) || x.dtype() == Dtype::uint8,
                    "interpolate: needs a floating tensor: ", x.dtype());
  if (x.dtype() == Dtype::uint8) return resize_bytes(x, axes, mode, options);
  Tensor y = x.dtype() == Dtype::float64 ? x : to(x, Dtype::float32);
  for (size_t i = axes.size(); i-- > 0;)
    y = resample(y, 2 + int(i),
                 x.dtype() == Dtype::float64 ? make_taps<double>(axes[i], mode, options)
                                             : make_taps<float>(axes[i], mode, options));
  return to(y, x.dtype());
}

}  // namespace

Tensor resize(const Tensor& x, const std::vector<int64_t>& size, const std::vector<std::optional<double>>& scale,
              Resize mode, const ResizeOptions& options) {
  check<ShapeError>(x.dim() >= 3 && x.dim() <= 5,
                    "interpolate: needs [N, C, ...] of one to three dimensions: ", x.shape());
  const size_t spatial = size_t(x.dim() - 2);
  check<ValueError>(size.size() == spatial && (scale.empty() || scale.size() == spatial), "interpolate: needs ",
                    spatial, " sizes, got ", size.size());
  const bool is_weighted = mode == Resize::linear || mode == Resize::cubic || mode == Resize::lanczos;
  check<ValueError>(mode != Resize::lanczos || (options.antialias && !options.align_corners),
                    "interpolate: lanczos needs antialias and no align_corners");
  check<ValueError>(is_weighted || (!options.align_corners && !options.antialias),
                    "interpolate: align_corners and antialias are for linear and cubic only");
  check<ShapeError>(mode != Resize::cubic || spatial == 2, "interpolate: cubic needs [N, C, H, W]: ", x.shape());
  check<ShapeError>(!options.antialias || spatial == 2, "interpolate: antialias needs [N, C, H, W]: ", x.shape());
  std::vector<Axis> axes;
  for (size_t i = 0; i < spatial; ++i) {
    check<ShapeError>(size[i] > 0 && size[i] < (int64_t(1) << 40) && x.size(2 + int(i)) > 0 && x.size(1) > 0,
                      "interpolate: sizes must be positive: input ", x.shape(), ", output ", size[i]);
    const std::optional<double> factor = scale.empty() ? std::nullopt : scale[i];
    axes.push_back({x.size(2 + int(i)), size[i], factor && *factor > 0 ? factor : std::nullopt, options.align_corners});
  }
  if (mode == Resize::area) return resize_area(x, size);
  if (is_weighted) return resize_weighted(x, axes, mode, options);
  Tensor y = x;
  for (size_t i = spatial; i-- > 0;) y = resize_nearest(y, 2 + int(i), axes[i], mode == Resize::nearest_exact);
  return y;
}

Tensor interpolate(const Tensor& x, const std::vector<int64_t>& size, const std::vector<double>& scale, Resize mode,
                   bool align_corners) {
  check<ShapeError>(x.dim() >= 3 && x.numel() > 0, "interpolate: needs [N, C, ...] with elements: ", x.shape());
  check<DtypeError>(is_floating(x.dtype()), "interpolate: needs a floating tensor: ", x.dtype());
  check<ValueError>(size.empty() != scale.empty(), "interpolate: give either a size or a scale");
  const size_t spatial = size_t(x.dim() - 2), given = std::max(size.size(), scale.size());
  check<ValueError>(given == 1 || given == spatial, "interpolate: needs one number or ", spatial, ", got ", given);
  std::vector<int64_t> sizes;
  std::vector<std::optional<double>> factors;
  for (size_t i = 0; i < spatial; ++i) {
    const size_t k = given == 1 ? 0 : i;
    if (!scale.empty()) factors.push_back(scale[k]);
    sizes.push_back(scale.empty() ? size[k] : int64_t(std::floor(double(x.size(2 + int(i))) * scale[k])));
    check<ValueError>(sizes.back() > 0, "interpolate: size must be positive: ", sizes.back());
  }
  return resize(x, sizes, factors, mode, {.align_corners = align_corners});
}

}  // namespace hearth
