// Turning results into Python objects, and the list of bindings that the files leave.
#include "python/src/binding.h"

#include <algorithm>
#include <map>

#include "python/src/errors.h"
#include "python/src/function.h"
#include "python/src/module.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

std::vector<std::pair<int, Binding::Run>>& bindings() {
  static std::vector<std::pair<int, Binding::Run>> list;
  return list;
}

}  // namespace

PyObject* return_type(const std::string& name, const std::vector<const char*>& names) {
  static std::map<std::string, PyTypeObject*> types;
  PyTypeObject*& type = types[name];
  if (type) return reinterpret_cast<PyObject*>(type);
  // The type keeps pointing at its name, at those of its fields and at their list.
  auto* fields = new std::vector<PyStructSequence_Field>;
  for (const char* field : names) fields->push_back({(new std::string(field))->c_str(), nullptr});
  fields->push_back({nullptr, nullptr});
  const auto* full = new std::string("torch.return_types." + name);
  PyStructSequence_Desc description{full->c_str(), nullptr, fields->data(), int(names.size())};
  type = PyStructSequence_NewType(&description);
  if (!type) throw_python();
  return reinterpret_cast<PyObject*>(type);
}

PyObject* to_python(const Tensor& value) { return wrap(value); }

PyObject* to_python(const TensorList& values) {
  Owned tuple(checked(PyTuple_New(Py_ssize_t(values.size()))));
  for (size_t i = 0; i < values.size(); ++i) PyTuple_SET_ITEM(tuple.get(), Py_ssize_t(i), checked(wrap(values[i])));
  return tuple.release();
}

PyObject* to_python(const std::pair<Tensor, Tensor>& values) {
  return to_python(TensorList{values.first, values.second});
}
PyObject* to_python(bool value) { return PyBool_FromLong(value); }
PyObject* to_python(int64_t value) { return PyLong_FromLongLong(value); }
PyObject* to_python(double value) { return PyFloat_FromDouble(value); }
PyObject* to_python(Dtype value) { return Py_NewRef(dtype_object(value)); }

PyObject* to_python(const Named& values) {
  auto* type = reinterpret_cast<PyTypeObject*>(return_type(values.name, values.fields));
  Owned tuple(checked(PyStructSequence_New(type)));
  for (size_t i = 0; i < values.values.size(); ++i)
    PyStructSequence_SET_ITEM(tuple.get(), Py_ssize_t(i), checked(wrap(values.values[i])));
  return tuple.release();
}

void Module::add(const char* signature, PyObject* (*run)(Args&), int faces) {
  const std::string text = signature;
  const std::string name = text.substr(0, text.find('('));
  auto* type = reinterpret_cast<PyObject*>(tensor_type);
  if (!(faces & method_only)) add_overload(module_, name.c_str(), signature, run, false);
  if (faces & (method | method_only)) add_overload(type, name.c_str(), signature, run, false);
  if (!(faces & inplace)) return;
  add_overload(type, (name + "_").c_str(), signature, run, true);
  if (!(faces & method_only)) add_overload(module_, (name + "_").c_str(), signature, run, true);
}

Binding::Binding(Run run, int order) { bindings().emplace_back(order, run); }

void run_bindings(PyObject* module) {
  auto& list = bindings();
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Module m(module);
  for (const auto& [order, run] : list) run(m);
}

namespace {

const Binding binding{[](Module& m) {
  m.def("_return_type(name: str, fields: any)", [](Args& a) {
    std::vector<std::string> names;
    const Owned list(checked(PySequence_Fast(a.object(1), "_return_type: fields must be names")));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
      const char* name = PyUnicode_AsUTF8(PySequence_Fast_GET_ITEM(list.get(), i));
      if (!name) throw_python();
      names.emplace_back(name);
    }
    std::vector<const char*> fields;
    for (const std::string& name : names) fields.push_back(name.c_str());
    return Py_NewRef(return_type(a.text(0), fields));
  });
}};

}  // namespace

}  // namespace hearth::python
