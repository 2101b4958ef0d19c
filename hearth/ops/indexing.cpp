// Indexing: basic entries become views, the rest becomes one row selection over a linear index.
#include "hearth/ops/indexing.h"

#include <algorithm>
#include <limits>

#include "hearth/backend/kernels/index.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

bool is_mask(const Tensor& t) { return t.dtype() == Dtype::boolean || t.dtype() == Dtype::uint8; }

/// Dimensions of x that an entry uses up.
int consumed(const Index& index) {
  const Index::Value& v = index.value();
  if (const Tensor* t = std::get_if<Tensor>(&v)) {
    check<IndexError>(t->defined(), "index: an index tensor is undefined");
    return is_mask(*t) ? t->dim() : 1;
  }
  return std::holds_alternative<Slice>(v) || std::holds_alternative<int64_t>(v) ? 1 : 0;
}

/// x after the basic entries, and the tensors that remain, one slot per dimension of it.
struct Split {
  Tensor basic;
  std::vector<Tensor> tensors;
  bool has_tensors = false;
};

/// Applies entries from left to right; `dim` is where the next one acts.
class Splitter {
 public:
  Splitter(const Tensor& x, int free) : free_(free) { split_.basic = x; }

  void operator()(NoneIndex) { split_.basic = unsqueeze(split_.basic, dim_++); }
  void operator()(EllipsisIndex) { dim_ += free_; }
  void operator()(const Slice& s) {
    check<ValueError>(s.step > 0, "index: slice step must be positive: ", s.step);
    const int64_t end = s.end.value_or(std::numeric_limits<int64_t>::max());
    // A step beyond the size takes one element, whatever it is.
    const int64_t step = std::min(s.step, std::max<int64_t>(split_.basic.size(dim_), 1));
    if (s.start || s.end || s.step != 1) split_.basic = slice(split_.basic, dim_, s.start.value_or(0), end, step);
    ++dim_;
  }
  void operator()(int64_t i) { split_.basic = select(split_.basic, dim_, i); }
  void operator()(bool flag) {
    split_.basic = unsqueeze(split_.basic, dim_);
    place(flag ? zeros({1}, Dtype::int64) : zeros({0}, Dtype::int64));
  }
  void operator()(const Tensor& t) {
    if (t.dim() == 0) return is_mask(t) ? (*this)(t.item_int() != 0) : (*this)(t.item_int());
    if (!is_mask(t)) {
      check<DtypeError>(is_integral(t.dtype()), "index: an index tensor must be integral or bool: ", t.dtype());
      return place(t);
    }
    const Shape& shape = split_.basic.shape();
    for (int d = 0; d < t.dim(); ++d)
      check<IndexError>(t.shape()[d] == shape[dim_ + d], "index: mask ", t.shape(), " does not fit dimension ",
                        dim_ + d, " of ", shape);
    const Tensor coordinates = nonzero(t);
    for (int d = 0; d < t.dim(); ++d) place(select(coordinates, 1, d));
  }

  Split finish() {
    split_.tensors.resize(size_t(split_.basic.dim()));
    return std::move(split_);
  }

 private:
  void place(const Tensor& t) {
    split_.tensors.resize(size_t(dim_));
    split_.tensors.push_back(t);
    split_.has_tensors = true;
    ++dim_;
  }

  Split split_;
  int free_;
  int dim_ = 0;
};

Split split_indices(const Tensor& x, const std::vector<Index>& indices) {
  int used = 0, ellipses = 0;
  for (const Index& i : indices) {
    used += consumed(i);
    ellipses += std::holds_alternative<EllipsisIndex>(i.value());
  }
  check<IndexError>(ellipses <= 1, "index: only one Ellipsis is allowed");
  check<IndexError>(used <= x.dim(), "index: too many indices: ", used, " for a tensor of ", x.dim(), " dimensions");
  Splitter splitter(x, x.dim() - used);
  for (const Index& i : indices) std::visit([&](const auto& value) { splitter(value); }, i.value());
  return splitter.finish();
}

/// How tensors index x: x permuted by `order` (identity when the indexed dimensions are neighbours), seen as
/// [lead..., product of the indexed sizes, tail...] and indexed at dimension `first`.
struct Plan {
  Shape order, inverse;
  bool permuted = false;
  int first = 0;
  Shape folded;     ///< shape of the permuted x with the indexed dimensions made one
  Tensor linear;    ///< int64 [count]
  Shape broadcast;  ///< of the index tensors
  Shape result;     ///< of x[indices]
};

std::vector<int> indexed_dims(const std::vector<Tensor>& tensors) {
  std::vector<int> dims;
  for (size_t d = 0; d < tensors.size(); ++d)
    if (tensors[d].defined()) dims.push_back(int(d));
  return dims;
}

/// The position of each selected cell among the indexed dimensions.
Tensor linear_index(const Tensor& x, const std::vector<Tensor>& tensors, const std::vector<int>& dims,
                    const Shape& shape) {
  Tensor linear;
  for (int d : dims) {
    const int64_t size = x.shape()[d];
    const Tensor at = expand(checked_index("index", tensors[size_t(d)], d, size, true), shape);
    linear = linear.defined() ? add(mul(linear, size), at) : at;
  }
  return reshape(linear, {linear.numel()});
}

Plan make_plan(const Tensor& x, const std::vector<Tensor>& tensors) {
  NoGrad guard;
  Plan plan;
  const std::vector<int> dims = indexed_dims(tensors);
  for (int d : dims) {
    const Shape& shape = tensors[size_t(d)].shape();
    plan.broadcast = d == dims[0] ? shape : broadcast_shapes("index", plan.broadcast, shape);
  }
  plan.linear = linear_index(x, tensors, dims, plan.broadcast);
  const int count = int(dims.size());
  plan.permuted = dims.back() - dims.front() + 1 != count;
  plan.first = plan.permuted ? 0 : dims.front();
  if (plan.permuted)
    for (int d : dims) plan.order.push_back(d);
  for (int d = 0; d < x.dim(); ++d)
    if (!plan.permuted || !tensors[size_t(d)].defined()) plan.order.push_back(d);
  plan.inverse = plan.order;
  for (int d = 0; d < x.dim(); ++d) plan.inverse[int(plan.order[d])] = d;
  for (int d = 0; d < x.dim(); ++d) {
    const int64_t size = x.shape()[int(plan.order[d])];
    if (d == plan.first) {
      int64_t cells = 1;
      for (int i = 0; i < count; ++i) cells *= x.shape()[int(plan.order[d + i])];
      plan.folded.push_back(cells);
      for (int64_t s : plan.broadcast) plan.result.push_back(s);
    } else if (d < plan.first || d >= plan.first + count) {
      plan.folded.push_back(size);
      plan.result.push_back(size);
    }
  }
  return plan;
}

Tensor folded(const Tensor& x, const Plan& plan) {
  return reshape(plan.permuted ? permute(x, plan.order) : x, plan.folded);
}

/// `value` broadcast to the selected cells, as [lead..., count, tail...].
Tensor folded_value(const Tensor& value, const Plan& plan) {
  Tensor v = value;
  while (v.dim() > plan.result.size() && v.shape()[0] == 1) v = squeeze(v, 0);
  check<ShapeError>(
      v.dim() <= plan.result.size() && broadcast_shapes("index_put", v.shape(), plan.result) == plan.result,
      "index_put: value does not fit: value ", value.shape(), ", selected ", plan.result);
  Shape shape = plan.folded;
  shape[plan.first] = plan.linear.numel();
  return reshape(expand(v, plan.result), shape);
}

Tensor put(const Tensor& x, const Plan& plan, const Tensor& value, bool accumulate) {
  const Tensor from = folded(x, plan), src = folded_value(value, plan);
  const Tensor y =
      accumulate ? index_add(from, plan.first, plan.linear, src) : index_copy(from, plan.first, plan.linear, src);
  if (!plan.permuted) return reshape(y, x.shape());
  Shape shape = x.shape();
  for (int d = 0; d < x.dim(); ++d) shape[d] = x.shape()[int(plan.order[d])];
  return permute(reshape(y, shape), plan.inverse);
}

/// Writes the selected cells only; x contiguous, nothing to record.
void put_directly(const Tensor& x, const Plan& plan, const Tensor& value, bool accumulate) {
  NoGrad guard;
  const Tensor src = folded_value(value.storage() == x.storage() ? clone(value) : value, plan);
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < plan.first; ++d) outer *= plan.folded[d];
  for (int d = plan.first + 1; d < plan.folded.size(); ++d) inner *= plan.folded[d];
  const Tensor cells = reshape(x.detach(), {outer, plan.folded[plan.first], inner});
  kernels::index_write(x.device(), accumulate ? kernels::WriteOp::add : kernels::WriteOp::assign, cells, plan.linear,
                       reshape(src, {outer, plan.linear.numel(), inner}));
  x.bump_version();
}

}  // namespace

Tensor index(const Tensor& x, const std::vector<Index>& indices) {
  const Split split = split_indices(x, indices);
  // A full slice is still a view of its own, not the same handle.
  if (!split.has_tensors) return split.basic.is_same(x) ? expand(x, x.shape()) : split.basic;
  const Plan plan = make_plan(split.basic, split.tensors);
  return reshape(index_select(folded(split.basic, plan), plan.first, plan.linear), plan.result);
}

const Tensor& index_put_(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate) {
  check_writable("index_put_", x);
  const Split split = split_indices(x, indices);
  const Tensor& target = split.basic;
  const Tensor src = to(value, x.dtype());
  if (!split.has_tensors) {
    Tensor v = src;
    while (v.dim() > target.dim() && v.shape()[0] == 1) v = squeeze(v, 0);
    accumulate ? add_(target, v) : copy_(target, v);
    return x;
  }
  const Plan plan = make_plan(target, split.tensors);
  const bool recording = grad_enabled() && (x.requires_grad() || src.requires_grad());
  if (!recording && !plan.permuted && target.is_contiguous()) {
    put_directly(target, plan, src, accumulate);
    return x;
  }
  apply_(target, "index_put_", [&](const Tensor& old) { return put(old, plan, src, accumulate); });
  return x;
}

const Tensor& index_put_(const Tensor& x, const std::vector<Index>& indices, const Scalar& value, bool accumulate) {
  return index_put_(x, indices, scalar_tensor(value, x.dtype()), accumulate);
}

Tensor index_put(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate) {
  const Tensor y = clone(x);
  index_put_(y, indices, value, accumulate);
  return y;
}

}  // namespace hearth
