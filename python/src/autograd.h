// Autograd for Python: nodes as objects.
#pragma once

#include <Python.h>

#include "hearth/core/node.h"

namespace hearth::python {

/// A new reference to the object of a node, the same one while it lives; None for no node.
PyObject* node_object(const Ref<Node>& node);
/// The node of such an object. Raises TypeError for another one.
Ref<Node> node_from(PyObject* object);

}  // namespace hearth::python
