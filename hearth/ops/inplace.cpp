// In-place writes: how a write moves history from the written view to its base and back.
#include "hearth/ops/inplace.h"

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// A view of `base` with a geometry in elements of `dtype`, which may be the parts of base's complex numbers, or
/// complex numbers made of base's pairs. Offsets count from the start of the storage.
Tensor view_of(const Tensor& base, Dtype dtype, const Shape& shape, const Shape& strides, int64_t offset) {
  if (dtype == base.dtype()) return as_strided(base, shape, strides, offset);
  if (is_complex(base.dtype())) return as_strided(view_as_real(base), shape, strides, offset);
  Shape pairs = shape, steps = strides;
  for (int64_t& step : steps) step *= 2;
  pairs.push_back(2);
  steps.push_back(1);
  return view_as_complex(as_strided(base, pairs, steps, 2 * offset));
}

/// The view's history after its base was written: a view of the base's new history.
void replay_view(TensorImpl& impl) {
  const Tensor base = impl.meta->view->base;
  Tensor fresh;
  {
    EnableGrad guard;
    fresh = view_of(base, impl.dtype, impl.shape, impl.strides, impl.offset);
  }
  const AutogradMeta& meta = *fresh.impl()->meta;
  impl.meta->grad_fn = meta.grad_fn;
  impl.meta->output_index = meta.output_index;
}

void take_history(const Tensor& x, const Ref<Node>& node, uint32_t index) {
  AutogradMeta& meta = x.impl()->autograd();
  meta.grad_fn = node;
  meta.output_index = index;
  meta.requires_grad = false;
  ++meta.history;
}

/// base = base with the view's elements replaced by value, as a node: the view's part of the gradient goes to the
/// value, the rest to what the base was.
void rebase(const Tensor& base, const Tensor& view, const Tensor& value) {
  // A result with the base's metadata, only to carry the node.
  const Tensor carrier = base.detach();
  // Pairs that make complex numbers start at an even place, in the gradient as in the base.
  const bool pairs = is_complex(view.dtype()) && !is_complex(base.dtype());
  const bool parts = !is_complex(view.dtype()) && is_complex(base.dtype());
  const int64_t start = pairs ? base.offset() % 2 : 0, moved = base.offset() - start;
  const int64_t offset = view.offset() - (pairs ? moved / 2 : parts ? moved * 2 : moved);
  record("assign", carrier, {base, value},
         [shape = view.shape(), strides = view.strides(), dtype = view.dtype(), offset, start,
          base_shape = base.shape(), base_strides = base.strides()](const GradContext& c) -> Grads {
           // The gradient gets the base's geometry, so that the view's strides apply to it.
           Tensor dbase = Tensor::empty({[&] {
                                          int64_t last = 1 + start;
                                          for (int d = 0; d < base_shape.size(); ++d)
                                            last += (base_shape[d] - 1) * base_strides[d];
                                          return last;
                                        }()},
                                        c.dy().dtype(), c.dy().device());
           fill_(dbase, 0);
           Tensor placed = as_strided(dbase, base_shape, base_strides, start);
           copy_(placed, c.dy());
           Tensor dvalue;
           if (c.needs(1)) dvalue = clone(view_of(dbase, dtype, shape, strides, offset));
           if (!c.needs(0)) return {Tensor(), dvalue};
           zero_(view_of(dbase, dtype, shape, strides, offset));
           return {clone(as_strided(dbase, base_shape, base_strides, start)), dvalue};
         });
  const AutogradMeta& meta = *carrier.impl()->meta;
  take_history(base, meta.grad_fn, meta.output_index);
}

bool shares_elements(const Tensor& x) {
  for (int d = 0; d < x.dim(); ++d)
    if (x.strides()[d] == 0 && x.shape()[d] > 1) return true;
  return false;
}

}  // namespace

void check_writable(const char* op, const Tensor& x) {
  check<ValueError>(x.storage()->writable(), op, ": memory is read-only (a mapped file); write to a clone");
  check<ValueError>(!shares_elements(x), op,
                    ": several elements share one place in memory (expanded tensor), write to a clone: shape ",
                    x.shape(), ", strides ", x.strides());
  if (!grad_enabled() || !x.requires_grad()) return;
  check<ValueError>(!x.is_leaf(), op, ": a leaf that requires grad must not be written in place; use NoGrad or a copy");
  const AutogradMeta& meta = *x.impl()->meta;
  check<ValueError>(!meta.view || !meta.view->base.is_leaf() || !meta.view->base.requires_grad(), op,
                    ": a view of a leaf that requires grad must not be written in place; use NoGrad or a copy");
}

Tensor snapshot(const Tensor& x) {
  Tensor copy;
  {
    NoGrad guard;
    copy = clone(x);
  }
  if (const Ref<Node> node = x.grad_fn()) {
    AutogradMeta& meta = copy.impl()->autograd();
    meta.grad_fn = node;
    meta.output_index = x.impl()->meta->output_index;
  }
  return copy;
}

const Tensor& assign_(const Tensor& x, const Tensor& value) {
  check_writable("assign_", x);
  check<ShapeError>(x.shape() == value.shape(), "assign_: shapes differ: ", x.shape(), " and ", value.shape());
  check<DtypeError>(x.dtype() == value.dtype(), "assign_: dtypes differ: ", x.dtype(), " and ", value.dtype());
  const bool recording = needs_grad(x, value);
  const Edge value_edge = recording ? gradient_edge(value) : Edge{};
  kernels::copy(x.device(), x, value.storage() == x.storage() ? value.is_same(x) ? x : clone(value.detach()) : value);
  x.bump_version();
  if (!recording) return x;
  set_replay_view(replay_view);
  const AutogradMeta* meta = x.impl()->meta.get();
  if (meta && meta->view) {
    const Tensor base = meta->view->base;
    rebase(base, x, value);
    return x;
  }
  Ref<Node> node = value_edge.node;
  uint32_t index = value_edge.index;
  if (!node) {
    // The value is a leaf, which has no node of its own to take: an identity node stands for the write.
    const Tensor carrier = x.detach();
    record("assign", carrier, {value}, [](const GradContext& c) -> Grads { return {c.dy()}; });
    node = carrier.impl()->meta->grad_fn;
    index = 0;
  }
  take_history(x, node, index);
  return x;
}

const Tensor& copy_(const Tensor& x, const Tensor& src) {
  check_writable("copy_", x);
  return assign_(x, to(expand(src, x.shape()), x.dtype()));
}

const Tensor& fill_(const Tensor& x, const Scalar& value) {
  check_writable("fill_", x);
  if (!needs_grad(x)) {
    kernels::fill(x.device(), x, value);
    x.bump_version();
    return x;
  }
  return assign_(x, full_like(x, value));
}

const Tensor& zero_(const Tensor& x) { return fill_(x, 0); }

}  // namespace hearth
