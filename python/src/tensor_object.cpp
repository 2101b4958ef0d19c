// The type hearth.Tensor: its life, identity and slots; everything with a name is attached elsewhere.
#include "python/src/tensor_object.h"

#include <structmember.h>

#include <new>

#include "python/src/errors.h"
#include "python/src/index.h"
#include "python/src/operators.h"

namespace hearth::python {

PyTypeObject* tensor_type = nullptr;
PyTypeObject* parameter_type = nullptr;

namespace {

PyObject* allocate(PyTypeObject* type, const Tensor& tensor) {
  // The garbage collector sees a plain tensor only once it has attributes: most live for one expression.
  auto* self = type == tensor_type ? PyObject_GC_New(TensorObject, type)
                                   : reinterpret_cast<TensorObject*>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  new (&self->tensor) Tensor(tensor);
  self->dict = nullptr;
  self->weakrefs = nullptr;
  auto* object = reinterpret_cast<PyObject*>(self);
  tensor.impl()->object = object;
  return object;
}

void track(PyObject* self) {
  if (reinterpret_cast<TensorObject*>(self)->dict && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
}

int set_attribute(PyObject* self, PyObject* name, PyObject* value) {
  const int status = PyObject_GenericSetAttr(self, name, value);
  track(self);
  return status;
}

PyObject* get_dict(PyObject* self, void* context) {
  PyObject* dict = PyObject_GenericGetDict(self, context);
  track(self);
  return dict;
}

void deallocate(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  auto* self = reinterpret_cast<TensorObject*>(object);
  if (self->weakrefs) PyObject_ClearWeakRefs(object);
  Py_CLEAR(self->dict);
  if (self->tensor.defined() && self->tensor.impl()->object == object) self->tensor.impl()->object = nullptr;
  self->tensor.~Tensor();
  type->tp_free(object);
  Py_DECREF(type);
}

int traverse(PyObject* object, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(reinterpret_cast<TensorObject*>(object)->dict);
  return 0;
}

int clear(PyObject* object) {
  Py_CLEAR(reinterpret_cast<TensorObject*>(object)->dict);
  return 0;
}

/// hearth.Tensor(...): the legacy constructor, written in Python.
PyObject* construct(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* maker = PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), "_construct");
  if (!maker) return nullptr;
  PyObject* with_type = PyTuple_New(PyTuple_GET_SIZE(args) + 1);
  if (!with_type) return nullptr;
  PyTuple_SET_ITEM(with_type, 0, Py_NewRef(type));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i)
    PyTuple_SET_ITEM(with_type, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
  PyObject* made = PyObject_Call(maker, with_type, kwargs);
  Py_DECREF(with_type);
  Py_DECREF(maker);
  return made;
}

PyObject* represent(PyObject* self) { return PyObject_CallMethod(self, "_repr", nullptr); }

Py_hash_t hash(PyObject* self) { return _Py_HashPointer(self); }

/// A subclass made in Python must not run object.__init__ with the constructor's arguments.
int initialise(PyObject*, PyObject*, PyObject*) { return 0; }

PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(TensorObject, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(TensorObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};
PyGetSetDef dict_property[] = {
    {"__dict__", get_dict, PyObject_GenericSetDict, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace

PyObject* wrap(const Tensor& tensor) {
  if (!tensor.defined()) Py_RETURN_NONE;
  if (void* object = tensor.impl()->object) return Py_NewRef(static_cast<PyObject*>(object));
  return allocate(tensor_type, tensor);
}

PyObject* wrap_as(PyTypeObject* type, const Tensor& tensor) {
  if (tensor.impl()->object) {
    PyErr_SetString(PyExc_RuntimeError, "Tensor: this tensor has a Python object already, make an alias first");
    return nullptr;
  }
  return allocate(type, tensor);
}

void make_tensor_type(PyObject* module) {
  std::vector<PyType_Slot> slots{
      {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
      {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(clear)},
      {Py_tp_new, reinterpret_cast<void*>(construct)},
      {Py_tp_init, reinterpret_cast<void*>(initialise)},
      {Py_tp_repr, reinterpret_cast<void*>(represent)},
      {Py_tp_hash, reinterpret_cast<void*>(hash)},
      {Py_tp_members, members},
      {Py_tp_getset, dict_property},
      {Py_tp_setattro, reinterpret_cast<void*>(set_attribute)},
  };
  add_operator_slots(slots);
  add_index_slots(slots);
  slots.push_back({0, nullptr});
  PyType_Spec spec{"hearth.Tensor", sizeof(TensorObject), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tensor_type || PyModule_AddObjectRef(module, "Tensor", reinterpret_cast<PyObject*>(tensor_type)) < 0)
    throw_python();
}

}  // namespace hearth::python
