// Objects of Tensor's subclasses, and aliases that keep history.
#include "hearth/ops/view.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

const Binding binding{[](Module& m) {
  m.def("_wrap_as(cls, data: Tensor)", [](Args& a) -> PyObject* {
    PyObject* type = a.object(0);
    if (!PyType_Check(type) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type), tensor_type))
      fail_type("_wrap_as: a subclass of Tensor is needed");
    Tensor x = a.tensor(1);
    // A tensor has one object: what came as an argument has one already, so the new object gets an alias.
    if (x.impl()->object) x = x.requires_grad() ? as_strided(x, x.shape(), x.strides(), x.offset()) : x.detach();
    return checked(wrap_as(reinterpret_cast<PyTypeObject*>(type), x));
  });
  m.def(
      "alias(input: Tensor)",
      [](Args& a) {
        const Tensor& x = a.tensor(0);
        return as_strided(x, x.shape(), x.strides(), x.offset());
      },
      method_only);
}};

}  // namespace

}  // namespace hearth::python
