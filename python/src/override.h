// Overrides: subclasses of Tensor and modes that take over calls through __torch_function__.
#pragma once

#include <Python.h>

namespace hearth::python {

/// Whether some argument (or an item of a list) is a tensor subclass or another object with __torch_function__, or a
/// mode is on.
bool has_override(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);

/// Hands the call to hearth.overrides._dispatch(function, args, kwargs).
PyObject* call_override(PyObject* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);

/// Whether a binary operator's operands need the same.
bool has_override(PyObject* a, PyObject* b);

void add_override_functions(PyObject* module);

}  // namespace hearth::python
