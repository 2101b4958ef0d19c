// Order: kernels give positions, values are gathered by them, which makes them differentiable.
#include "hearth/ops/sort.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/backend/kernels/sort.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// x with `dim` last, as rows.
Tensor as_rows(const Tensor& x, int dim) {
  const Tensor last = x.dim() ? movedim(x.detach(), dim, -1) : x.detach();
  return reshape(last, {x.numel() / std::max<int64_t>(1, last.dim() ? last.shape().back() : 1),
                        last.dim() ? last.shape().back() : 1});
}

/// int64 positions [rows, k] back in x's dimensions.
Tensor restored(const Tensor& rows, const Tensor& x, int dim) {
  if (x.dim() == 0) return reshape(rows, {});
  Shape shape = x.shape();
  shape.erase(dim);
  shape.push_back(rows.size(1));
  return contiguous(movedim(reshape(rows, shape), -1, dim));
}

Tensor order(const Tensor& x, int dim, int64_t k, bool descending) {
  NoGrad guard;
  check<DtypeError>(!is_complex(x.dtype()), "sort: complex numbers have no order: ", x.dtype());
  const int64_t n = x.dim() ? x.shape()[dim] : 1;
  Shape shape = x.shape();
  if (x.dim()) shape[dim] = k;
  if (shape.numel() == 0) return Tensor::empty(shape, Dtype::int64, x.device());
  const Tensor rows = as_rows(x, dim);
  const Tensor positions = Tensor::empty({rows.size(0), k}, Dtype::int64, x.device());
  if (k == n)
    kernels::sort(x.device(), positions, rows, descending);
  else
    kernels::topk(x.device(), positions, rows, descending);
  return restored(positions, x, dim);
}

}  // namespace

Tensor argsort(const Tensor& x, int64_t dim, bool descending, bool) {
  const int at = wrap_dim("argsort", dim, x.dim());
  return order(x, at, x.dim() ? x.shape()[at] : 1, descending);
}

Ordered sort(const Tensor& x, int64_t dim, bool descending, bool) {
  const int at = wrap_dim("sort", dim, x.dim());
  const Tensor indices = order(x, at, x.dim() ? x.shape()[at] : 1, descending);
  return {gather(x, at, indices), indices};
}

Tensor msort(const Tensor& x) { return sort(x, 0).values; }

Ordered topk(const Tensor& x, int64_t k, int64_t dim, bool largest, bool) {
  const int at = wrap_dim("topk", dim, x.dim());
  const int64_t n = x.dim() ? x.shape()[at] : 1;
  check<ValueError>(k >= 0 && k <= n, "topk: k must lie between 0 and the size of the dimension: k ", k, ", size ", n);
  if (x.dim() == 0 && k == 0) return {zeros({0}, x.dtype()), zeros({0}, Dtype::int64)};
  const Tensor indices = order(x, at, k, largest);
  return {gather(x, at, indices), indices};
}

Ordered kthvalue(const Tensor& x, int64_t k, int64_t dim, bool keepdim) {
  const int at = wrap_dim("kthvalue", dim, x.dim());
  const int64_t n = x.dim() ? x.shape()[at] : 1;
  check<ValueError>(k >= 1 && k <= n, "kthvalue: k must lie between 1 and the size of the dimension: k ", k, ", size ",
                    n);
  const Tensor sorted = order(x, at, k, false);
  if (x.dim() == 0) return {clone(x), sorted};
  const Tensor indices = contiguous(narrow(sorted, at, k - 1, 1));
  const Tensor values = gather(x, at, indices);
  return keepdim ? Ordered{values, indices} : Ordered{squeeze(values, at), squeeze(indices, at)};
}

Tensor sort_rows(const Tensor& x) {
  check<ShapeError>(x.dim() == 2, "sort_rows: needs two dimensions: ", x.shape());
  const Tensor order = Tensor::empty({x.size(0)}, Dtype::int64, x.device());
  kernels::sort_rows(x.device(), order, x.detach());
  return order;
}

Unique unique(const Tensor& x) {
  NoGrad guard;
  const int64_t n = x.numel();
  const Tensor flat = reshape(x.detach(), {n});
  if (n == 0) return {zeros({0}, x.dtype()), zeros(x.shape(), Dtype::int64), zeros({0}, Dtype::int64)};
  const Tensor at = order(flat, 0, n, false), sorted = index_select(flat, 0, at);
  // An element starts a group where it differs from the one before it.
  const Tensor starts = full({n}, true, Dtype::boolean, x.device());
  if (n > 1)
    kernels::compare(x.device(), kernels::CompareOp::ne, narrow(starts, 0, 1, n - 1).detach(),
                     narrow(sorted, 0, 1, n - 1), narrow(sorted, 0, 0, n - 1));
  const Tensor first = reshape(nonzero(starts), {-1});
  const int64_t groups = first.numel();
  Tensor counts = Tensor::empty({groups}, Dtype::int64), inverse = Tensor::empty({n}, Dtype::int64);
  const int64_t* begin = first.data<int64_t>();
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t end = g + 1 < groups ? begin[g + 1] : n;
    counts.data<int64_t>()[g] = end - begin[g];
    for (int64_t i = begin[g]; i < end; ++i) inverse.data<int64_t>()[at.data<int64_t>()[i]] = g;
  }
  return {index_select(sorted, 0, first), reshape(inverse, x.shape()), counts};
}

Tensor searchsorted(const Tensor& boundaries, const Tensor& values, bool right) {
  NoGrad guard;
  check<ShapeError>(boundaries.dim() >= 1, "searchsorted: boundaries need a dimension");
  const bool shared = boundaries.dim() == 1;
  bool fits = shared || boundaries.dim() == values.dim();
  for (int d = 0; fits && !shared && d + 1 < values.dim(); ++d) fits = boundaries.shape()[d] == values.shape()[d];
  check<ShapeError>(fits, "searchsorted: leading dimensions differ: boundaries ", boundaries.shape(), ", values ",
                    values.shape());
  const Dtype dtype = promote_types(boundaries.dtype(), values.dtype());
  const int64_t n = boundaries.size(-1), m = shared ? values.numel() : values.size(-1);
  const int64_t rows = m ? values.numel() / m : 0;
  const Tensor y = Tensor::empty(values.shape(), Dtype::int64, values.device());
  if (y.numel() == 0) return y;
  kernels::searchsorted(values.device(), reshape(y, {rows, m}),
                        reshape(contiguous(to(boundaries.detach(), dtype)), {shared ? 1 : rows, n}),
                        reshape(contiguous(to(values.detach(), dtype)), {rows, m}), right);
  return y;
}

Tensor bincount(const Tensor& x, const Tensor& weights, int64_t minlength) {
  NoGrad guard;
  check<DtypeError>(is_integral(x.dtype()), "bincount: needs integers: ", x.dtype());
  check<ShapeError>(x.dim() == 1, "bincount: needs one dimension: ", x.shape());
  check<ValueError>(minlength >= 0, "bincount: minlength must not be negative: ", minlength);
  check<ShapeError>(!weights.defined() || weights.shape() == x.shape(),
                    "bincount: weights do not fit: ", weights.defined() ? weights.shape() : Shape{}, ", tensor ",
                    x.shape());
  int64_t size = minlength;
  for (int64_t v : to_vector<int64_t>(x)) {
    check<ValueError>(v >= 0, "bincount: negative number: ", v);
    check<ValueError>(v < std::numeric_limits<int64_t>::max(), "bincount: number is too large: ", v);
    size = std::max(size, v + 1);
  }
  if (!weights.defined()) return index_add(zeros({size}, Dtype::int64), 0, x, ones(x.shape(), Dtype::int64));
  const Dtype dtype = weights.dtype() == Dtype::float32 ? Dtype::float32 : Dtype::float64;
  return index_add(zeros({size}, dtype), 0, x, to(weights.detach(), dtype));
}

Tensor histc(const Tensor& x, int64_t bins, double low, double high) {
  NoGrad guard;
  check<DtypeError>(is_floating(x.dtype()), "histc: needs a floating tensor: ", x.dtype());
  check<ValueError>(bins > 0, "histc: number of bins must be positive: ", bins);
  const Tensor flat = reshape(x.detach(), {1, x.numel()});
  if (low == 0 && high == 0 && x.numel() > 0) {
    low = std::numeric_limits<double>::infinity(), high = -low;
    for (double v : to_vector<double>(flat)) {
      if (std::isnan(v)) low = high = v;
      low = std::min(low, v), high = std::max(high, v);
    }
  }
  if (low == high) low -= 1, high += 1;
  check<ValueError>(std::isfinite(low) && std::isfinite(high) && low < high, "histc: range is not usable: ", low,
                    " to ", high);
  const Tensor counts = zeros({bins}, Dtype::float64);
  kernels::histc(x.device(), counts, flat, low, high);
  return to(counts, x.dtype());
}

}  // namespace hearth
