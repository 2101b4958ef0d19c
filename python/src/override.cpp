// Finding who wants to take a call over, and handing it to hearth/overrides.py.
#include "python/src/override.h"

#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

thread_local int disabled = 0;  ///< depth of blocks in which subclasses are treated as plain tensors
int modes = 0;                  ///< how many modes are on, in all threads
PyObject* dispatcher = nullptr;
PyObject* attribute = nullptr;  ///< "__torch_function__"

bool takes_over(PyObject* object, bool look_inside) {
  PyTypeObject* type = Py_TYPE(object);
  if (is_exact_tensor(object) || type == &PyLong_Type || type == &PyFloat_Type || type == &PyBool_Type ||
      object == Py_None || type == &PyUnicode_Type)
    return false;
  if (type == &PyTuple_Type || type == &PyList_Type) {
    if (!look_inside) return false;
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    for (Py_ssize_t i = 0; i < count; ++i)
      if (takes_over(PySequence_Fast_GET_ITEM(object, i), false)) return true;
    return false;
  }
  if (is_tensor(object)) return true;
  if (is_dtype(object) || is_device(object) || !(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return false;
  return PyObject_HasAttr(reinterpret_cast<PyObject*>(type), attribute);
}

PyObject* set_disabled(PyObject*, PyObject* depth) {
  disabled += int(PyLong_AsLong(depth));
  Py_RETURN_NONE;
}
PyObject* set_modes(PyObject*, PyObject* depth) {
  modes += int(PyLong_AsLong(depth));
  Py_RETURN_NONE;
}
PyObject* set_dispatcher(PyObject*, PyObject* function) {
  Py_XSETREF(dispatcher, Py_NewRef(function));
  Py_RETURN_NONE;
}
PyObject* set_parameter_type(PyObject*, PyObject* type) {
  parameter_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type));
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {{"_disable_overrides", set_disabled, METH_O, "Adds to the depth of plain blocks."},
                           {"_count_modes", set_modes, METH_O, "Adds to the number of modes that are on."},
                           {"_set_dispatcher", set_dispatcher, METH_O, nullptr},
                           {"_set_parameter_type", set_parameter_type, METH_O, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool has_override(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (disabled) return false;
  if (modes) return true;
  const Py_ssize_t count = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  for (Py_ssize_t i = 0; i < count; ++i)
    if (takes_over(args[i], true)) return true;
  return false;
}

bool has_override(PyObject* a, PyObject* b) {
  return !disabled && (modes || takes_over(a, false) || takes_over(b, false));
}

PyObject* call_override(PyObject* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  if (!dispatcher) {
    PyErr_SetString(PyExc_RuntimeError, "hearth._C: loaded without the hearth package");
    return nullptr;
  }
  const Owned positional(PyTuple_New(nargs));
  const Owned named(PyDict_New());
  if (!positional || !named) return nullptr;
  for (Py_ssize_t i = 0; i < nargs; ++i) PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
  for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); ++i)
    if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(kwnames, i), args[nargs + i]) < 0) return nullptr;
  return PyObject_CallFunctionObjArgs(dispatcher, function, positional.get(), named.get(), nullptr);
}

void add_override_functions(PyObject* module) {
  attribute = checked(PyUnicode_InternFromString("__torch_function__"));
  if (PyModule_AddFunctions(module, functions) < 0) throw_python();
}

}  // namespace hearth::python
