// torch.dtype and torch.device objects, and torch.Size as a tuple that prints its name.
#include "python/src/objects.h"

#include <structmember.h>

#include <string>

#include "hearth/core/default_dtype.h"
#include "python/src/errors.h"

namespace hearth::python {

namespace {

struct DtypeObject {
  PyObject_HEAD;
  Dtype value;
};
struct DeviceObject {
  PyObject_HEAD;
  Device value;
  bool indexed;  ///< whether an index was named: device("cuda") is not device("cuda", 0)
};

PyTypeObject *dtype_type, *device_type, *size_type;
PyObject* dtypes[dtype_count];

Dtype value_of(PyObject* self) { return reinterpret_cast<DtypeObject*>(self)->value; }
Device device_of(PyObject* self) { return reinterpret_cast<DeviceObject*>(self)->value; }

PyObject* dtype_repr(PyObject* self) {
  return PyUnicode_FromString(("torch." + std::string(dtype_name(value_of(self)))).c_str());
}
PyObject* dtype_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(std::string(dtype_name(value_of(self))).c_str());
}
PyObject* dtype_is_floating(PyObject* self, void*) { return PyBool_FromLong(is_floating(value_of(self))); }
PyObject* dtype_is_complex(PyObject* self, void*) { return PyBool_FromLong(is_complex(value_of(self))); }
PyObject* dtype_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(dtype_size(value_of(self))); }
PyObject* dtype_is_signed(PyObject* self, void*) {
  const Dtype d = value_of(self);
  return PyBool_FromLong(is_floating(d) || is_complex(d) || dtype_name(d).substr(0, 3) == "int");
}
PyObject* dtype_to_real(PyObject* self, PyObject*) {
  const Dtype d = value_of(self);
  return Py_NewRef(dtype_object(is_complex(d) ? real_type(d) : d));
}
PyObject* dtype_to_complex(PyObject* self, PyObject*) {
  return guarded([&] {
    const Dtype d = value_of(self);
    return Py_NewRef(dtype_object(is_complex(d) ? d : complex_type(d)));
  });
}

PyMethodDef dtype_methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
                               {"to_real", dtype_to_real, METH_NOARGS, "The real type of the same width."},
                               {"to_complex", dtype_to_complex, METH_NOARGS, "The complex type of the same width."},
                               {nullptr, nullptr, 0, nullptr}};
PyGetSetDef dtype_properties[] = {
    {"is_floating_point", dtype_is_floating, nullptr, "Whether it is a real floating type.", nullptr},
    {"is_complex", dtype_is_complex, nullptr, "Whether it is complex.", nullptr},
    {"is_signed", dtype_is_signed, nullptr, "Whether it has negative numbers.", nullptr},
    {"itemsize", dtype_itemsize, nullptr, "Bytes of one element.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

DeviceType kind_from(const std::string& name) {
  if (name == "cpu") return DeviceType::cpu;
  if (name == "cuda") return DeviceType::cuda;
  if (name == "meta") return DeviceType::meta;
  PyErr_Format(PyExc_RuntimeError, "device: kind not known: '%s'; hearth has cpu and meta", name.c_str());
  throw_python();
}

PyObject* make_device(Device device, bool indexed) {
  auto* self = reinterpret_cast<DeviceObject*>(checked(device_type->tp_alloc(device_type, 0)));
  self->value = device;
  self->indexed = indexed;
  return reinterpret_cast<PyObject*>(self);
}

PyObject* parse_device(const std::string& text, PyObject* index) {
  const size_t colon = text.find(':');
  const DeviceType kind = kind_from(text.substr(0, colon));
  long number = 0;
  bool indexed = false;
  if (colon != std::string::npos) {
    const std::string digits = text.substr(colon + 1);
    indexed = !digits.empty() && digits.size() < 4 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!indexed || (index && index != Py_None)) {
      PyErr_Format(PyExc_RuntimeError, "device: not a device: '%s'", text.c_str());
      throw_python();
    }
    number = std::stol(digits);
  } else if (index && index != Py_None) {
    number = PyLong_AsLong(index);
    if (PyErr_Occurred()) throw_python();
    indexed = true;
  }
  if (number < -1 || number > 127) {
    PyErr_Format(PyExc_RuntimeError, "device: index out of range: %ld", number);
    throw_python();
  }
  return make_device({kind, int8_t(number < 0 ? 0 : number)}, indexed && number >= 0);
}

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"type", "index", nullptr};
  PyObject *what = nullptr, *index = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &what, &index))
    return nullptr;
  return guarded([&]() -> PyObject* {
    if (is_device(what)) return Py_NewRef(what);
    if (PyUnicode_Check(what)) return parse_device(PyUnicode_AsUTF8(what), index);
    if (PyLong_Check(what)) return parse_device("cuda", what);
    fail_type("device: a text, a number or a device is needed: got %s", Py_TYPE(what)->tp_name);
  });
}

PyObject* device_str(PyObject* self) {
  const auto* d = reinterpret_cast<DeviceObject*>(self);
  std::string text = device_type_name(d->value.type);
  if (d->indexed) text += ":" + std::to_string(d->value.index);
  return PyUnicode_FromString(text.c_str());
}
PyObject* device_repr(PyObject* self) {
  const auto* d = reinterpret_cast<DeviceObject*>(self);
  std::string text = "device(type='" + std::string(device_type_name(d->value.type)) + "'";
  if (d->indexed) text += ", index=" + std::to_string(d->value.index);
  return PyUnicode_FromString((text + ")").c_str());
}
PyObject* device_kind(PyObject* self, void*) { return PyUnicode_FromString(device_type_name(device_of(self).type)); }
PyObject* device_index(PyObject* self, void*) {
  const auto* d = reinterpret_cast<DeviceObject*>(self);
  if (!d->indexed) Py_RETURN_NONE;
  return PyLong_FromLong(d->value.index);
}
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if (!is_device(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  const auto *x = reinterpret_cast<DeviceObject*>(a), *y = reinterpret_cast<DeviceObject*>(b);
  const bool same = x->value == y->value && x->indexed == y->indexed;
  return PyBool_FromLong(same == (op == Py_EQ));
}
Py_hash_t device_hash(PyObject* self) {
  const auto* d = reinterpret_cast<DeviceObject*>(self);
  return Py_hash_t(int(d->value.type) * 1000 + d->value.index * 2 + d->indexed + 1);
}
PyObject* device_reduce(PyObject* self, PyObject*) { return Py_BuildValue("O(N)", Py_TYPE(self), device_str(self)); }
/// `with torch.device("meta"):` sets the default device for the block; written in Python.
PyObject* device_enter(PyObject* self, PyObject*) {
  const Owned module(PyImport_ImportModule("hearth._device"));
  if (!module) return nullptr;
  return PyObject_CallMethod(module.get(), "enter", "O", self);
}
PyObject* device_exit(PyObject* self, PyObject*) {
  const Owned module(PyImport_ImportModule("hearth._device"));
  if (!module) return nullptr;
  return PyObject_CallMethod(module.get(), "exit", "O", self);
}

PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {nullptr, nullptr, 0, nullptr}};
PyGetSetDef device_properties[] = {{"type", device_kind, nullptr, "cpu, meta or cuda.", nullptr},
                                   {"index", device_index, nullptr, "The number, or None.", nullptr},
                                   {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyTypeObject* make_type(PyObject* module, const char* name, const char* full, int size, PyType_Slot* slots) {
  PyType_Spec spec{full, size, 0, Py_TPFLAGS_DEFAULT, slots};
  PyObject* type = checked(PyType_FromSpec(&spec));
  if (PyModule_AddObjectRef(module, name, type) < 0) throw_python();
  return reinterpret_cast<PyTypeObject*>(type);
}

PyObject* set_default(PyObject*, PyObject* object) {
  return guarded([&]() -> PyObject* {
    const Dtype dtype = dtype_from(object, "set_default_dtype");
    if (!is_floating(dtype)) fail_type("set_default_dtype: a floating type is needed: got %R", object);
    set_default_dtype(dtype);
    Py_RETURN_NONE;
  });
}
PyObject* get_default(PyObject*, PyObject*) { return Py_NewRef(dtypes[size_t(default_dtype())]); }
PyObject* set_size_type(PyObject*, PyObject* type) {
  Py_XDECREF(size_type);
  size_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type));
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {{"set_default_dtype", set_default, METH_O, nullptr},
                           {"get_default_dtype", get_default, METH_NOARGS, nullptr},
                           {"_set_size_type", set_size_type, METH_O, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool is_dtype(PyObject* object) { return Py_TYPE(object) == dtype_type; }
bool is_device(PyObject* object) { return Py_TYPE(object) == device_type; }
PyObject* dtype_object(Dtype dtype) { return dtypes[size_t(dtype)]; }
PyObject* device_object(Device device) { return make_device(device, device.type == DeviceType::cuda); }

Dtype dtype_from(PyObject* object, const char* op) {
  if (is_dtype(object)) return value_of(object);
  if (object == reinterpret_cast<PyObject*>(&PyFloat_Type)) return Dtype::float64;
  if (object == reinterpret_cast<PyObject*>(&PyLong_Type)) return Dtype::int64;
  if (object == reinterpret_cast<PyObject*>(&PyBool_Type)) return Dtype::boolean;
  if (object == reinterpret_cast<PyObject*>(&PyComplex_Type)) return Dtype::complex128;
  fail_type("%s: a dtype is needed: got %s", op, Py_TYPE(object)->tp_name);
}

Device device_from(PyObject* object, const char* op) {
  if (is_device(object)) return device_of(object);
  if (!PyUnicode_Check(object) && !PyLong_Check(object))
    fail_type("%s: a device is needed: got %s", op, Py_TYPE(object)->tp_name);
  const Owned args(PyTuple_Pack(1, object));
  const Owned made(checked(device_new(device_type, args.get(), nullptr)));
  return device_of(made.get());
}

PyObject* size_object(const int64_t* values, int count) {
  PyObject* size = size_type->tp_alloc(size_type, count);
  if (!size) return nullptr;
  for (int i = 0; i < count; ++i) PyTuple_SET_ITEM(size, i, PyLong_FromLongLong(values[i]));
  return size;
}

void make_object_types(PyObject* module) {
  PyType_Slot dtype_slots[] = {{Py_tp_repr, reinterpret_cast<void*>(dtype_repr)},
                               {Py_tp_methods, dtype_methods},
                               {Py_tp_getset, dtype_properties},
                               {0, nullptr}};
  dtype_type = make_type(module, "dtype", "hearth.dtype", sizeof(DtypeObject), dtype_slots);
  for (int i = 0; i < dtype_count; ++i) {
    auto* object = reinterpret_cast<DtypeObject*>(checked(dtype_type->tp_alloc(dtype_type, 0)));
    object->value = Dtype(i);
    dtypes[i] = reinterpret_cast<PyObject*>(object);
    if (PyModule_AddObjectRef(module, std::string(dtype_name(Dtype(i))).c_str(), dtypes[i]) < 0) throw_python();
  }
  PyType_Slot device_slots[] = {{Py_tp_new, reinterpret_cast<void*>(device_new)},
                                {Py_tp_repr, reinterpret_cast<void*>(device_repr)},
                                {Py_tp_str, reinterpret_cast<void*>(device_str)},
                                {Py_tp_richcompare, reinterpret_cast<void*>(device_compare)},
                                {Py_tp_hash, reinterpret_cast<void*>(device_hash)},
                                {Py_tp_methods, device_methods},
                                {Py_tp_getset, device_properties},
                                {0, nullptr}};
  device_type = make_type(module, "device", "hearth.device", sizeof(DeviceObject), device_slots);
  size_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(&PyTuple_Type));
  if (PyModule_AddFunctions(module, functions) < 0) throw_python();
}

}  // namespace hearth::python
