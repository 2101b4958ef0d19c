// The extension as a whole.
#pragma once

#include <Python.h>

namespace hearth::python {

/// Runs every file's Binding.
void run_bindings(PyObject* module);

}  // namespace hearth::python
