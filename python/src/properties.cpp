// Attributes of Tensor that come straight from its C++ side.
#include "hearth/core/node.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/view.h"
#include "python/src/autograd.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

template <class F>
PyObject* read(PyObject* self, F f) {
  return guarded([&]() -> PyObject* { return f(unwrap(self)); });
}

PyObject* get_shape(PyObject* self, void*) { return size_object(unwrap(self).shape()); }
PyObject* get_dtype(PyObject* self, void*) { return Py_NewRef(dtype_object(unwrap(self).dtype())); }
PyObject* get_device(PyObject* self, void*) {
  return read(self, [](const Tensor& x) { return device_object(x.device()); });
}
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(unwrap(self).dim()); }
PyObject* get_requires_grad(PyObject* self, void*) { return PyBool_FromLong(unwrap(self).requires_grad()); }
int set_requires_grad(PyObject* self, PyObject* value, void*) {
  return guarded(
      [&]() -> int {
        const int on = value ? PyObject_IsTrue(value) : -1;
        if (on < 0) fail_type("requires_grad: a bool is needed");
        unwrap(self).set_requires_grad(on);
        return 0;
      },
      -1);
}
PyObject* get_is_leaf(PyObject* self, void*) { return PyBool_FromLong(unwrap(self).is_leaf()); }
PyObject* get_grad(PyObject* self, void*) {
  return read(self, [](const Tensor& x) { return wrap(x.grad()); });
}
int set_grad(PyObject* self, PyObject* value, void*) {
  return guarded(
      [&]() -> int {
        const Tensor& x = unwrap(self);
        if (!value || value == Py_None) {
          if (x.grad().defined()) x.set_grad({});
          return 0;
        }
        if (!is_tensor(value)) fail_type("grad: a Tensor or None is needed: got %s", Py_TYPE(value)->tp_name);
        const Tensor& g = unwrap(value);
        check<ValueError>(!g.is_same(x), "grad: a tensor cannot be its own gradient");
        check<DtypeError>(g.dtype() == x.dtype(), "grad: assigned grad has another dtype: ", g.dtype(), " for ",
                          x.dtype());
        check<ShapeError>(g.shape() == x.shape(), "grad: assigned grad has another shape: ", g.shape(), " for ",
                          x.shape());
        x.set_grad(g);
        return 0;
      },
      -1);
}
PyObject* get_grad_fn(PyObject* self, void*) {
  return read(self, [](const Tensor& x) { return node_object(x.grad_fn()); });
}
PyObject* get_output_nr(PyObject* self, void*) {
  const auto& meta = unwrap(self).impl()->meta;
  return PyLong_FromLong(meta ? long(meta->output_index) : 0);
}
PyObject* get_data(PyObject* self, void*) {
  return read(self, [](const Tensor& x) { return wrap(x.data_view()); });
}
/// x.data = y: x takes over y's memory and geometry, its history stays.
int set_data(PyObject* self, PyObject* value, void*) {
  return guarded(
      [&]() -> int {
        if (!value || !is_tensor(value)) fail_type("data: a Tensor is needed");
        TensorImpl& to = *unwrap(self).impl();
        const TensorImpl& from = *unwrap(value).impl();
        to.storage = from.storage;
        to.shape = from.shape;
        to.strides = from.strides;
        to.offset = from.offset;
        to.numel = from.numel;
        to.dtype = from.dtype;
        to.contiguous = from.contiguous;
        return 0;
      },
      -1);
}
PyObject* get_version(PyObject* self, void*) { return PyLong_FromUnsignedLong(unwrap(self).version()); }
PyObject* get_base(PyObject* self, void*) {
  return read(self, [](const Tensor& x) {
    const auto& meta = x.impl()->meta;
    return wrap(meta && meta->view ? meta->view->base : Tensor());
  });
}
PyObject* get_t(PyObject* self, void*) {
  return read(self, [](const Tensor& x) {
    Shape dims;
    for (int d = x.dim() - 1; d >= 0; --d) dims.push_back(d);
    return wrap(permute(x, dims));
  });
}
PyObject* get_retains_grad(PyObject* self, void*) {
  const auto& meta = unwrap(self).impl()->meta;
  return PyBool_FromLong(meta && meta->retain_grad && !unwrap(self).is_leaf());
}

PyGetSetDef properties[] = {
    {"shape", get_shape, nullptr, "Sizes, a torch.Size.", nullptr},
    {"dtype", get_dtype, nullptr, "Element type.", nullptr},
    {"device", get_device, nullptr, "Where the memory lies.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dimensions.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad, "Whether gradients are computed for it.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Whether no op made it, as far as autograd knows.", nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward has added up, or None.", nullptr},
    {"_grad", get_grad, set_grad, nullptr, nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The node that made it, or None.", nullptr},
    {"output_nr", get_output_nr, nullptr, "Which output of its node it is.", nullptr},
    {"data", get_data, set_data, "The same memory without history.", nullptr},
    {"_version", get_version, nullptr, "Number of in-place writes.", nullptr},
    {"_base", get_base, nullptr, "The tensor that this one is a view of, or None.", nullptr},
    {"T", get_t, nullptr, "The dimensions in reverse order.", nullptr},
    {"retains_grad", get_retains_grad, nullptr, "Whether backward keeps the gradient of this non-leaf.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

const Binding binding{[](Module&) {
  auto* type = reinterpret_cast<PyObject*>(tensor_type);
  for (PyGetSetDef* p = properties; p->name; ++p) {
    const Owned descriptor(checked(PyDescr_NewGetSet(tensor_type, p)));
    if (PyObject_SetAttrString(type, p->name, descriptor.get()) < 0) throw_python();
  }
}};

}  // namespace

}  // namespace hearth::python
