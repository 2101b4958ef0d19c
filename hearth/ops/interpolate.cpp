// Resizing: one dimension after the other, each by selecting entries and, for linear, mixing two of them.
#include <algorithm>
#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/pool.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Tensor resize_nearest(const Tensor& x, int dim, int64_t size, double step, bool exact) {
  const int64_t from = x.size(dim);
  const Tensor rows = Tensor::empty({size}, Dtype::int64);
  for (int64_t i = 0; i < size; ++i) {
    const double place = exact ? (double(i) + 0.5) * step : double(i) * step;
    rows.data<int64_t>()[i] = std::clamp<int64_t>(int64_t(std::floor(place)), 0, from - 1);
  }
  return index_select(x, dim, rows);
}

Tensor resize_linear(const Tensor& x, int dim, int64_t size, double step, bool align_corners) {
  const int64_t from = x.size(dim);
  const Tensor low = Tensor::empty({size}, Dtype::int64), high = Tensor::empty({size}, Dtype::int64);
  Shape along(x.dim(), 1);
  along[dim] = size;
  const Tensor weight = Tensor::empty(along, Dtype::float64), rest = Tensor::empty(along, Dtype::float64);
  for (int64_t i = 0; i < size; ++i) {
    const double place = align_corners ? double(i) * step : std::max((double(i) + 0.5) * step - 0.5, 0.0);
    const int64_t at = std::min(int64_t(place), from - 1);
    low.data<int64_t>()[i] = at;
    high.data<int64_t>()[i] = std::min(at + 1, from - 1);
    weight.data<double>()[i] = place - double(at);
    rest.data<double>()[i] = 1 - (place - double(at));
  }
  return add(mul(index_select(x, dim, low), to(rest, x.dtype())),
             mul(index_select(x, dim, high), to(weight, x.dtype())));
}

}  // namespace

Tensor interpolate(const Tensor& x, const std::vector<int64_t>& size, const std::vector<double>& scale, Resize mode,
                   bool align_corners) {
  check<ShapeError>(x.dim() >= 3 && x.numel() > 0, "interpolate: needs [N, C, ...] with elements: ", x.shape());
  check<DtypeError>(is_floating(x.dtype()), "interpolate: needs a floating tensor: ", x.dtype());
  check<ValueError>(size.empty() != scale.empty(), "interpolate: give either a size or a scale");
  check<ValueError>(!align_corners || mode == Resize::linear, "interpolate: align_corners is for linear only");
  const size_t spatial = size_t(x.dim() - 2), given = std::max(size.size(), scale.size());
  check<ValueError>(given == 1 || given == spatial, "interpolate: needs one number or ", spatial, ", got ", given);
  Tensor y = x;
  for (int d = x.dim() - 1; d >= 2; --d) {
    const size_t i = given == 1 ? 0 : size_t(d - 2);
    const int64_t from = x.size(d);
    const int64_t to_size = size.empty() ? int64_t(std::floor(double(from) * scale[i])) : size[i];
    check<ValueError>(to_size > 0 && to_size < (int64_t(1) << 40), "interpolate: size must be positive: ", to_size);
    double step = size.empty() ? 1 / scale[i] : double(from) / double(to_size);
    if (align_corners) step = to_size > 1 ? double(from - 1) / double(to_size - 1) : 0;
    y = mode == Resize::linear ? resize_linear(y, d, to_size, step, align_corners)
                               : resize_nearest(y, d, to_size, step, mode == Resize::nearest_exact);
  }
  return y;
}

}  // namespace hearth
