// Binding: how a file adds its ops to the extension; the order of the files does not matter.
#pragma once

#include <nanobind/nanobind.h>

#include <utility>
#include <vector>

#include "hearth/ops/reduce.h"
#include "python/src/args.h"

namespace hearth::python {

/// Which faces an op has besides hearth.NAME.
enum Faces : uint8_t {
  function_only = 0,
  method = 1,       ///< also Tensor.NAME
  inplace = 2,      ///< also Tensor.NAME_ and hearth.NAME_, made from the op by apply_
  method_only = 4,  ///< Tensor.NAME, not hearth.NAME
};

// What an op may return, as new references.
PyObject* to_python(const Tensor& value);
PyObject* to_python(const TensorList& values);  ///< a tuple
PyObject* to_python(const std::pair<Tensor, Tensor>& values);
PyObject* to_python(bool value);
PyObject* to_python(int64_t value);
PyObject* to_python(double value);
PyObject* to_python(Dtype value);
inline PyObject* to_python(PyObject* value) { return value; }

/// Several tensors with names, shown as torch.return_types.NAME(field=...). `name` and `fields` must be literals.
struct Named {
  const char* name;
  std::vector<const char*> fields;
  TensorList values;
};
PyObject* to_python(const Named& values);
/// The type torch.return_types.NAME with these fields, made at its first use; a borrowed reference.
PyObject* return_type(const std::string& name, const std::vector<const char*>& fields);
inline PyObject* to_python(const char* name, const ValueIndex& value) {
  return to_python(Named{name, {"values", "indices"}, {value.values, value.indices}});
}

/// What a file's Binding gets to work with.
class Module {
 public:
  explicit Module(PyObject* module) : module_(module) {}
  nanobind::module_ nanobind() const { return nanobind::borrow<nanobind::module_>(module_); }
  PyObject* object() const { return module_; }

  /// Adds an op under a signature (see signature.h). The lambda must not capture anything. A second signature of the
  /// same name is an overload: they are tried in the order in which they were added.
  /// Example: m.def("neg(input: Tensor, *, out: Tensor? = None)", [](Args& a) { return neg(a.tensor(0)); }, method |
  /// inplace);
  template <class F>
  void def(const char* signature, F, int faces = function_only) {
    static_assert(std::is_empty_v<F>, "a lambda without captures is needed, not a function's address");
    add(
        signature, [](Args& args) -> PyObject* { return to_python(F{}(args)); }, faces);
  }

 private:
  void add(const char* signature, PyObject* (*run)(Args&), int faces);
  PyObject* module_;
};

/// A file-level constant whose lambda runs when the extension is loaded.
class Binding {
 public:
  using Run = void (*)(Module&);
  explicit Binding(Run run, int order = 0);
};

}  // namespace hearth::python
