// The two hot paths of hearth.nn.Module, calling it and reading its parameters, as slots of its Python classes.
#include <Python.h>

#include "python/src/binding.h"
#include "python/src/errors.h"

extern "C" {
// Exported by CPython, declared in its internal headers in some versions.
PyObject* _PyObject_GenericGetAttrWithDict(PyObject*, PyObject*, PyObject*, int);
PyObject* _PyType_Lookup(PyTypeObject*, PyObject*);
}

namespace hearth::python {

namespace {

struct Names {
  PyObject *getattr, *getattribute, *call, *forward, *slow_call;
  PyObject* tables[3];                                  ///< where attributes that are no plain ones live
  PyObject* hooks[4];                                   ///< the dicts that make a call take the long way
  PyObject* global_hooks;                               ///< a tuple of such dicts for all modules
  PyObject *own_getattr, *own_getattribute, *own_call;  ///< what Module itself defines
};
Names names{};

PyObject* intern(const char* text) { return checked(PyUnicode_InternFromString(text)); }

/// A borrowed value, or null; dicts of a user's own class are asked through their own method.
PyObject* look_up(PyObject* table, PyObject* name, Owned& keep) {
  if (PyDict_CheckExact(table) || PyODict_CheckExact(table)) return PyDict_GetItemWithError(table, name);
  keep = Owned(PyObject_GetItem(table, name));
  if (!keep && (PyErr_ExceptionMatches(PyExc_KeyError) || PyErr_ExceptionMatches(PyExc_TypeError))) PyErr_Clear();
  return keep.get();
}

/// self.NAME: as for any object, then parameters, buffers, submodules.
PyObject* get_attribute(PyObject* self, PyObject* name) {
  PyObject* plain = _PyObject_GenericGetAttrWithDict(self, name, nullptr, 1);
  if (plain || PyErr_Occurred()) return plain;
  const Owned dict(PyObject_GenericGetDict(self, nullptr));
  if (!dict) return nullptr;
  for (PyObject* table_name : names.tables) {
    PyObject* table = PyDict_GetItemWithError(dict.get(), table_name);
    if (!table) {
      if (PyErr_Occurred()) return nullptr;
      continue;
    }
    Owned keep;
    PyObject* value = look_up(table, name, keep);
    if (value) return Py_NewRef(value);
    if (PyErr_Occurred()) return nullptr;
  }
  PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", Py_TYPE(self)->tp_name, name);
  return nullptr;
}

bool is_empty(PyObject* hooks) { return hooks && PyDict_Check(hooks) && PyDict_GET_SIZE(hooks) == 0; }

bool has_hooks(PyObject* dict) {
  for (PyObject* name : names.hooks)
    if (!is_empty(PyDict_GetItemWithError(dict, name))) return true;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.global_hooks); ++i)
    if (!is_empty(PyTuple_GET_ITEM(names.global_hooks, i))) return true;
  return PyErr_Occurred() != nullptr;
}

/// self(...): forward right away when there are no hooks.
PyObject* call(PyObject* self, PyObject* args, PyObject* kwargs) {
  const Owned dict(PyObject_GenericGetDict(self, nullptr));
  if (!dict) return nullptr;
  const bool hooked = has_hooks(dict.get());
  if (PyErr_Occurred()) return nullptr;
  const Owned function(PyObject_GetAttr(self, hooked ? names.slow_call : names.forward));
  return function ? PyObject_Call(function.get(), args, kwargs) : nullptr;
}

/// Gives a class the slots above where it has not overridden what they do. Python resets a slot by itself when a
/// class is given such a method later.
PyObject* set_slots(PyObject*, PyObject* object) {
  if (!PyType_Check(object)) {
    PyErr_SetString(PyExc_TypeError, "_set_module_slots: a class is needed");
    return nullptr;
  }
  auto* type = reinterpret_cast<PyTypeObject*>(object);
  if (_PyType_Lookup(type, names.getattr) == names.own_getattr &&
      _PyType_Lookup(type, names.getattribute) == names.own_getattribute)
    type->tp_getattro = get_attribute;
  if (_PyType_Lookup(type, names.call) == names.own_call) type->tp_call = call;
  Py_RETURN_NONE;
}

/// Takes Module itself and the tuple of its global hook dicts.
PyObject* prepare(PyObject* self, PyObject* args) {
  PyObject *base = nullptr, *global_hooks = nullptr;
  if (!PyArg_ParseTuple(args, "O!O!", &PyType_Type, &base, &PyTuple_Type, &global_hooks)) return nullptr;
  auto* type = reinterpret_cast<PyTypeObject*>(base);
  Py_XSETREF(names.global_hooks, Py_NewRef(global_hooks));
  Py_XSETREF(names.own_getattr, Py_XNewRef(_PyType_Lookup(type, names.getattr)));
  Py_XSETREF(names.own_getattribute, Py_XNewRef(_PyType_Lookup(type, names.getattribute)));
  Py_XSETREF(names.own_call, Py_XNewRef(_PyType_Lookup(type, names.call)));
  return set_slots(self, base);
}

PyMethodDef functions[] = {
    {"_prepare_module", prepare, METH_VARARGS, "Takes the class Module and the dicts of hooks for all modules."},
    {"_set_module_slots", set_slots, METH_O, "Makes a subclass of Module quick to call and to read."},
    {nullptr, nullptr, 0, nullptr}};

const Binding binding{[](Module& m) {
  names.getattr = intern("__getattr__");
  names.getattribute = intern("__getattribute__");
  names.call = intern("__call__");
  names.forward = intern("forward");
  names.slow_call = intern("_call_impl");
  const char* tables[] = {"_parameters", "_buffers", "_modules"};
  for (int i = 0; i < 3; ++i) names.tables[i] = intern(tables[i]);
  const char* hooks[] = {"_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"};
  for (int i = 0; i < 4; ++i) names.hooks[i] = intern(hooks[i]);
  if (PyModule_AddFunctions(m.object(), functions) < 0) throw_python();
}};

}  // namespace

}  // namespace hearth::python
