// Reading and writing through integer indices along one dimension.
#include "hearth/ops/index.h"

#include "hearth/backend/kernels/index.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/sort.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::WriteOp;

Tensor checked_index(const char* op, const Tensor& index, int64_t dim, int64_t size, bool negative) {
  check<DtypeError>(is_integral(index.dtype()), op, ": index must be integral: ", index.dtype());
  NoGrad guard;
  const Tensor wide = contiguous(to(index.detach(), Dtype::int64));
  const Tensor out = empty_like(wide);
  const int64_t bad = kernels::wrap_index(index.device(), out, wide, size, negative);
  if (bad >= 0)
    fail<IndexError>(op, ": index ", wide.data<int64_t>()[bad], " is out of bounds for dimension ", dim, " with size ",
                     size);
  return out;
}

namespace {

/// x cut at one dimension: [outer, size, inner]; a view where the memory allows it.
Tensor cut(const Tensor& x, int dim) {
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < x.dim(); ++d) (d < dim ? outer : d > dim ? inner : outer) *= d == dim ? 1 : x.shape()[d];
  return reshape(x, {outer, x.dim() ? x.shape()[dim] : 1, inner});
}

/// A 0-dim tensor counts as one of one element.
Tensor at_least_1d(const Tensor& x) { return x.dim() ? x : reshape(x, {1}); }

void check_same_dtype(const char* op, const Tensor& x, const Tensor& src) {
  check<DtypeError>(x.dtype() == src.dtype(), op, ": dtypes differ: tensor ", x.dtype(), ", source ", src.dtype());
}

Tensor select_rows(const Tensor& x, int dim, const Tensor& index) {
  Shape shape = x.shape();
  if (x.dim()) shape[dim] = index.numel();
  const Tensor out = Tensor::empty(shape, x.dtype(), x.device());
  NoGrad guard;
  kernels::index_select(x.device(), cut(out, dim), cut(x, dim), index);
  return out;
}

/// A copy of x with src merged into the entries `index`; both checked already.
Tensor write_rows(WriteOp op, const Tensor& x, int dim, const Tensor& index, const Tensor& src) {
  NoGrad guard;
  const Tensor out = clone(x);
  kernels::index_write(x.device(), op, cut(out, dim), index, cut(src, dim));
  return out;
}

Tensor flat_index(const char* op, const Tensor& index, int dim, int64_t size) {
  check<ShapeError>(index.dim() <= 1, op, ": index must have at most one dimension: ", index.shape());
  return checked_index(op, reshape(index, {index.numel()}), dim, size);
}

/// Checks index and src of an index_* write; returns the index.
Tensor row_index(const char* op, const Tensor& x, int dim, const Tensor& index, const Tensor& src) {
  check_same_dtype(op, x, src);
  const Tensor rows = flat_index(op, index, dim, x.dim() ? x.shape()[dim] : 1);
  Shape expected = x.shape();
  if (x.dim()) expected[dim] = rows.numel();
  check<ShapeError>(src.shape() == expected || (x.dim() <= 1 && src.numel() == rows.numel() && src.dim() <= 1), op,
                    ": source has the wrong shape: ", src.shape(), ", expected ", expected);
  return rows;
}

}  // namespace

Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index) {
  const int at = wrap_dim("index_select", dim, x.dim());
  const Tensor rows = flat_index("index_select", index, at, x.dim() ? x.shape()[at] : 1);
  check<ShapeError>(x.dim() > 0 || rows.numel() == 1, "index_select: a 0-dim tensor has one entry: ", rows.numel());
  const Tensor y = select_rows(x, at, rows);
  if (!needs_grad(x)) return y;
  return record("index_select", y, {x}, [shape = x.shape(), at, rows](const GradContext& c) -> Grads {
    return {index_add(zeros(shape, c.dy().dtype(), c.dy().device()), at, rows, c.dy())};
  });
}

Tensor index_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  const int at = wrap_dim("index_add", dim, x.dim());
  const Tensor rows = row_index("index_add", x, at, index, src);
  check<DtypeError>(!alpha.is_complex() || is_complex(x.dtype()),
                    "index_add: a complex alpha needs a complex tensor: ", x.dtype());
  if (alpha.to_complex() != 1.0) return index_add(x, at, rows, to(mul(src, alpha), x.dtype()));
  const Tensor y = write_rows(WriteOp::add, x, at, rows, src);
  if (!needs_grad(x, src)) return y;
  return record("index_add", y, {x, src}, [at, rows, shape = src.shape()](const GradContext& c) -> Grads {
    return {c.dy(), c.needs(1) ? reshape(index_select(c.dy(), at, rows), shape) : Tensor()};
  });
}

Tensor index_copy(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  const int at = wrap_dim("index_copy", dim, x.dim());
  const Tensor rows = row_index("index_copy", x, at, index, src);
  const Tensor y = write_rows(WriteOp::assign, x, at, rows, src);
  if (!needs_grad(x, src)) return y;
  return record("index_copy", y, {x, src}, [at, rows, shape = src.shape()](const GradContext& c) -> Grads {
    return {c.needs(0) ? index_fill(c.dy(), at, rows, 0) : Tensor(),
            c.needs(1) ? reshape(index_select(c.dy(), at, rows), shape) : Tensor()};
  });
}

Tensor index_fill(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& value) {
  const int at = wrap_dim("index_fill", dim, x.dim());
  check<ShapeError>(value.dim() == 0, "index_fill: value must be a 0-dim tensor: ", value.shape());
  const Tensor rows = flat_index("index_fill", index, at, x.dim() ? x.shape()[at] : 1);
  Shape shape = x.shape();
  if (x.dim()) shape[at] = rows.numel();
  const Tensor y = write_rows(WriteOp::assign, x, at, rows, expand(to(value, x.dtype()), shape));
  if (!needs_grad(x, value)) return y;
  return record("index_fill", y, {x, value}, [at, rows, dtype = value.dtype()](const GradContext& c) -> Grads {
    return {c.needs(0) ? index_fill(c.dy(), at, rows, 0) : Tensor(),
            // An entry named twice is filled once.
            c.needs(1) ? to(sum_to(index_select(c.dy(), at, unique(rows).values), {}), dtype) : Tensor()};
  });
}
Tensor index_fill(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value) {
  return index_fill(x, dim, index, scalar_tensor(value, x.dtype()));
}

namespace {

/// Cuts x to index's shape in every dimension but `dim`. Raises ShapeError when x is shorter somewhere.
Tensor cut_to(const char* op, const Tensor& x, const Tensor& index, int dim) {
  check<ShapeError>(x.dim() == index.dim(), op, ": tensor and index differ in rank: ", x.shape(), " and ",
                    index.shape());
  Tensor y = x;
  for (int d = 0; d < x.dim(); ++d) {
    if (d == dim) continue;
    check<ShapeError>(index.shape()[d] <= x.shape()[d], op, ": index is longer than the tensor outside dimension ", dim,
                      ": ", index.shape(), " and ", x.shape());
    y = narrow(y, d, 0, index.shape()[d]);
  }
  return y;
}

/// A copy of x with src merged in, checked already.
Tensor write_cells(WriteOp op, const Tensor& x, int dim, const Tensor& index, const Tensor& src) {
  NoGrad guard;
  const Tensor out = clone(x);
  kernels::scatter(x.device(), op, at_least_1d(out), at_least_1d(index), at_least_1d(src), dim);
  return out;
}

struct Cells {
  int dim;
  Tensor index;
};

/// Checks shapes and range of a scatter's operands.
Cells check_cells(const char* op, const Tensor& x, int64_t dim, const Tensor& index) {
  const int at = wrap_dim(op, dim, x.dim());
  check<ShapeError>(x.dim() == index.dim() || (x.dim() <= 1 && index.dim() <= 1), op,
                    ": tensor and index differ in rank: ", x.shape(), " and ", index.shape());
  const Tensor cells = checked_index(op, index, at, x.dim() ? x.shape()[at] : 1);
  cut_to(op, at_least_1d(x.detach()), at_least_1d(cells), at);
  return {at, cells};
}

/// The part of src that index names: index's shape.
Tensor source_for(const char* op, const Tensor& src, const Tensor& index) {
  const Tensor from = at_least_1d(src), wanted = at_least_1d(index);
  check<ShapeError>(from.dim() == wanted.dim(), op, ": source and index differ in rank: ", src.shape(), " and ",
                    index.shape());
  Tensor y = from;
  for (int d = 0; d < from.dim(); ++d) {
    check<ShapeError>(wanted.shape()[d] <= from.shape()[d], op, ": index is longer than the source: ", index.shape(),
                      " and ", src.shape());
    if (wanted.shape()[d] != from.shape()[d]) y = narrow(y, d, 0, wanted.shape()[d]);
  }
  return reshape(y, index.shape());
}

/// The recorded form: src has index's shape.
Tensor scatter_cells(WriteOp op, const Tensor& x, const Cells& at, const Tensor& src) {
  const Tensor y = write_cells(op, x, at.dim, at.index, src);
  if (!needs_grad(x, src)) return y;
  const bool replaces = op == WriteOp::assign;
  return record("scatter", y, {x, src}, [at, replaces](const GradContext& c) -> Grads {
    Tensor dx;
    if (c.needs(0)) dx = replaces ? scatter(c.dy(), at.dim, at.index, 0) : c.dy();
    return {dx, c.needs(1) ? gather(c.dy(), at.dim, at.index) : Tensor()};
  });
}

/// An index without elements may have any rank.
Tensor gather_nothing(const Tensor& x, int64_t dim, const Tensor& index) {
  wrap_dim("gather", dim, x.dim());
  check<DtypeError>(is_integral(index.dtype()), "gather: index must be integral: ", index.dtype());
  const Tensor y = Tensor::empty(index.shape(), x.dtype(), x.device());
  if (!needs_grad(x)) return y;
  return record("gather", y, {x}, [shape = x.shape()](const GradContext& c) -> Grads {
    return {zeros(shape, c.dy().dtype(), c.dy().device())};
  });
}

}  // namespace

Tensor gather(const Tensor& x, int64_t dim, const Tensor& index) {
  if (index.numel() == 0) return gather_nothing(x, dim, index);
  const Cells at = check_cells("gather", x, dim, index);
  const Tensor y = Tensor::empty(index.shape(), x.dtype(), x.device());
  {
    NoGrad guard;
    kernels::gather(x.device(), at_least_1d(y), at_least_1d(x), at_least_1d(at.index), at.dim);
  }
  if (!needs_grad(x)) return y;
  return record("gather", y, {x}, [at, shape = x.shape()](const GradContext& c) -> Grads {
    return {scatter_add(zeros(shape, c.dy().dtype(), c.dy().device()), at.dim, at.index, c.dy())};
  });
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, int64_t dim) {
  const int at = wrap_dim("take_along_dim", dim, x.dim());
  check<ShapeError>(x.dim() == index.dim(), "take_along_dim: tensor and index differ in rank: ", x.shape(), " and ",
                    index.shape());
  Shape x_shape = x.shape(), index_shape = index.shape();
  if (x.dim()) x_shape[at] = index_shape[at] = 1;
  Shape shape = broadcast_shapes("take_along_dim", x_shape, index_shape);
  x_shape = index_shape = shape;
  if (x.dim()) {
    x_shape[at] = x.shape()[at];
    index_shape[at] = index.shape()[at];
  }
  const Tensor cells = checked_index("take_along_dim", index, at, x.dim() ? x.shape()[at] : 1, true);
  return gather(expand(x, x_shape), at, expand(cells, index_shape));
}

Tensor take(const Tensor& x, const Tensor& index) {
  const Tensor cells = checked_index("take", index, 0, x.numel(), true);
  return reshape(index_select(reshape(x, {x.numel()}), 0, reshape(cells, {cells.numel()})), index.shape());
}

Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  if (index.numel() == 0 && index.dim() != x.dim()) return clone(x);
  check_same_dtype("scatter", x, src);
  const Cells at = check_cells("scatter", x, dim, index);
  return scatter_cells(WriteOp::assign, x, at, source_for("scatter", src, at.index));
}

Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value) {
  if (index.numel() == 0 && index.dim() != x.dim()) return clone(x);
  const Cells at = check_cells("scatter", x, dim, index);
  return scatter_cells(WriteOp::assign, x, at, expand(scalar_tensor(value, x.dtype()), index.shape()));
}

Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  if (index.numel() == 0 && index.dim() != x.dim()) return clone(x);
  check_same_dtype("scatter_add", x, src);
  const Cells at = check_cells("scatter_add", x, dim, index);
  return scatter_cells(WriteOp::add, x, at, source_for("scatter_add", src, at.index));
}

const Tensor& scatter_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  return apply_(x, "scatter_", [&](const Tensor& old) { return scatter(old, dim, index, src); });
}
const Tensor& scatter_(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value) {
  return apply_(x, "scatter_", [&](const Tensor& old) { return scatter(old, dim, index, value); });
}
const Tensor& scatter_add_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  return apply_(x, "scatter_add_", [&](const Tensor& old) { return scatter_add(old, dim, index, src); });
}
const Tensor& index_add_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  return apply_(x, "index_add_", [&](const Tensor& old) { return index_add(old, dim, index, src, alpha); });
}
const Tensor& index_copy_(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  return apply_(x, "index_copy_", [&](const Tensor& old) { return index_copy(old, dim, index, src); });
}
const Tensor& index_fill_(const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value) {
  return apply_(x, "index_fill_", [&](const Tensor& old) { return index_fill(old, dim, index, value); });
}

}  // namespace hearth
