// PythonNode: a step of the graph whose backward is a Python object's method.
#pragma once

#include <Python.h>

#include <string>

#include "hearth/core/node.h"

namespace hearth::python {

/// Holds the interpreter for a scope, from any thread.
class HoldGil {
 public:
  HoldGil() : state_(PyGILState_Ensure()) {}
  ~HoldGil() { PyGILState_Release(state_); }
  HoldGil(const HoldGil&) = delete;
  HoldGil& operator=(const HoldGil&) = delete;

 private:
  PyGILState_STATE state_;
};

/// A Python object that C++ code keeps, from threads that may not hold the interpreter.
class Kept {
 public:
  explicit Kept(PyObject* object) : object_(Py_NewRef(object)) {}
  ~Kept();
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  PyObject* get() const { return object_; }

 private:
  PyObject* object_;
};

class PythonNode final : public Node {
 public:
  /// `context` has the methods `_run_backward(*gradients)`, which gives a tuple (a tensor or None for each input), and
  /// `_release()`.
  PythonNode(std::string name, PyObject* context) : Node(nullptr), text_(std::move(name)), context_(context) {
    rename(text_.c_str());
  }
  Grads backward(const GradContext& context) override;
  void release_saved() override;
  PyObject* context() const { return context_.get(); }

 private:
  std::string text_;
  Kept context_;
};

}  // namespace hearth::python
