// Reading signatures and sorting a call's arguments into them.
#include "python/src/signature.h"

#include <cstring>
#include <map>
#include <string_view>

#include "hearth/core/error.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

const std::map<std::string_view, Kind> kinds{
    {"Tensor", Kind::tensor},  {"Tensors", Kind::tensors}, {"Number", Kind::number}, {"int", Kind::integer},
    {"float", Kind::floating}, {"bool", Kind::boolean},    {"ints", Kind::ints},     {"floats", Kind::floats},
    {"dtype", Kind::dtype},    {"device", Kind::device},   {"str", Kind::text},      {"Generator", Kind::generator},
    {"any", Kind::any}};

// Names by which NumPy's users call the same argument.
const std::map<std::string_view, const char*> numpy_names{
    {"dim", "axis"}, {"keepdim", "keepdims"}, {"input", "x"}, {"other", "x2"}};

std::string_view strip(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Splits at commas outside brackets.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] == '(' || text[i] == '[')) ++depth;
    if (i < text.size() && (text[i] == ')' || text[i] == ']')) --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    if (!strip(text.substr(start, i - start)).empty()) parts.push_back(strip(text.substr(start, i - start)));
    start = i + 1;
  }
  return parts;
}

PyObject* literal(std::string_view text) {
  if (text == "None") return Py_NewRef(Py_None);
  if (text == "True") return Py_NewRef(Py_True);
  if (text == "False") return Py_NewRef(Py_False);
  const Owned globals(checked(PyDict_New()));
  const Owned infinity(PyFloat_FromDouble(Py_HUGE_VAL));
  PyDict_SetItemString(globals.get(), "inf", infinity.get());
  PyDict_SetItemString(globals.get(), "__builtins__", PyEval_GetBuiltins());
  return checked(PyRun_String(std::string(text).c_str(), Py_eval_input, globals.get(), globals.get()));
}

void parse_type(Parameter& parameter, std::string_view type) {
  if (type.ends_with('?')) {
    parameter.nullable = true;
    type.remove_suffix(1);
  }
  if (type.ends_with("...")) {
    parameter.variadic = true;
    type.remove_suffix(3);
  }
  const auto kind = kinds.find(type);
  check<ValueError>(kind != kinds.end(), "signature: type not known: ", type);
  parameter.kind = kind->second;
}

Parameter parse_parameter(std::string_view text) {
  Parameter parameter;
  const size_t equals = text.find('=');
  std::string_view head = strip(text.substr(0, equals));
  if (equals != std::string_view::npos) parameter.fallback = literal(strip(text.substr(equals + 1)));
  if (const size_t colon = head.find(':'); colon != std::string_view::npos) {
    parse_type(parameter, strip(head.substr(colon + 1)));
    head = strip(head.substr(0, colon));
  }
  parameter.name = head;
  parameter.key = checked(PyUnicode_InternFromString(parameter.name.c_str()));
  if (const auto alias = numpy_names.find(parameter.name); alias != numpy_names.end())
    parameter.alias = checked(PyUnicode_InternFromString(alias->second));
  return parameter;
}

bool is_sequence(PyObject* object) { return PyTuple_Check(object) || PyList_Check(object); }

bool all_integers(PyObject* sequence) {
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!is_integer(PySequence_Fast_GET_ITEM(sequence, i), false)) return false;
  return true;
}

PyObject* pack(const Parameter& parameter, PyObject* const* args, Py_ssize_t count, std::string* why) {
  PyObject* tuple = checked(PyTuple_New(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!is_integer(args[i], false)) {
      Py_DECREF(tuple);
      if (why) *why = "argument '" + parameter.name + "' must be ints, not " + Py_TYPE(args[i])->tp_name;
      return nullptr;
    }
    PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
  }
  return tuple;
}

bool all_tensors(PyObject* sequence) {
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!is_tensor(PySequence_Fast_GET_ITEM(sequence, i))) return false;
  return true;
}

}  // namespace

bool is_integer(PyObject* object, bool allow_bool) {
  if (PyLong_CheckExact(object)) return true;
  if (PyBool_Check(object)) return allow_bool;
  if (is_tensor(object)) return unwrap(object).numel() == 1 && !is_floating(unwrap(object).dtype());
  return PyIndex_Check(object);
}

bool is_number(PyObject* object) {
  if (PyFloat_Check(object) || PyLong_Check(object) || PyComplex_Check(object)) return true;
  if (is_tensor(object)) return unwrap(object).dim() == 0;
  // NumPy's scalars.
  return PyIndex_Check(object) ||
         (Py_TYPE(object)->tp_as_number && Py_TYPE(object)->tp_as_number->nb_float && !PySequence_Check(object));
}

bool fits(const Parameter& parameter, PyObject* object) {
  if (object == Py_None) return parameter.nullable || parameter.kind == Kind::any;
  switch (parameter.kind) {
    case Kind::any:
      return true;
    case Kind::tensor:
      return is_tensor(object);
    case Kind::tensors:
      return is_sequence(object) && all_tensors(object);
    case Kind::number:
      return is_number(object);
    case Kind::integer:
      return is_integer(object);
    case Kind::floating:
      return is_number(object);
    case Kind::boolean:
      return PyBool_Check(object) || (is_tensor(object) && unwrap(object).dim() == 0);
    case Kind::ints:
      return (is_sequence(object) && all_integers(object)) || is_integer(object, false);
    case Kind::floats:
      return is_sequence(object) || is_number(object);
    case Kind::dtype:
      return is_dtype(object) || PyType_Check(object);
    case Kind::device:
      return is_device(object) || PyUnicode_Check(object) || PyLong_CheckExact(object);
    case Kind::text:
      return PyUnicode_Check(object);
    case Kind::generator:
      return true;
  }
  return false;
}

Signature::Signature(std::string source) : text(std::move(source)) {
  const size_t open = text.find('('), close = text.rfind(')');
  check<ValueError>(open != std::string::npos && close != std::string::npos && open < close,
                    "signature: brackets missing: ", text);
  name = text.substr(0, open);
  bool keyword_only = false;
  for (const std::string_view part : split(std::string_view(text).substr(open + 1, close - open - 1))) {
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    Parameter parameter = parse_parameter(part);
    parameter.keyword_only = keyword_only;
    if (!keyword_only) ++positional;
    if (parameter.name == "out") out = int(parameters.size());
    parameters.push_back(std::move(parameter));
  }
}

const Parameter* Signature::find(PyObject* key, int* index) const {
  for (int pass = 0; pass < 2; ++pass)
    for (size_t i = 0; i < parameters.size(); ++i) {
      const Parameter& p = parameters[i];
      const bool same = pass == 0
                            ? p.key == key || (p.alias && p.alias == key)
                            : PyUnicode_Compare(p.key, key) == 0 || (p.alias && PyUnicode_Compare(p.alias, key) == 0) ||
                                  (i == 0 && p.name == "input" &&
                                   (PyUnicode_CompareWithASCIIString(key, "a") == 0 ||
                                    PyUnicode_CompareWithASCIIString(key, "x1") == 0));
      if (!same) continue;
      *index = int(i);
      return &p;
    }
  return nullptr;
}

bool Signature::match(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, PyObject** values, PyObject** packed,
                      std::string* why) const {
  std::memset(values, 0, parameters.size() * sizeof *values);
  for (Py_ssize_t i = 0; i < nargs; ++i) {
    if (i >= positional) {
      if (why) *why = "takes " + std::to_string(positional) + " positional arguments, not " + std::to_string(nargs);
      return false;
    }
    const Parameter& p = parameters[size_t(i)];
    if (p.variadic && is_integer(args[i], false)) {
      // Numbers one after the other stand for the list; what follows it in the signature is given by keyword then.
      values[i] = *packed = pack(p, args + i, nargs - i, why);
      if (!values[i]) return false;
      break;
    }
    values[i] = args[i];
  }
  const Py_ssize_t named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t k = 0; k < named; ++k) {
    int index = 0;
    PyObject* key = PyTuple_GET_ITEM(kwnames, k);
    if (!find(key, &index)) {
      if (why) *why = std::string("got an unexpected keyword argument '") + PyUnicode_AsUTF8(key) + "'";
      return false;
    }
    if (values[index]) {
      if (why) *why = "got multiple values for argument '" + parameters[size_t(index)].name + "'";
      return false;
    }
    values[index] = args[nargs + k];
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    if (!values[i]) {
      if (!p.fallback) {
        if (why) *why = "missing required argument '" + p.name + "'";
        return false;
      }
      values[i] = p.fallback;
    } else if (values[i] != p.fallback && !fits(p, values[i])) {
      if (why) *why = "argument '" + p.name + "' must not be " + Py_TYPE(values[i])->tp_name;
      return false;
    }
  }
  return true;
}

}  // namespace hearth::python
