// Calling an op from Python: overrides, overloads, in-place forms, out=.
#include "python/src/function.h"

#include <structmember.h>

#include <cmath>
#include <memory>

#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "python/src/autocast.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/out.h"
#include "python/src/override.h"
#include "python/src/signature.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

struct Overload {
  Signature signature;
  Run run = nullptr;           ///< an op in C++
  PyObject* python = nullptr;  ///< or a Python function that takes the arguments in the signature's order, without out
  PyObject* keywords = nullptr;  ///< names of its keyword-only arguments
};
using Overloads = std::vector<std::unique_ptr<Overload>>;

struct FunctionObject {
  PyObject_HEAD;
  vectorcallfunc call;
  std::shared_ptr<Overloads> overloads;
  PyObject* name;
  PyObject* module;  ///< null: hearth
  PyObject* dict;
  bool inplace;
  CastPolicy policy;
};

constexpr size_t max_parameters = 32;
PyTypeObject* function_type;

FunctionObject* self_of(PyObject* object) { return reinterpret_cast<FunctionObject*>(object); }

PyObject* run_python(const Overload& overload, PyObject** values) {
  PyObject* passed[max_parameters + 1];
  size_t count = 0;
  const Signature& signature = overload.signature;
  for (size_t i = 0; i < signature.parameters.size(); ++i)
    if (int(i) != signature.out) passed[++count] = values[i];
  const size_t named = overload.keywords ? size_t(PyTuple_GET_SIZE(overload.keywords)) : 0;
  return PyObject_Vectorcall(overload.python, passed + 1, (count - named) | PY_VECTORCALL_ARGUMENTS_OFFSET,
                             overload.keywords);
}

PyObject* run(const Overload& overload, PyObject** values) {
  if (overload.python) return run_python(overload, values);
  Args args(overload.signature.name.c_str(), values);
  return overload.run(args);
}

bool any_requires_grad(const Signature& signature, PyObject** values) {
  if (!grad_enabled()) return false;
  for (size_t i = 0; i < signature.parameters.size(); ++i)
    if (is_tensor(values[i]) && unwrap(values[i]).requires_grad()) return true;
  return false;
}

/// x.op_(...): op on what x was, written over x.
PyObject* run_inplace(const Overload& overload, PyObject** values) {
  PyObject* object = values[0];
  if (!is_tensor(object))
    fail_type("%s_: a Tensor is needed to write into: got %s", overload.signature.name.c_str(),
              Py_TYPE(object)->tp_name);
  const Tensor& x = unwrap(object);
  const char* name = overload.signature.name.c_str();
  check_writable(name, x);
  Owned before;
  if (any_requires_grad(overload.signature, values)) {
    before = Owned(checked(wrap(snapshot(x))));
    values[0] = before.get();
  }
  const Owned result(checked(run(overload, values)));
  if (!is_tensor(result.get())) fail_type("%s_: the op gives no tensor", name);
  const Tensor& value = unwrap(result.get());
  check_castable(name, value.dtype(), x.dtype());
  assign_(x, to(value, x.dtype()));
  return Py_NewRef(object);
}

PyObject* run_form(const FunctionObject* self, const Overload& overload, PyObject** values) {
  if (self->inplace) return run_inplace(overload, values);
  const int out = overload.signature.out;
  if (out < 0 || values[out] == Py_None) return run(overload, values);
  return run_with_out(overload.signature, values, [&] { return run(overload, values); });
}

PyObject* run_overload(const FunctionObject* self, const Overload& overload, PyObject** values) {
  if (autocast_enabled && self->policy != CastPolicy::none) [[unlikely]] {
    Owned kept[max_parameters];
    autocast_values(self->policy, values, overload.signature.parameters.size(), kept);
    // What the op calls in its turn is cast already.
    struct Off {
      Off() { autocast_enabled = false; }
      ~Off() { autocast_enabled = true; }
    } off;
    return run_form(self, overload, values);
  }
  return run_form(self, overload, values);
}

PyObject* refuse(const FunctionObject* self, const std::string& first_reason) {
  const Overloads& overloads = *self->overloads;
  std::string text = std::string(PyUnicode_AsUTF8(self->name)) + "(): ";
  if (overloads.size() == 1) {
    text += first_reason;
  } else {
    text += "no form of it takes these arguments; the forms are:";
    for (const auto& overload : overloads) text += "\n  " + overload->signature.text;
  }
  PyErr_SetString(PyExc_TypeError, text.c_str());
  return nullptr;
}

PyObject* call(PyObject* object, PyObject* const* args, size_t flags, PyObject* kwnames) {
  const Py_ssize_t nargs = PyVectorcall_NARGS(flags);
  if (has_override(args, nargs, kwnames)) return call_override(object, args, nargs, kwnames);
  const FunctionObject* self = self_of(object);
  std::string why;
  PyObject* values[max_parameters];
  const bool single = self->overloads->size() == 1;
  for (const auto& overload : *self->overloads) {
    PyObject* packed = nullptr;
    const bool matched = overload->signature.match(args, nargs, kwnames, values, &packed, single ? &why : nullptr);
    const Owned keep(packed);
    if (matched) return guarded([&] { return run_overload(self, *overload, values); });
    if (PyErr_Occurred()) return nullptr;
  }
  return refuse(self, why);
}

PyObject* bind(PyObject* self, PyObject* instance, PyObject*) {
  if (!instance || instance == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, instance);
}

void deallocate(PyObject* object) {
  FunctionObject* self = self_of(object);
  self->overloads.~shared_ptr();
  Py_CLEAR(self->name);
  Py_CLEAR(self->module);
  Py_CLEAR(self->dict);
  PyTypeObject* type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject* represent(PyObject* object) { return PyUnicode_FromFormat("<built-in method %U>", self_of(object)->name); }
PyObject* get_name(PyObject* object, void*) { return Py_NewRef(self_of(object)->name); }
PyObject* get_module(PyObject* object, void*) {
  PyObject* module = self_of(object)->module;
  return module ? Py_NewRef(module) : PyUnicode_FromString("hearth");
}
int set_module(PyObject* object, PyObject* value, void*) {
  Py_XINCREF(value);
  Py_XSETREF(self_of(object)->module, value);
  return 0;
}
PyObject* get_doc(PyObject* object, void*) {
  const FunctionObject* self = self_of(object);
  std::string text;
  for (const auto& overload : *self->overloads) {
    text += (text.empty() ? "" : "\n") + overload->signature.text;
    if (!overload->python) continue;
    const Owned doc(PyObject_GetAttrString(overload->python, "__doc__"));
    if (doc && PyUnicode_Check(doc.get())) text += std::string("\n\n") + PyUnicode_AsUTF8(doc.get());
  }
  return PyUnicode_FromString(text.c_str());
}
PyObject* get_signatures(PyObject* object, void*) {
  const FunctionObject* self = self_of(object);
  PyObject* list = PyList_New(0);
  for (const auto& overload : *self->overloads) {
    const Owned text(PyUnicode_FromString(overload->signature.text.c_str()));
    PyList_Append(list, text.get());
  }
  return list;
}
/// A default as Python source; "..." for what has no literal.
std::string literal(PyObject* value) {
  const bool plain = value == Py_None || PyBool_Check(value) || PyLong_Check(value) || PyUnicode_Check(value) ||
                     PyTuple_CheckExact(value) || PyList_CheckExact(value) ||
                     (PyFloat_Check(value) && std::isfinite(PyFloat_AS_DOUBLE(value)));
  if (!plain) return "...";
  const Owned text(checked(PyObject_Repr(value)));
  return PyUnicode_AsUTF8(text.get());
}

/// The first form for inspect.signature: "(input, min=None, max=None, *, out=None)".
PyObject* get_text_signature(PyObject* object, void*) {
  return guarded([&] {
    std::string text = "(";
    bool named = false;
    for (const Parameter& p : self_of(object)->overloads->front()->signature.parameters) {
      if (text.size() > 1) text += ", ";
      if (p.keyword_only && !named) text += "*, ";
      named = p.keyword_only;
      text += p.name;
      if (p.fallback) text += "=" + literal(p.fallback);
    }
    return checked(PyUnicode_FromString((text + ")").c_str()));
  });
}

/// Pickled by name: hearth.NAME, or Tensor.NAME; what is bound as _linalg_NAME or _fft_NAME stands in that namespace.
PyObject* reduce(PyObject* object, PyObject*) {
  const std::string name = PyUnicode_AsUTF8(self_of(object)->name);
  for (const std::string space : {"linalg", "fft"})
    if (name.starts_with("_" + space + "_"))
      return PyUnicode_FromString((space + "." + name.substr(space.size() + 2)).c_str());
  return Py_NewRef(self_of(object)->name);
}

PyObject* set_policy(PyObject* object, PyObject* value) {
  const long policy = PyLong_AsLong(value);
  if (policy < 0 || policy > 3) {
    if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "_set_autocast_policy: 0 to 3: got %ld", policy);
    return nullptr;
  }
  self_of(object)->policy = CastPolicy(policy);
  Py_RETURN_NONE;
}

PyMethodDef methods[] = {{"_set_autocast_policy", set_policy, METH_O, "0 none, 1 lower, 2 float32, 3 widest"},
                         {"__reduce__", reduce, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyGetSetDef properties[] = {{"__name__", get_name, nullptr, nullptr, nullptr},
                            {"__qualname__", get_name, nullptr, nullptr, nullptr},
                            {"__module__", get_module, set_module, nullptr, nullptr},
                            {"__doc__", get_doc, nullptr, nullptr, nullptr},
                            {"__text_signature__", get_text_signature, nullptr, nullptr, nullptr},
                            {"_signatures", get_signatures, nullptr, "The forms of this op, as text.", nullptr},
                            {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(FunctionObject, call), READONLY, nullptr},
                         {"__dictoffset__", T_PYSSIZET, offsetof(FunctionObject, dict), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

PyObject* make_function(const char* name, bool inplace, std::shared_ptr<Overloads> overloads) {
  auto* self = reinterpret_cast<FunctionObject*>(checked(function_type->tp_alloc(function_type, 0)));
  new (&self->overloads) std::shared_ptr<Overloads>(std::move(overloads));
  self->call = call;
  self->name = PyUnicode_InternFromString(name);
  self->inplace = inplace;
  self->policy = CastPolicy::none;
  return reinterpret_cast<PyObject*>(self);
}

/// The signature of a Python function as text: its code object tells, and reading that costs no import.
std::string signature_text(PyObject* function, const char* name) {
  const Owned code(checked(PyObject_GetAttrString(function, "__code__")));
  const Owned names(checked(PyObject_GetAttrString(code.get(), "co_varnames")));
  const auto count_of = [&](const char* what) {
    const Owned number(checked(PyObject_GetAttrString(code.get(), what)));
    return PyLong_AsLong(number.get());
  };
  const long positional = count_of("co_argcount"), keyword = count_of("co_kwonlyargcount");
  std::string text = std::string(name) + "(";
  for (long i = 0; i < positional + keyword; ++i) {
    if (i == positional)
      text += i ? ", *, " : "*, ";
    else if (i)
      text += ", ";
    text += PyUnicode_AsUTF8(PyTuple_GET_ITEM(names.get(), i));
  }
  return text + ")";
}

/// Gives a Python function's signature its defaults.
void take_defaults(Signature& signature, PyObject* function) {
  const Owned defaults(PyObject_GetAttrString(function, "__defaults__"));
  if (defaults.get() && defaults.get() != Py_None) {
    const Py_ssize_t count = PyTuple_GET_SIZE(defaults.get());
    for (Py_ssize_t i = 0; i < count; ++i)
      signature.parameters[size_t(signature.positional - count + i)].fallback =
          Py_NewRef(PyTuple_GET_ITEM(defaults.get(), i));
  }
  const Owned named(PyObject_GetAttrString(function, "__kwdefaults__"));
  if (!named.get() || named.get() == Py_None) return;
  for (Parameter& p : signature.parameters)
    if (p.keyword_only)
      if (PyObject* value = PyDict_GetItem(named.get(), p.key)) p.fallback = Py_NewRef(value);
}

PyObject* python_function(PyObject*, PyObject* args) {
  const char* name = nullptr;
  PyObject* function = nullptr;
  int inplace = 0;
  if (!PyArg_ParseTuple(args, "sOp:python_function", &name, &function, &inplace)) return nullptr;
  return guarded([&] {
    auto overload = std::make_unique<Overload>(Overload{Signature(signature_text(function, name))});
    Signature& signature = overload->signature;
    take_defaults(signature, function);
    check<ValueError>(signature.parameters.size() < max_parameters, name, ": too many parameters");
    overload->python = Py_NewRef(function);
    std::vector<PyObject*> keywords;
    for (const Parameter& p : signature.parameters)
      if (p.keyword_only && p.name != "out") keywords.push_back(p.key);
    if (!keywords.empty()) {
      overload->keywords = checked(PyTuple_New(Py_ssize_t(keywords.size())));
      for (size_t i = 0; i < keywords.size(); ++i)
        PyTuple_SET_ITEM(overload->keywords, Py_ssize_t(i), Py_NewRef(keywords[i]));
    }
    auto overloads = std::make_shared<Overloads>();
    overloads->push_back(std::move(overload));
    return make_function(name, inplace, std::move(overloads));
  });
}

PyMethodDef functions[] = {{"python_function", python_function, METH_VARARGS,
                            "python_function(name, function, inplace): a Function that runs Python code."},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

void add_overload(PyObject* holder, const char* name, const char* text, Run run, bool inplace) {
  // Faces of one op share the list of overloads.
  PyObject* found = PyObject_HasAttrString(holder, name) ? PyObject_GetAttrString(holder, name) : nullptr;
  const Owned existing(found);
  auto overload = std::make_unique<Overload>(Overload{Signature(text), run});
  check<ValueError>(overload->signature.parameters.size() < max_parameters, name, ": too many parameters");
  if (found && Py_TYPE(found) == function_type) {
    self_of(found)->overloads->push_back(std::move(overload));
    return;
  }
  auto overloads = std::make_shared<Overloads>();
  overloads->push_back(std::move(overload));
  const Owned made(make_function(name, inplace, std::move(overloads)));
  if (PyObject_SetAttrString(holder, name, made.get()) < 0) throw_python();
}

void make_function_type(PyObject* module) {
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
                         {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                         {Py_tp_descr_get, reinterpret_cast<void*>(bind)},
                         {Py_tp_repr, reinterpret_cast<void*>(represent)},
                         {Py_tp_methods, methods},
                         {Py_tp_getset, properties},
                         {Py_tp_members, members},
                         {0, nullptr}};
  PyType_Spec spec{"hearth._C.Function", sizeof(FunctionObject), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, slots};
  function_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
  if (PyModule_AddObjectRef(module, "Function", reinterpret_cast<PyObject*>(function_type)) < 0 ||
      PyModule_AddFunctions(module, functions) < 0)
    throw_python();
}

}  // namespace hearth::python
