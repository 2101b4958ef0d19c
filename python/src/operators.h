// Operators of Tensor: the number slots, comparisons, truth and conversion to Python numbers.
#pragma once

#include <Python.h>

#include <vector>

namespace hearth::python {

void add_operator_slots(std::vector<PyType_Slot>& slots);

}  // namespace hearth::python
