// Signature: one way to call an op, written as text: "clamp(input: Tensor, min: Number? = None, *, out: Tensor? =
// None)".
#pragma once

#include <Python.h>

#include <string>
#include <vector>

namespace hearth::python {

/// What an argument has to be. `any` is checked by the op itself.
enum class Kind : uint8_t {
  any,
  tensor,
  tensors,
  number,
  integer,
  floating,
  boolean,
  ints,
  floats,
  dtype,
  device,
  text,
  generator
};

struct Parameter {
  std::string name;
  PyObject* key;              ///< the name, interned
  PyObject* alias = nullptr;  ///< NumPy's name for it, interned, or null
  Kind kind = Kind::any;
  bool nullable = false;  ///< "?" after the type: None is allowed
  bool variadic = false;  ///< "..." after the type: positional numbers may stand for the list
  bool keyword_only = false;
  PyObject* fallback = nullptr;  ///< the default's value; null for a required parameter
};

struct Signature {
  std::string text;
  std::string name;
  std::vector<Parameter> parameters;
  int positional = 0;  ///< how many may be given by position
  int out = -1;        ///< index of the parameter "out"

  /// Raises ValueError for a text that is no signature.
  explicit Signature(std::string text);

  /// Sorts what was passed into `values` (borrowed references, one a parameter, defaults filled in; variadic numbers
  /// are packed into a tuple that `packed` owns). Returns false with no error set when the call does not fit; `why`
  /// (when not null) then gets the reason.
  bool match(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, PyObject** values, PyObject** packed,
             std::string* why) const;

 private:
  const Parameter* find(PyObject* key, int* index) const;
};

/// Whether `object` may stand for an argument of this kind.
bool fits(const Parameter& parameter, PyObject* object);
/// Python ints and what counts as one (0-dim integer tensors, NumPy integers), but not bool unless `allow_bool`.
bool is_integer(PyObject* object, bool allow_bool = true);
bool is_number(PyObject* object);

}  // namespace hearth::python
