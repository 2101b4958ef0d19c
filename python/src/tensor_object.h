// The Python object of a tensor: one small struct that holds the handle, and how to go from one to the other.
#pragma once

#include <Python.h>

#include "hearth/core/tensor.h"

namespace hearth::python {

struct TensorObject {
  PyObject_HEAD;
  Tensor tensor;
  PyObject* dict;  ///< attributes that a program sets, made on first use
  PyObject* weakrefs;
};

/// `hearth.Tensor` and the subclass `Parameter` (null until hearth.nn is loaded); neither overrides __torch_function__.
extern PyTypeObject* tensor_type;
extern PyTypeObject* parameter_type;

inline bool is_exact_tensor(PyObject* object) {
  return Py_TYPE(object) == tensor_type || Py_TYPE(object) == parameter_type;
}
inline bool is_tensor(PyObject* object) {
  return is_exact_tensor(object) || PyType_IsSubtype(Py_TYPE(object), tensor_type);
}
inline const Tensor& unwrap(PyObject* object) { return reinterpret_cast<TensorObject*>(object)->tensor; }

/// A new reference to the object of `tensor`: the same one as long as it lives. None for an undefined tensor.
PyObject* wrap(const Tensor& tensor);
/// A new object of a subclass. Raises through Python (returns null) when the tensor has an object already.
PyObject* wrap_as(PyTypeObject* type, const Tensor& tensor);

/// Makes the type and puts it into the module as "Tensor".
void make_tensor_type(PyObject* module);

}  // namespace hearth::python
