// Small Python objects that stand for hearth's values: dtype, device, Size; and their way back.
#pragma once

#include <Python.h>

#include "hearth/core/device.h"
#include "hearth/core/dtype.h"
#include "hearth/core/shape.h"

namespace hearth::python {

/// The one object of a dtype, a borrowed reference; prints as "torch.float32".
PyObject* dtype_object(Dtype dtype);
bool is_dtype(PyObject* object);
/// Also takes Python's own bool, int, float, complex. Raises TypeError.
Dtype dtype_from(PyObject* object, const char* op);

/// New references.
PyObject* device_object(Device device);
bool is_device(PyObject* object);
/// A device object or a text such as "cpu". Raises RuntimeError for an unknown kind, TypeError for another object.
Device device_from(PyObject* object, const char* op);

/// A torch.Size, new reference.
PyObject* size_object(const int64_t* values, int count);
inline PyObject* size_object(const Shape& shape) { return size_object(shape.data(), shape.size()); }

void make_object_types(PyObject* module);

}  // namespace hearth::python
