// fill and zero_: one value everywhere.
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/view.h"
#include "python/src/operands.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

const Tensor& checked_value(Args& a) {
  const Tensor& value = a.tensor(1);
  check<ShapeError>(value.dim() == 0, a.op(), " only supports 0-dimension value tensor but got tensor with ",
                    value.dim(), " dimensions");
  return value;
}

/// y with a gradient of zeros for x.
Tensor instead_of(const Tensor& y, const Tensor& x) {
  if (!needs_grad(x)) return y;
  return record("fill", y, {x}, [](const GradContext& c) -> Grads { return {zeros_like(c.dy())}; });
}

const Binding binding{[](Module& m) {
  m.def(
      "fill(input: Tensor, value: Tensor)",
      [](Args& a) {
        const Tensor& x = a.tensor(0);
        const Tensor filled = clone(expand(to(checked_value(a), x.dtype()), x.shape()));
        return needs_grad(checked_value(a)) ? filled : instead_of(filled, x);
      },
      method);
  m.def(
      "fill(input: Tensor, value: Number)",
      [](Args& a) { return instead_of(full_like(a.tensor(0), a.number(1)), a.tensor(0)); }, method);
  m.def(
      "fill_(input: Tensor, value: Tensor)",
      [](Args& a) {
        copy_(a.tensor(0), expand(checked_value(a), a.tensor(0).shape()));
        return Py_NewRef(a.object(0));
      },
      method);
  m.def(
      "fill_(input: Tensor, value: Number)",
      [](Args& a) {
        fill_(a.tensor(0), a.number(1));
        return Py_NewRef(a.object(0));
      },
      method);
  m.def(
      "copy_(input: Tensor, src: Tensor, non_blocking: bool = False)",
      [](Args& a) {
        copy_(a.tensor(0), a.tensor(1));
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "zero_(input: Tensor)",
      [](Args& a) {
        zero_(a.tensor(0));
        return Py_NewRef(a.object(0));
      },
      method);
}};

}  // namespace

}  // namespace hearth::python
