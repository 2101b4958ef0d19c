// Masks and coordinates of what is not zero.
#include "hearth/ops/mask.h"

#include "hearth/ops/view.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding binding{[](Module& m) {
  m.def(
      "masked_select(input: Tensor, mask: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return masked_select(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "masked_fill(input: Tensor, mask: Tensor, value: any)",
      [](Args& a) {
        if (a.is_tensor(2)) return masked_fill(a.tensor(0), a.tensor(1), a.tensor(2));
        return masked_fill(a.tensor(0), a.tensor(1), a.number(2));
      },
      method);
  m.def(
      "masked_fill_(input: Tensor, mask: Tensor, value: any)",
      [](Args& a) {
        if (a.is_tensor(2))
          masked_fill_(a.tensor(0), a.tensor(1), a.tensor(2));
        else
          masked_fill_(a.tensor(0), a.tensor(1), a.number(2));
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "masked_scatter(input: Tensor, mask: Tensor, source: Tensor)",
      [](Args& a) { return masked_scatter(a.tensor(0), a.tensor(1), a.tensor(2)); }, method);
  m.def(
      "masked_scatter_(input: Tensor, mask: Tensor, source: Tensor)",
      [](Args& a) {
        masked_scatter_(a.tensor(0), a.tensor(1), a.tensor(2));
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor? = None)",
      [](Args& a) -> PyObject* {
        const Tensor& x = a.tensor(0);
        if (!a.flag(1)) return to_python(nonzero(x));
        return to_python(unbind(nonzero(x.dim() ? x : reshape(x, {1})), 1));
      },
      method);
  m.def(
      "argwhere(input: Tensor)", [](Args& a) { return nonzero(a.tensor(0)); }, method);
}};

}  // namespace

}  // namespace hearth::python
