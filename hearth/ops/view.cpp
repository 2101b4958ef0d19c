// Views: every view op ends in `viewed`, which wraps the alias and records the way back.
#include "hearth/ops/view.h"

#include <algorithm>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/reduce.h"

namespace hearth {

namespace {

template <class F>
Tensor viewed(const char* name, const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset, F formula) {
  Tensor y = x.alias(shape, strides, offset);
  note_view(y, x);
  if (!needs_grad(x)) return y;
  return record(name, y, {x}, std::move(formula));
}

/// Raises unless every element of the geometry lies in x's storage.
void check_inside(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset) {
  check<ShapeError>(shape.size() == strides.size(), "as_strided: sizes and strides differ in length: ", shape, ", ",
                    strides);
  checked_numel("as_strided", shape);
  int64_t last = offset;
  bool has_elements = true;
  for (int d = 0; d < shape.size(); ++d) {
    check<ValueError>(strides[d] >= 0, "as_strided: strides must not be negative: ", strides);
    has_elements = has_elements && shape[d] > 0;
    int64_t reach = 0;
    check<ValueError>(!__builtin_mul_overflow(std::max<int64_t>(shape[d] - 1, 0), strides[d], &reach) &&
                          !__builtin_add_overflow(last, reach, &last),
                      "as_strided: geometry overflows: ", shape, ", ", strides);
  }
  const int64_t capacity = int64_t(x.storage()->bytes() / dtype_size(x.dtype()));
  check<ValueError>(offset >= 0 && (!has_elements || last < capacity),
                    "as_strided: geometry leaves the storage: sizes ", shape, ", strides ", strides, ", offset ",
                    offset, ", storage holds ", capacity);
}

/// Elements of storage that a geometry spans, from its offset.
int64_t span_of(const Shape& shape, const Shape& strides) {
  int64_t last = 0;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return 0;
    last += (shape[d] - 1) * strides[d];
  }
  return last + 1;
}

/// The adjoint of as_strided: adds dy's elements up in a zero tensor of the source's geometry. Overlapping elements of
/// the view are summed; elements that the source itself shares (expanded) count in each place, as PyTorch has it.
Tensor as_strided_adjoint(const Tensor& dy, const Shape& source, const Shape& source_strides, int64_t source_offset,
                          const Shape& strides, int64_t offset) {
  const int64_t begin = std::min(offset, source_offset);
  const int64_t end = std::max(offset + span_of(dy.shape(), strides), source_offset + span_of(source, source_strides));
  Tensor buffer = zeros({end - begin}, dy.dtype(), dy.device());
  {
    NoGrad guard;
    // One outer index at a time: rows of the view may overlap each other.
    Tensor rows = dy;
    Shape shape = dy.shape();
    const std::function<void(const Tensor&, int, int64_t)> scatter = [&](const Tensor& part, int dim, int64_t at) {
      if (part.dim() == 0) {
        const Tensor cell = buffer.alias({}, {}, at - begin);
        kernels::binary(cell.device(), kernels::BinaryOp::add, cell, cell, part);
        return;
      }
      if (part.dim() == 1 && strides[dim] != 0) {
        const Tensor line = buffer.alias({part.size(0)}, {strides[dim]}, at - begin);
        kernels::binary(line.device(), kernels::BinaryOp::add, line, line, part);
        return;
      }
      for (int64_t i = 0; i < part.size(0); ++i) scatter(select(part, 0, i), dim + 1, at + i * strides[dim]);
    };
    scatter(rows, 0, offset);
  }
  Tensor dx = clone(buffer.alias(source, source_strides, source_offset - begin));
  if (!needs_grad(dy)) return dx;
  return record("as_strided_adjoint", dx, {dy}, [=, shape = dy.shape()](const GradContext& c) -> Grads {
    // The source's geometry must exist in memory for the view of it to be taken.
    Tensor wide = zeros({end - begin}, c.dy().dtype(), c.dy().device());
    Tensor place = as_strided(wide, source, source_strides, source_offset - begin);
    copy_(place, c.dy());
    return {as_strided(wide, shape, strides, offset - begin)};
  });
}

}  // namespace

Tensor as_strided(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset) {
  check_inside(x, shape, strides, offset);
  return viewed(
      "as_strided", x, shape, strides, offset,
      [from = x.shape(), steps = x.strides(), start = x.offset(), strides, offset](const GradContext& c) -> Grads {
        return {as_strided_adjoint(c.dy(), from, steps, start, strides, offset)};
      });
}

Tensor expand(const Tensor& x, const Shape& shape) {
  check<ShapeError>(shape.size() >= x.dim(), "expand: fewer dimensions than the tensor has: ", shape, ", tensor ",
                    x.shape());
  const int lead = shape.size() - x.dim();
  Shape sizes = shape, strides(shape.size(), 0);
  for (int d = 0; d < shape.size(); ++d) {
    const int64_t have = d < lead ? 1 : x.shape()[d - lead];
    if (sizes[d] == -1 && d >= lead) sizes[d] = have;
    check<ShapeError>(sizes[d] >= 0 && (have == sizes[d] || have == 1), "expand: size ", have, " cannot become ",
                      sizes[d], " in ", x.shape(), " to ", shape);
    strides[d] = d < lead || have != sizes[d] ? 0 : x.strides()[d - lead];
  }
  if (sizes == x.shape())
    return viewed("expand", x, sizes, x.strides(), x.offset(), [](const GradContext& c) -> Grads { return {c.dy()}; });
  return viewed("expand", x, sizes, strides, x.offset(),
                [from = x.shape()](const GradContext& c) -> Grads { return {sum_to(c.dy(), from)}; });
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const int lead = x.dim() - shape.size();
  std::vector<int64_t> dims;
  for (int d = 0; d < x.dim(); ++d)
    if (d < lead || (shape[d - lead] == 1 && x.shape()[d] != 1)) dims.push_back(d);
  return reshape(dims.empty() ? x : sum(x, dims, true), shape);
}

namespace {

/// Fills in a size of -1. Raises ShapeError when the counts differ.
Shape infer_shape(const char* op, const Tensor& x, const Shape& shape) {
  Shape sizes = shape;
  int unknown = -1;
  int64_t known = 1;
  for (int d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == -1) {
      check<ShapeError>(unknown < 0, op, ": only one size may be -1: ", shape);
      unknown = d;
      continue;
    }
    check<ShapeError>(sizes[d] >= 0 && !__builtin_mul_overflow(known, sizes[d], &known), op,
                      ": sizes must not be negative: ", shape);
  }
  if (unknown >= 0) {
    check<ShapeError>(known != 0 && x.numel() % known == 0, op, ": shape ", shape, " does not fit ", x.numel(),
                      " elements");
    sizes[unknown] = x.numel() / known;
  }
  check<ShapeError>(sizes.numel() == x.numel(), op, ": shape ", shape, " does not fit ", x.numel(),
                    " elements of shape ", x.shape());
  return sizes;
}

/// Strides under which x's memory has `sizes`; false when it needs a copy.
bool view_strides(const Tensor& x, const Shape& sizes, Shape& strides) {
  strides = contiguous_strides(sizes);
  if (x.is_contiguous() || x.numel() == 0) return true;
  // Walk both shapes from the back: a chunk of x's dimensions that is evenly spaced may be cut anew.
  int v = sizes.size() - 1;
  int64_t chunk_stride = x.strides()[x.dim() - 1], x_count = 1, v_count = 1;
  for (int d = x.dim() - 1; d >= 0; --d) {
    x_count *= x.shape()[d];
    const bool ends = d == 0 || (x.shape()[d - 1] != 1 && x.strides()[d - 1] != x_count * chunk_stride);
    if (!ends) continue;
    while (v >= 0 && (v_count < x_count || sizes[v] == 1)) {
      strides[v] = v_count * chunk_stride;
      v_count *= sizes[v--];
    }
    if (v_count != x_count) return false;
    if (d > 0) {
      chunk_stride = x.strides()[d - 1];
      x_count = v_count = 1;
    }
  }
  return v < 0;
}

Tensor reshape_view(const char* name, const Tensor& x, const Shape& sizes, const Shape& strides) {
  return viewed(name, x, sizes, strides, x.offset(),
                [from = x.shape()](const GradContext& c) -> Grads { return {reshape(c.dy(), from)}; });
}

}  // namespace

Tensor view(const Tensor& x, const Shape& shape) {
  const Shape sizes = infer_shape("view", x, shape);
  Shape strides;
  check<ShapeError>(view_strides(x, sizes, strides), "view: memory layout does not allow it, use reshape: ", x.shape(),
                    " with strides ", x.strides(), " as ", shape);
  return reshape_view("view", x, sizes, strides);
}

Tensor reshape(const Tensor& x, const Shape& shape) {
  const Shape sizes = infer_shape("reshape", x, shape);
  Shape strides;
  if (view_strides(x, sizes, strides)) return reshape_view("reshape", x, sizes, strides);
  const Tensor copy = clone(x);
  return reshape_view("reshape", copy, sizes, contiguous_strides(sizes));
}

Tensor flatten(const Tensor& x, int64_t start_dim, int64_t end_dim) {
  const int start = wrap_dim("flatten", start_dim, x.dim()), end = wrap_dim("flatten", end_dim, x.dim());
  check<ShapeError>(start <= end, "flatten: start_dim is after end_dim: ", start_dim, ", ", end_dim);
  if (x.dim() == 0) return reshape(x, {1});
  Shape sizes;
  int64_t merged = 1;
  for (int d = 0; d < x.dim(); ++d) {
    if (d < start || d > end)
      sizes.push_back(x.shape()[d]);
    else
      merged *= x.shape()[d];
    if (d == end) sizes.push_back(merged);
  }
  return reshape(x, sizes);
}

Tensor unflatten(const Tensor& x, int64_t dim, const Shape& sizes) {
  const int at = wrap_dim("unflatten", dim, x.dim());
  Shape shape;
  for (int d = 0; d < x.dim(); ++d) {
    if (d != at)
      shape.push_back(x.shape()[d]);
    else
      for (int64_t size : sizes) shape.push_back(size);
  }
  return view(x, shape);
}

Tensor permute(const Tensor& x, const Shape& dims) {
  check<ShapeError>(dims.size() == x.dim(), "permute: needs one entry per dimension: ", dims, ", tensor ", x.shape());
  Shape sizes(x.dim(), 0), strides(x.dim(), 0), inverse(x.dim(), -1);
  for (int d = 0; d < x.dim(); ++d) {
    const int from = wrap_dim("permute", dims[d], x.dim());
    check<ShapeError>(inverse[from] < 0, "permute: a dimension is named twice: ", dims);
    inverse[from] = d;
    sizes[d] = x.shape()[from];
    strides[d] = x.strides()[from];
  }
  return viewed("permute", x, sizes, strides, x.offset(),
                [inverse](const GradContext& c) -> Grads { return {permute(c.dy(), inverse)}; });
}

Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1) {
  const int a = wrap_dim("transpose", dim0, x.dim()), b = wrap_dim("transpose", dim1, x.dim());
  Shape sizes = x.shape(), strides = x.strides();
  if (x.dim() > 0) {
    std::swap(sizes[a], sizes[b]);
    std::swap(strides[a], strides[b]);
  }
  return viewed("transpose", x, sizes, strides, x.offset(),
                [a, b](const GradContext& c) -> Grads { return {transpose(c.dy(), a, b)}; });
}

Tensor t(const Tensor& x) {
  check<ShapeError>(x.dim() <= 2, "t: needs at most two dimensions: ", x.shape());
  return x.dim() < 2 ? x : transpose(x, 0, 1);
}

Tensor movedim(const Tensor& x, int64_t source, int64_t destination) {
  const int from = wrap_dim("movedim", source, x.dim()), to = wrap_dim("movedim", destination, x.dim());
  std::vector<int64_t> dims;
  for (int d = 0; d < x.dim(); ++d)
    if (d != from) dims.push_back(d);
  if (x.dim() > 0) dims.insert(dims.begin() + to, from);
  return permute(x, dims);
}

Tensor squeeze(const Tensor& x) {
  Shape sizes, strides;
  for (int d = 0; d < x.dim(); ++d)
    if (x.shape()[d] != 1) {
      sizes.push_back(x.shape()[d]);
      strides.push_back(x.strides()[d]);
    }
  return reshape_view("squeeze", x, sizes, strides);
}

Tensor squeeze(const Tensor& x, int64_t dim) {
  const int at = wrap_dim("squeeze", dim, x.dim());
  Shape sizes = x.shape(), strides = x.strides();
  if (x.dim() > 0 && sizes[at] == 1) {
    sizes.erase(at);
    strides.erase(at);
  }
  return reshape_view("squeeze", x, sizes, strides);
}

Tensor unsqueeze(const Tensor& x, int64_t dim) {
  const int at = wrap_dim("unsqueeze", dim, x.dim() + 1);
  Shape sizes = x.shape(), strides = x.strides();
  strides.insert(at, at < x.dim() ? sizes[at] * strides[at] : 1);
  sizes.insert(at, 1);
  return reshape_view("unsqueeze", x, sizes, strides);
}

namespace {

/// A strided range of one dimension; its gradient is written into zeros.
Tensor range_view(const char* name, const Tensor& x, int dim, int64_t start, int64_t length, int64_t step) {
  Shape sizes = x.shape(), strides = x.strides();
  const int64_t offset = x.offset() + start * strides[dim];
  sizes[dim] = length;
  strides[dim] *= step;
  return viewed(name, x, sizes, strides, offset,
                [from = x.shape(), dim, start, length, step](const GradContext& c) -> Grads {
                  Tensor dx = zeros(from, c.dy().dtype(), c.dy().device());
                  copy_(range_view("slice", dx, dim, start, length, step), c.dy());
                  return {dx};
                });
}

}  // namespace

Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  check<ShapeError>(x.dim() > 0, "narrow: tensor has no dimensions");
  const int at = wrap_dim("narrow", dim, x.dim());
  const int64_t size = x.shape()[at], from = start < 0 ? start + size : start;
  check<IndexError>(from >= 0 && length >= 0 && from + length <= size, "narrow: range leaves the dimension: start ",
                    start, ", length ", length, ", size ", size);
  return range_view("narrow", x, at, from, length, 1);
}

Tensor slice(const Tensor& x, int64_t dim, int64_t start, int64_t end, int64_t step) {
  check<ShapeError>(x.dim() > 0, "slice: tensor has no dimensions");
  check<ValueError>(step > 0, "slice: step must be positive: ", step);
  const int at = wrap_dim("slice", dim, x.dim());
  const int64_t size = x.shape()[at];
  const int64_t from = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
  const int64_t to = std::clamp<int64_t>(end < 0 ? end + size : end, from, size);
  return range_view("slice", x, at, from, (to - from + step - 1) / step, step);
}

Tensor select(const Tensor& x, int64_t dim, int64_t index) {
  check<IndexError>(x.dim() > 0, "select: a 0-dim tensor cannot be indexed");
  const int at = wrap_dim("select", dim, x.dim());
  const int64_t size = x.shape()[at];
  check<IndexError>(index >= -size && index < size, "select: index ", index, " is out of bounds for dimension ", at,
                    " with size ", size);
  const int64_t from = index < 0 ? index + size : index;
  Shape sizes = x.shape(), strides = x.strides();
  const int64_t offset = x.offset() + from * strides[at];
  sizes.erase(at);
  strides.erase(at);
  return viewed("select", x, sizes, strides, offset, [shape = x.shape(), at, from](const GradContext& c) -> Grads {
    Tensor dx = zeros(shape, c.dy().dtype(), c.dy().device());
    copy_(select(dx, at, from), c.dy());
    return {dx};
  });
}

Tensor diagonal(const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  const int a = wrap_dim("diagonal", dim1, x.dim()), b = wrap_dim("diagonal", dim2, x.dim());
  check<ShapeError>(x.dim() >= 2 && a != b, "diagonal: needs two different dimensions: ", dim1, " and ", dim2, " of ",
                    x.shape());
  const int64_t rows = x.shape()[a], columns = x.shape()[b];
  const int64_t length =
      std::max<int64_t>(offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns), 0);
  Shape sizes, strides;
  for (int d = 0; d < x.dim(); ++d)
    if (d != a && d != b) {
      sizes.push_back(x.shape()[d]);
      strides.push_back(x.strides()[d]);
    }
  sizes.push_back(length);
  strides.push_back(x.strides()[a] + x.strides()[b]);
  const int64_t start = length == 0 ? 0 : offset >= 0 ? offset * x.strides()[b] : -offset * x.strides()[a];
  return viewed("diagonal", x, sizes, strides, x.offset() + start,
                [shape = x.shape(), offset, a, b](const GradContext& c) -> Grads {
                  Tensor dx = zeros(shape, c.dy().dtype(), c.dy().device());
                  copy_(diagonal(dx, offset, a, b), c.dy());
                  return {dx};
                });
}

Tensor unfold(const Tensor& x, int64_t dim, int64_t size, int64_t step) {
  const int at = wrap_dim("unfold", dim, x.dim());
  if (x.dim() == 0) return select(unfold(reshape(x, {1}), 0, size, step), 0, 0);
  check<ShapeError>(size >= 0 && size <= x.shape()[at] && step > 0, "unfold: window does not fit: size ", size,
                    ", step ", step, ", tensor ", x.shape());
  Shape sizes = x.shape(), strides = x.strides();
  sizes[at] = (sizes[at] - size) / step + 1;
  sizes.push_back(size);
  strides.push_back(strides[at]);
  strides[at] *= step;
  return as_strided(x, sizes, strides, x.offset());
}

std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int64_t dim) {
  std::vector<Tensor> parts;
  int64_t at = 0;
  for (int64_t size : sizes) {
    parts.push_back(narrow(x, dim, at, size));
    at += size;
  }
  check<ShapeError>(at == x.size(dim), "split: sizes add up to ", at, ", dimension has ", x.size(dim));
  return parts;
}

std::vector<Tensor> split(const Tensor& x, int64_t split_size, int64_t dim) {
  check<ValueError>(split_size > 0, "split: size must be positive: ", split_size);
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < x.size(dim); at += split_size) sizes.push_back(std::min(split_size, x.size(dim) - at));
  if (sizes.empty()) sizes.push_back(0);
  return split(x, sizes, dim);
}

std::vector<Tensor> chunk(const Tensor& x, int64_t chunks, int64_t dim) {
  check<ValueError>(chunks > 0, "chunk: count must be positive: ", chunks);
  return split(x, std::max<int64_t>((x.size(dim) + chunks - 1) / chunks, 1), dim);
}

std::vector<Tensor> unbind(const Tensor& x, int64_t dim) {
  check<IndexError>(x.dim() > 0, "unbind: a 0-dim tensor has no dimension: ", dim);
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < x.size(dim); ++i) parts.push_back(select(x, dim, i));
  return parts;
}

Tensor view_as_dtype(const Tensor& x, Dtype dtype) {
  check<DtypeError>(dtype_size(dtype) == dtype_size(x.dtype()), "view_as_dtype: element sizes differ: ", x.dtype(),
                    " and ", dtype);
  Tensor y = x.alias(x.shape(), x.strides(), x.offset());
  y.impl()->dtype = dtype;
  return y;
}

}  // namespace hearth
