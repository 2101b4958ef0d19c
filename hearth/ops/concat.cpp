// Joining, repeating and rearranging whole tensors.
#include "hearth/ops/concat.h"

#include <algorithm>
#include <limits>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

bool is_left_out(const Tensor& x) { return x.dim() == 1 && x.numel() == 0; }

/// Writes x into [start, start + its size) of a dimension of out, converting the dtype.
void place(const Tensor& out, const Tensor& x, int dim, int64_t start) {
  const Tensor part = out.alias(x.shape(), out.strides(), out.offset() + start * out.strides()[dim]);
  kernels::copy(out.device(), part, x);
}

/// The first tensor that decides shape and rank.
const Tensor& leader(const char* op, const TensorList& xs) {
  check<ValueError>(!xs.empty(), op, ": the list of tensors is empty");
  for (const Tensor& x : xs)
    if (!is_left_out(x)) return x;
  return xs[0];
}

struct Joined {
  Shape shape;
  Dtype dtype;
};

Joined plan_cat(const TensorList& xs, const Tensor& first, int dim) {
  Joined plan{first.shape(), xs[0].dtype()};
  check<ShapeError>(first.dim() > 0, "cat: 0-dim tensors cannot be joined");
  plan.shape[dim] = 0;
  for (const Tensor& x : xs) {
    plan.dtype = promote_types(plan.dtype, x.dtype());
    check<DeviceError>(x.device() == first.device(), "cat: tensors are on different devices: ", first.device(), " and ",
                       x.device());
    if (is_left_out(x)) continue;
    bool fits = x.dim() == first.dim();
    for (int d = 0; fits && d < x.dim(); ++d) fits = d == dim || x.shape()[d] == first.shape()[d];
    check<ShapeError>(fits, "cat: sizes must match except in dimension ", dim, ": ", first.shape(), " and ", x.shape());
    plan.shape[dim] += x.shape()[dim];
  }
  return plan;
}

}  // namespace

Tensor cat(const TensorList& xs, int64_t dim) {
  const Tensor& first = leader("cat", xs);
  const int at = wrap_dim("cat", dim, first.dim());
  const Joined plan = plan_cat(xs, first, at);
  const Tensor y = Tensor::empty(plan.shape, plan.dtype, first.device());
  int64_t start = 0;
  for (const Tensor& x : xs) {
    if (is_left_out(x)) continue;
    place(y, x, at, start);
    start += x.shape()[at];
  }
  if (!needs_grad(xs)) return y;
  std::vector<OutputInfo> infos;
  for (const Tensor& x : xs) infos.push_back({x.shape(), x.dtype(), x.device()});
  return record("cat", y, xs, [at, infos](const GradContext& c) -> Grads {
    Grads gradients;
    int64_t start = 0;
    for (const OutputInfo& x : infos) {
      const bool out = x.shape.size() == 1 && x.shape[0] == 0;
      const int64_t size = out ? 0 : x.shape[at];
      const bool wanted = c.needs(int(gradients.size())) && !out;
      gradients.push_back(wanted ? to(narrow(c.dy(), at, start, size), x.dtype) : Tensor());
      start += size;
    }
    return gradients;
  });
}

Tensor stack(const TensorList& xs, int64_t dim) {
  check<ValueError>(!xs.empty(), "stack: the list of tensors is empty");
  const int at = wrap_dim("stack", dim, xs[0].dim() + 1);
  TensorList parts;
  for (const Tensor& x : xs) {
    check<ShapeError>(x.shape() == xs[0].shape(), "stack: shapes differ: ", xs[0].shape(), " and ", x.shape());
    parts.push_back(unsqueeze(x, at));
  }
  return cat(parts, at);
}

Tensor repeat(const Tensor& x, const Shape& repeats) {
  check<ShapeError>(repeats.size() >= x.dim(), "repeat: fewer repeats than dimensions: ", repeats, ", tensor ",
                    x.shape());
  const int lead = repeats.size() - x.dim();
  Shape apart, wide, result;
  for (int d = 0; d < repeats.size(); ++d) {
    const int64_t size = d < lead ? 1 : x.shape()[d - lead];
    check<ValueError>(repeats[d] >= 0, "repeat: counts must not be negative: ", repeats);
    apart.push_back(1);
    apart.push_back(size);
    wide.push_back(repeats[d]);
    wide.push_back(size);
    int64_t total = 0;
    check<ValueError>(!__builtin_mul_overflow(size, repeats[d], &total), "repeat: counts are too large: ", repeats);
    result.push_back(total);
  }
  const Tensor y = reshape(expand(reshape(x, apart), wide), result);
  // A copy always: every repeat may be 1, and then reshape gives a view.
  return y.storage() == x.storage() ? clone(y) : y;
}

Tensor tile(const Tensor& x, const Shape& repeats) {
  Shape all = repeats;
  while (all.size() < x.dim()) all.insert(0, 1);
  return repeat(x, all);
}

Tensor repeat_interleave(const Tensor& x, int64_t repeats, std::optional<int64_t> dim) {
  if (!dim) return repeat_interleave(reshape(x, {x.numel()}), repeats, 0);
  check<ValueError>(repeats >= 0, "repeat_interleave: count must not be negative: ", repeats);
  check<ShapeError>(x.dim() > 0, "repeat_interleave: a 0-dim tensor has no dimension to repeat along");
  const int at = wrap_dim("repeat_interleave", *dim, x.dim());
  Shape wide = x.shape(), result = x.shape();
  wide.insert(at + 1, repeats);
  check<ValueError>(!__builtin_mul_overflow(result[at], repeats, &result[at]),
                    "repeat_interleave: count is too large: ", repeats);
  return reshape(expand(unsqueeze(x, at + 1), wide), result);
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int64_t> dim) {
  if (!dim) return repeat_interleave(reshape(x, {x.numel()}), repeats, 0);
  check<DtypeError>(is_integral(repeats.dtype()), "repeat_interleave: counts must be integral: ", repeats.dtype());
  check<ShapeError>(x.dim() > 0, "repeat_interleave: a 0-dim tensor has no dimension to repeat along");
  const int at = wrap_dim("repeat_interleave", *dim, x.dim());
  if (repeats.numel() == 1 && repeats.dim() <= 1) return repeat_interleave(x, repeats.item_int(), dim);
  check<ShapeError>(repeats.dim() == 1 && repeats.numel() == x.shape()[at], "repeat_interleave: counts ",
                    repeats.shape(), " do not fit dimension ", at, " of ", x.shape());
  std::vector<int64_t> rows;
  const std::vector<int64_t> counts = to_vector<int64_t>(repeats);
  for (size_t i = 0; i < counts.size(); ++i) {
    check<ValueError>(counts[i] >= 0, "repeat_interleave: count must not be negative: ", counts[i]);
    rows.insert(rows.end(), size_t(counts[i]), int64_t(i));
  }
  return index_select(x, at, from_values<int64_t>(rows, {int64_t(rows.size())}));
}

Tensor roll(const Tensor& x, const std::vector<int64_t>& shifts, const std::vector<int64_t>& dims) {
  if (dims.empty()) {
    check<ShapeError>(shifts.size() == 1, "roll: without dimensions there is one shift: ", shifts.size());
    return reshape(roll(reshape(x, {x.numel()}), shifts, {0}), x.shape());
  }
  check<ShapeError>(shifts.size() == dims.size(), "roll: shifts and dimensions differ in number: ", shifts.size(),
                    " and ", dims.size());
  Tensor y = x;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int at = wrap_dim("roll", dims[i], x.dim());
    const int64_t size = x.dim() ? x.shape()[at] : 0;
    if (size == 0) continue;
    const int64_t shift = (shifts[i] % size + size) % size;
    if (shift) y = cat({narrow(y, at, size - shift, shift), narrow(y, at, 0, size - shift)}, at);
  }
  return y.is_same(x) ? clone(x) : y;
}

Tensor flip(const Tensor& x, const std::vector<int64_t>& dims) {
  Shape strides = x.strides();
  int64_t offset = x.offset();
  std::vector<bool> seen(size_t(std::max(x.dim(), 1)), false);
  for (int64_t d : dims) {
    const int at = wrap_dim("flip", d, x.dim());
    check<ValueError>(!seen[size_t(at)], "flip: a dimension is named twice: ", d);
    seen[size_t(at)] = true;
    if (x.dim() == 0 || x.numel() == 0) continue;
    offset += (x.shape()[at] - 1) * strides[at];
    strides[at] = -strides[at];
  }
  const Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  kernels::copy(x.device(), y, x.alias(x.shape(), strides, offset));
  if (!needs_grad(x)) return y;
  return record("flip", y, {x}, [dims](const GradContext& c) -> Grads { return {flip(c.dy(), dims)}; });
}

namespace {

/// x with zeros where column - row compares with diagonal.
Tensor triangle(const char* op, const Tensor& x, int64_t diagonal, kernels::CompareOp compare) {
  check<ShapeError>(x.dim() >= 2, op, ": needs at least two dimensions: ", x.shape());
  const int64_t rows = x.size(-2), columns = x.size(-1);
  diagonal = std::clamp(diagonal, -rows, columns);
  const Tensor mask = Tensor::empty({rows, columns}, Dtype::boolean, x.device());
  {
    NoGrad guard;
    const Tensor row = add(arange(0, rows), diagonal), column = arange(0, columns);
    kernels::compare(x.device(), compare, mask, expand(column, mask.shape()),
                     expand(reshape(row, {rows, 1}), mask.shape()));
  }
  return masked_fill(x, mask, 0);
}

}  // namespace

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle("tril", x, diagonal, kernels::CompareOp::gt); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle("triu", x, diagonal, kernels::CompareOp::lt); }

TensorList meshgrid(const TensorList& xs, std::string_view indexing) {
  check<ValueError>(indexing == "ij" || indexing == "xy", "meshgrid: indexing must be ij or xy: ", indexing);
  check<ValueError>(!xs.empty(), "meshgrid: the list of tensors is empty");
  Shape grid;
  for (const Tensor& x : xs) {
    check<ShapeError>(x.dim() <= 1, "meshgrid: tensors must have at most one dimension: ", x.shape());
    check<DtypeError>(x.dtype() == xs[0].dtype(), "meshgrid: dtypes differ: ", xs[0].dtype(), " and ", x.dtype());
    grid.push_back(x.numel());
  }
  TensorList views;
  for (size_t i = 0; i < xs.size(); ++i) {
    Shape along(grid.size(), 1);
    along[int(i)] = xs[i].numel();
    const Tensor y = expand(reshape(xs[i], along), grid);
    views.push_back(indexing == "xy" && xs.size() > 1 ? transpose(y, 0, 1) : y);
  }
  return views;
}

Tensor one_hot(const Tensor& ids, int64_t classes) {
  check<DtypeError>(is_integral(ids.dtype()), "one_hot: ids must be integral: ", ids.dtype());
  check<ValueError>(classes >= -1, "one_hot: number of classes must not be negative: ", classes);
  if (classes < 0) {
    check<ValueError>(ids.numel() > 0, "one_hot: without ids the number of classes must be given");
    for (int64_t id : to_vector<int64_t>(ids)) {
      check<IndexError>(id < std::numeric_limits<int64_t>::max(), "one_hot: id is too large: ", id);
      classes = std::max(classes, id + 1);
    }
  }
  Shape shape = ids.shape();
  shape.push_back(classes);
  const Tensor y = zeros(shape, Dtype::int64, ids.device());
  return scatter(y, -1, unsqueeze(to(ids.detach(), Dtype::int64), -1), 1);
}

}  // namespace hearth
