// Running a Python backward from the engine, on any thread.
#include "python/src/python_node.h"

#include "python/src/args.h"
#include "python/src/errors.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

Kept::~Kept() {
  // At the interpreter's end there is nobody to give it back to.
  if (!Py_IsInitialized() || _Py_IsFinalizing()) return;
  const HoldGil gil;
  Py_DECREF(object_);
}

Grads PythonNode::backward(const GradContext& context) {
  const HoldGil gil;
  const Owned args(checked(PyTuple_New(Py_ssize_t(context.dys.size()))));
  for (size_t i = 0; i < context.dys.size(); ++i)
    PyTuple_SET_ITEM(args.get(), Py_ssize_t(i), checked(wrap(context.dys[i])));
  const Owned method(checked(PyObject_GetAttrString(context_.get(), "_run_backward")));
  const Owned result(checked(PyObject_Call(method.get(), args.get(), nullptr)));
  PyObject* values[] = {result.get()};
  return Args(name(), values).tensors(0);
}

void PythonNode::release_saved() {
  const HoldGil gil;
  const Owned done(checked(PyObject_CallMethod(context_.get(), "_release", nullptr)));
}

}  // namespace hearth::python
