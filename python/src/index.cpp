// Reading, writing and walking through x[...].
#include "python/src/index.h"

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/view.h"
#include "python/src/args.h"
#include "python/src/create.h"
#include "python/src/errors.h"
#include "python/src/override.h"
#include "python/src/signature.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

std::optional<int64_t> bound(PyObject* object) {
  if (object == Py_None) return {};
  if (!is_integer(object)) fail_type("slice: bounds must be integers: got %s", Py_TYPE(object)->tp_name);
  // A bound beyond 64 bits means the end.
  const Owned index(checked(PyNumber_Index(object)));
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.get(), &overflow);
  if (overflow) return overflow > 0 ? INT64_MAX : INT64_MIN + 1;
  return value;
}

Slice slice_from(PyObject* object) {
  const auto* slice = reinterpret_cast<PySliceObject*>(object);
  const std::optional<int64_t> step = bound(slice->step);
  check<ValueError>(!step || *step > 0, "slice: step must be greater than zero: ", step.value_or(1));
  return Slice(bound(slice->start), bound(slice->stop), step.value_or(1));
}

/// A nested list of ints or bools, or an array, as an index tensor.
Tensor index_tensor(PyObject* object) {
  const Tensor made = tensor_from_data(object, {}, "index");
  return made.numel() == 0 && made.dtype() != Dtype::boolean ? to(made, Dtype::int64) : made;
}

Index index_from(PyObject* object) {
  if (PyLong_CheckExact(object)) return integer_from(object, "index");
  if (PySlice_Check(object)) return slice_from(object);
  if (object == Py_None) return None;
  if (object == Py_Ellipsis) return Ellipsis;
  if (PyBool_Check(object)) return object == Py_True;
  if (is_tensor(object)) {
    const Tensor& x = unwrap(object);
    const bool integral = is_integral(x.dtype()) && x.dtype() != Dtype::uint8;
    if (x.dim() == 0 && integral && !x.requires_grad()) return x.item_int();
    return x;
  }
  if (PyTuple_Check(object) || PyList_Check(object) || PyObject_CheckBuffer(object)) return index_tensor(object);
  if (PyIndex_Check(object)) return integer_from(object, "index");
  PyErr_Format(PyExc_IndexError,
               "index: integers, slices (`:`), ellipsis (`...`), None and integer or bool tensors are valid: got %s",
               Py_TYPE(object)->tp_name);
  throw_python();
}

/// A list stands for a tuple when something in it is a slice, None, Ellipsis or a tensor (NumPy's old rule, which
/// PyTorch keeps); a list of numbers is an index tensor.
bool list_is_tuple(PyObject* list) {
  const Py_ssize_t count = PyList_GET_SIZE(list);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* item = PyList_GET_ITEM(list, i);
    if (PySlice_Check(item) || item == Py_None || item == Py_Ellipsis) return true;
  }
  return false;
}

PyObject* get(PyObject* object, PyObject* key) {
  PyObject* pair[] = {object, key};
  if (!is_exact_tensor(object) || has_override(pair, 2, nullptr)) {
    if (has_override(pair, 2, nullptr)) {
      const Owned function(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), "__getitem__"));
      return function ? call_override(function.get(), pair, 2, nullptr) : nullptr;
    }
  }
  return guarded([&] {
    const Tensor& x = unwrap(object);
    if (PyLong_CheckExact(key)) {
      check<IndexError>(x.dim() > 0, "index: invalid index of a 0-dim tensor. Use `tensor.item()`");
      return wrap(select(x, 0, integer_from(key, "index")));
    }
    return wrap(index(x, indices_from(key)));
  });
}

int set(PyObject* object, PyObject* key, PyObject* value) {
  if (!value) {
    PyErr_SetString(PyExc_TypeError, "index: Tensor does not support deleting items");
    return -1;
  }
  PyObject* three[] = {object, key, value};
  if (has_override(three, 3, nullptr)) {
    const Owned function(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), "__setitem__"));
    const Owned done(function ? call_override(function.get(), three, 3, nullptr) : nullptr);
    return done ? 0 : -1;
  }
  return guarded(
      [&]() -> int {
        const Tensor& x = unwrap(object);
        const std::vector<Index> indices = indices_from(key);
        if (is_tensor(value))
          index_put_(x, indices, unwrap(value));
        else if (is_number(value))
          index_put_(x, indices, scalar_from(value, "index"));
        else if (PySequence_Check(value))
          index_put_(x, indices, tensor_from_data(value, x.dtype(), "index"));
        else
          fail_type("index: can't assign a %s to a tensor", Py_TYPE(value)->tp_name);
        return 0;
      },
      -1);
}

Py_ssize_t length(PyObject* object) {
  const Tensor& x = unwrap(object);
  if (x.dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
  }
  return Py_ssize_t(x.shape()[0]);
}

PyObject* iterate(PyObject* object) {
  const Tensor& x = unwrap(object);
  if (x.dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "iteration over a 0-d tensor");
    return nullptr;
  }
  const Owned parts(PyObject_CallMethod(object, "unbind", "i", 0));
  return parts ? PyObject_GetIter(parts.get()) : nullptr;
}

int contains(PyObject* object, PyObject* item) {
  if (!is_tensor(item) && !is_number(item)) {
    PyErr_Format(PyExc_RuntimeError, "Tensor.__contains__ only supports Tensor or scalar, but you passed in a %s.",
                 Py_TYPE(item)->tp_name);
    return -1;
  }
  const Owned equal(PyObject_RichCompare(object, item, Py_EQ));
  if (!equal) return -1;
  const Owned any(PyObject_CallMethod(equal.get(), "any", nullptr));
  return any ? PyObject_IsTrue(any.get()) : -1;
}

}  // namespace

std::vector<Index> indices_from(PyObject* key) {
  std::vector<Index> indices;
  const bool many = PyTuple_Check(key) || (PyList_Check(key) && list_is_tuple(key));
  if (!many) {
    indices.push_back(index_from(key));
    return indices;
  }
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(key);
  indices.reserve(size_t(count));
  for (Py_ssize_t i = 0; i < count; ++i) indices.push_back(index_from(PySequence_Fast_GET_ITEM(key, i)));
  return indices;
}

void add_index_slots(std::vector<PyType_Slot>& slots) {
  slots.push_back({Py_mp_subscript, reinterpret_cast<void*>(get)});
  slots.push_back({Py_mp_ass_subscript, reinterpret_cast<void*>(set)});
  slots.push_back({Py_mp_length, reinterpret_cast<void*>(length)});
  slots.push_back({Py_sq_contains, reinterpret_cast<void*>(contains)});
  slots.push_back({Py_tp_iter, reinterpret_cast<void*>(iterate)});
}

}  // namespace hearth::python
