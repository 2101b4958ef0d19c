// Reading Python objects as C++ values.
#include "python/src/args.h"

#include <complex>

#include "hearth/ops/create.h"
#include "python/src/errors.h"
#include "python/src/generator.h"
#include "python/src/objects.h"
#include "python/src/signature.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

bool is_plain_number(PyObject* object) {
  return PyFloat_Check(object) || PyLong_Check(object) || PyComplex_Check(object);
}

int64_t integer_from(PyObject* object, const char* op) {
  if (is_tensor(object)) return unwrap(object).item_int();
  const Owned index(PyNumber_Index(object));
  if (!index) throw_python();
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.get(), &overflow);
  if (overflow) {
    PyErr_Format(PyExc_RuntimeError, "%s: integer out of range: %R", op, object);
    throw_python();
  }
  if (value == -1 && PyErr_Occurred()) throw_python();
  return value;
}

Scalar scalar_from(PyObject* object, const char* op) {
  if (PyFloat_Check(object)) return PyFloat_AS_DOUBLE(object);
  if (PyBool_Check(object)) return object == Py_True;
  if (PyLong_Check(object)) return integer_from(object, op);
  if (PyComplex_Check(object)) {
    const Py_complex value = PyComplex_AsCComplex(object);
    return std::complex<double>(value.real, value.imag);
  }
  if (is_tensor(object)) {
    const Tensor& x = unwrap(object);
    check<ValueError>(x.numel() == 1, op, ": a number is needed: got a tensor of shape ", x.shape());
    return x.item_scalar();
  }
  if (PyIndex_Check(object)) return integer_from(object, op);
  const Owned number(PyNumber_Float(object));
  if (!number) fail_type("%s: a number is needed: got %s", op, Py_TYPE(object)->tp_name);
  return PyFloat_AS_DOUBLE(number.get());
}

bool Args::is_tensor(int i) const { return python::is_tensor(values_[i]); }

const Tensor& Args::tensor(int i) const {
  if (!python::is_tensor(values_[i])) fail_type("%s: a Tensor is needed: got %s", op_, Py_TYPE(values_[i])->tp_name);
  return unwrap(values_[i]);
}

Tensor Args::tensor_or_none(int i) const { return given(i) ? tensor(i) : Tensor(); }

TensorList Args::tensors(int i) const {
  const Owned sequence(PySequence_Fast(values_[i], "a sequence of tensors is needed"));
  if (!sequence) throw_python();
  TensorList list;
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence.get());
  list.reserve(size_t(count));
  for (Py_ssize_t k = 0; k < count; ++k) {
    PyObject* item = PySequence_Fast_GET_ITEM(sequence.get(), k);
    if (item == Py_None) {
      list.emplace_back();
      continue;
    }
    if (!python::is_tensor(item)) fail_type("%s: item %zd must be a Tensor: got %s", op_, k, Py_TYPE(item)->tp_name);
    list.push_back(unwrap(item));
  }
  return list;
}

Tensor Args::operand(int i, const Tensor& other) const {
  if (is_tensor(i)) return unwrap(values_[i]);
  const Scalar value = scalar_from(values_[i], op_);
  return scalar_tensor(value, result_type(other, value));
}

Scalar Args::number(int i) const { return scalar_from(values_[i], op_); }
std::optional<Scalar> Args::number_or_none(int i) const {
  if (!given(i)) return {};
  return number(i);
}
int64_t Args::integer(int i) const { return integer_from(values_[i], op_); }
std::optional<int64_t> Args::integer_or_none(int i) const {
  if (!given(i)) return {};
  return integer(i);
}
double Args::real(int i) const {
  if (PyFloat_Check(values_[i])) return PyFloat_AS_DOUBLE(values_[i]);
  return scalar_from(values_[i], op_).to_double();
}
std::optional<double> Args::real_or_none(int i) const {
  if (!given(i)) return {};
  return real(i);
}

bool Args::flag(int i) const {
  const int truth = PyObject_IsTrue(values_[i]);
  if (truth < 0) throw_python();
  return truth;
}

std::vector<int64_t> Args::ints(int i) const {
  PyObject* object = values_[i];
  if (object == Py_None) return {};
  if (is_integer(object, false) && !PySequence_Check(object)) return {integer_from(object, op_)};
  if (python::is_tensor(object) && unwrap(object).dim() == 0) return {integer_from(object, op_)};
  const Owned sequence(PySequence_Fast(object, "a sequence of ints is needed"));
  if (!sequence) throw_python();
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence.get());
  std::vector<int64_t> list;
  list.reserve(size_t(count));
  for (Py_ssize_t k = 0; k < count; ++k) list.push_back(integer_from(PySequence_Fast_GET_ITEM(sequence.get(), k), op_));
  return list;
}
std::optional<std::vector<int64_t>> Args::ints_or_none(int i) const {
  if (!given(i)) return {};
  return ints(i);
}

std::vector<double> Args::reals(int i) const {
  PyObject* object = values_[i];
  if (object == Py_None) return {};
  if (!PySequence_Check(object) || (python::is_tensor(object) && unwrap(object).dim() == 0)) return {real(i)};
  const Owned sequence(PySequence_Fast(object, "a sequence of numbers is needed"));
  if (!sequence) throw_python();
  std::vector<double> list;
  for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(sequence.get()); ++k)
    list.push_back(scalar_from(PySequence_Fast_GET_ITEM(sequence.get(), k), op_).to_double());
  return list;
}

Dtype Args::dtype(int i, Dtype fallback) const { return given(i) ? dtype_from(values_[i], op_) : fallback; }
std::optional<Dtype> Args::dtype_or_none(int i) const {
  if (!given(i)) return {};
  return dtype_from(values_[i], op_);
}
Device Args::device(int i, Device fallback) const { return given(i) ? device_from(values_[i], op_) : fallback; }

std::string Args::text(int i) const {
  if (!PyUnicode_Check(values_[i])) fail_type("%s: a str is needed: got %s", op_, Py_TYPE(values_[i])->tp_name);
  return PyUnicode_AsUTF8(values_[i]);
}

Generator* Args::generator(int i) const { return given(i) ? generator_from(values_[i], op_) : nullptr; }

}  // namespace hearth::python
