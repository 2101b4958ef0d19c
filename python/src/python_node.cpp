// Running a Python backward from the engine, on any thread.
#include "python/src/python_node.h"

#include "python/src/args.h"
#include "python/src/autograd.h"
#include "python/src/errors.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

Kept::~Kept() {
  // At the interpreter's end there is nobody to give it back to.
  if (!Py_IsInitialized() || _Py_IsFinalizing()) return;
  const HoldGil gil;
  Py_DECREF(object_);
}

namespace {

/// While backward runs, the context knows its node: it must not own it longer, because the node owns the context.
class Running {
 public:
  Running(PyObject* context, Node* node) : context_(context) {
    const Owned object(checked(node_object(Ref<Node>(node))));
    if (PyObject_SetAttrString(context_, "_running", object.get()) < 0) throw_python();
  }
  ~Running() {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (PyObject_SetAttrString(context_, "_running", Py_None) < 0) PyErr_Clear();
    PyErr_Restore(type, value, trace);
  }

 private:
  PyObject* context_;
};

}  // namespace

Grads PythonNode::backward(const GradContext& context) {
  const HoldGil gil;
  const Running running(context_.get(), this);
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
