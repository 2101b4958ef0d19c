// Autocast: inside a block, products take bfloat16 and delicate ops float32, whatever they are given.
#pragma once

#include <Python.h>

#include "hearth/core/dtype.h"
#include "python/src/errors.h"

namespace hearth::python {

/// What an op does with its floating arguments in such a block.
enum class CastPolicy : uint8_t { none, lower, float32, widest };

extern thread_local bool autocast_enabled;

/// Replaces floating tensors (also those in lists) among `values` by casts; `kept` owns what is new.
void autocast_values(CastPolicy policy, PyObject** values, size_t count, Owned* kept);

void add_autocast_functions(PyObject* module);

}  // namespace hearth::python
