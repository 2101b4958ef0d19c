// The state of autocast, per thread, and the casting of arguments.
#include "python/src/autocast.h"

#include "hearth/core/promote.h"
#include "hearth/ops/create.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

thread_local bool autocast_enabled = false;

namespace {

thread_local Dtype lower_dtype = Dtype::bfloat16;

bool is_list(PyObject* object) { return PyTuple_CheckExact(object) || PyList_CheckExact(object); }

template <class F>
void each_tensor(PyObject* value, F f) {
  if (is_tensor(value)) return f(unwrap(value));
  if (!is_list(value)) return;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); ++i)
    if (is_tensor(PySequence_Fast_GET_ITEM(value, i))) f(unwrap(PySequence_Fast_GET_ITEM(value, i)));
}

bool takes_part(const Tensor& x) { return is_floating(x.dtype()) && x.dtype() != Dtype::float64; }

PyObject* cast(PyObject* value, Dtype dtype) {
  if (is_tensor(value)) {
    const Tensor& x = unwrap(value);
    return takes_part(x) && x.dtype() != dtype ? checked(wrap(to(x, dtype))) : Py_NewRef(value);
  }
  if (!is_list(value)) return Py_NewRef(value);
  Owned list(checked(PyList_New(0)));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); ++i) {
    const Owned item(cast(PySequence_Fast_GET_ITEM(value, i), dtype));
    if (PyList_Append(list.get(), item.get()) < 0) throw_python();
  }
  return list.release();
}

PyObject* set_autocast(PyObject*, PyObject* args) {
  int enabled = 0;
  PyObject* dtype = nullptr;
  if (!PyArg_ParseTuple(args, "pO:_set_autocast", &enabled, &dtype)) return nullptr;
  return guarded([&]() -> PyObject* {
    lower_dtype = dtype_from(dtype, "autocast");
    autocast_enabled = enabled;
    Py_RETURN_NONE;
  });
}
PyObject* get_autocast(PyObject*, PyObject*) {
  return Py_BuildValue("(OO)", autocast_enabled ? Py_True : Py_False, dtype_object(lower_dtype));
}

PyMethodDef functions[] = {
    {"_set_autocast", set_autocast, METH_VARARGS, "_set_autocast(enabled, dtype): for this thread."},
    {"_get_autocast", get_autocast, METH_NOARGS, "(enabled, dtype)"},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

void autocast_values(CastPolicy policy, PyObject** values, size_t count, Owned* kept) {
  Dtype dtype = policy == CastPolicy::lower ? lower_dtype : Dtype::float32;
  if (policy == CastPolicy::widest) {
    dtype = lower_dtype;
    for (size_t i = 0; i < count; ++i)
      each_tensor(values[i], [&](const Tensor& x) {
        if (takes_part(x)) dtype = promote_types(dtype, x.dtype());
      });
  }
  for (size_t i = 0; i < count; ++i) {
    kept[i] = Owned(cast(values[i], dtype));
    values[i] = kept[i].get();
  }
}

void add_autocast_functions(PyObject* module) {
  if (PyModule_AddFunctions(module, functions) < 0) throw_python();
}

}  // namespace hearth::python
