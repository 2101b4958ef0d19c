// Function: the Python object behind every op; one object serves hearth.NAME and Tensor.NAME.
#pragma once

#include <Python.h>

#include "python/src/args.h"

namespace hearth::python {

using Run = PyObject* (*)(Args&);

/// Adds an overload to the function `name` of `holder` (a module or a type), which is made when it is not there.
void add_overload(PyObject* holder, const char* name, const char* signature, Run run, bool inplace);

/// Makes the type, `_C.Function`, and `_C.python_function`, by which Python code makes one of its own.
void make_function_type(PyObject* module);

}  // namespace hearth::python
