// Complex numbers: parts, pairs, phases, conjugates.
#include "hearth/ops/complex.h"

#include "hearth/ops/create.h"
#include "python/src/errors.h"
#include "python/src/operands.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

/// A real tensor's own object, the conjugate of a complex one.
PyObject* conjugated(Args& a) {
  return is_complex(a.tensor(0).dtype()) ? wrap(conj(a.tensor(0))) : Py_NewRef(a.object(0));
}

const Binding binding{[](Module& m) {
  m.def("real(input: Tensor)", [](Args& a) -> PyObject* {
    return is_complex(a.tensor(0).dtype()) ? wrap(real(a.tensor(0))) : Py_NewRef(a.object(0));
  });
  m.def("imag(input: Tensor)", [](Args& a) { return imag(a.tensor(0)); });
  m.def("view_as_real(input: Tensor)", [](Args& a) { return view_as_real(a.tensor(0)); });
  m.def("view_as_complex(input: Tensor)", [](Args& a) { return view_as_complex(a.tensor(0)); });
  m.def(
      "conj(input: Tensor)", [](Args& a) { return conjugated(a); }, method);
  m.def(
      "conj_physical(input: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return is_complex(a.tensor(0).dtype()) ? conj(a.tensor(0)) : clone(a.tensor(0)); },
      method | inplace);
  // Conjugates and negatives are always written out, so there is nothing to resolve.
  m.def(
      "resolve_conj(input: Tensor)", [](Args& a) { return Py_NewRef(a.object(0)); }, method);
  m.def(
      "resolve_neg(input: Tensor)", [](Args& a) { return Py_NewRef(a.object(0)); }, method);
  m.def(
      "is_conj(input: Tensor)", [](Args&) { return false; }, method);
  m.def(
      "is_neg(input: Tensor)", [](Args&) { return false; }, method);
  m.def("complex(real: Tensor, imag: Tensor, *, out: Tensor? = None)",
        [](Args& a) { return complex(a.tensor(0), a.tensor(1)); });
  m.def("polar(abs: Tensor, angle: Tensor, *, out: Tensor? = None)",
        [](Args& a) { return polar(a.tensor(0), a.tensor(1)); });
  def_unary<angle>(m, "angle", method);
}};

}  // namespace

}  // namespace hearth::python
