// Python's Generator object and the C++ generator inside.
#pragma once

#include <Python.h>

#include "hearth/core/random.h"

namespace hearth::python {

/// Raises TypeError when `object` is no Generator.
Generator* generator_from(PyObject* object, const char* op);

}  // namespace hearth::python
