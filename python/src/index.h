// x[...]: Python's index expressions as hearth's.
#pragma once

#include <Python.h>

#include <vector>

#include "hearth/ops/indexing.h"

namespace hearth::python {

/// What stands between the brackets. Raises IndexError, TypeError.
std::vector<Index> indices_from(PyObject* key);

void add_index_slots(std::vector<PyType_Slot>& slots);

}  // namespace hearth::python
