// Tensors from Python data: numbers, nested sequences, arrays.
#pragma once

#include <Python.h>

#include <optional>

#include "hearth/core/tensor.h"

namespace hearth::python {

/// A new contiguous tensor with a copy of `data`: a number, nested lists or tuples (of numbers or one-element
/// tensors), a tensor, or an object with the buffer protocol. Without `dtype` the data decide: bool, int64, the default
/// floating type or its complex twin. Raises TypeError, ValueError for ragged lists.
Tensor tensor_from_data(PyObject* data, std::optional<Dtype> dtype, const char* op);

/// Shares the memory of an object with the buffer protocol, which stays alive as long as the tensor. Raises TypeError
/// for element types that hearth lacks, ValueError for negative strides.
Tensor tensor_from_buffer(PyObject* object, const char* op);

}  // namespace hearth::python
