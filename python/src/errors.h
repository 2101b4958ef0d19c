// Errors between C++ and Python: hearth's exceptions become Python classes, Python's pass through C++ unharmed.
#pragma once

#include <Python.h>

namespace hearth::python {

/// Throws the pending Python error as a C++ exception (nanobind's, which keeps its traceback).
[[noreturn]] void throw_python();

/// Inside a catch block: makes the exception in flight the pending Python error.
void set_python_error() noexcept;

/// Runs f; an exception becomes a pending Python error and `failure` is returned.
template <class F, class R = PyObject*>
R guarded(F f, R failure = nullptr) {
  try {
    return f();
  } catch (...) {
    set_python_error();
    return failure;
  }
}

/// Raises TypeError: "op: rule broken: what was seen".
[[noreturn]] void fail_type(const char* format, ...);

/// A new reference that is known to be good: throws when null.
inline PyObject* checked(PyObject* object) {
  if (!object) throw_python();
  return object;
}

/// Owns one reference.
class Owned {
 public:
  Owned() = default;
  explicit Owned(PyObject* object) : object_(object) {}
  Owned(Owned&& other) noexcept : object_(other.release()) {}
  Owned& operator=(Owned&& other) noexcept {
    Py_XDECREF(object_);
    object_ = other.release();
    return *this;
  }
  ~Owned() { Py_XDECREF(object_); }
  PyObject* get() const { return object_; }
  PyObject* release() {
    PyObject* object = object_;
    object_ = nullptr;
    return object;
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

/// Makes the Python classes of hearth's error kinds and puts them into the module.
void make_error_types(PyObject* module);

}  // namespace hearth::python
