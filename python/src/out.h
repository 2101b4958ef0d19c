// out=: writing an op's result into a tensor of the caller.
#pragma once

#include <Python.h>

#include <functional>

#include "hearth/core/dtype.h"
#include "python/src/signature.h"

namespace hearth::python {

/// Raises DtypeError unless a result of dtype `from` may be written into `to`: complex not into real, floating not into
/// integral, nothing else into bool.
void check_castable(const char* op, Dtype from, Dtype to);

/// Runs the op without recording and writes what it returns into values[signature.out] (a tensor, or one a result),
/// which gets the result's shape. Returns what was given as out.
PyObject* run_with_out(const Signature& signature, PyObject** values, const std::function<PyObject*()>& run);

}  // namespace hearth::python
