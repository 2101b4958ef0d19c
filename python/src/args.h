// Args: the arguments of one call, already sorted into the signature, read as C++ values.
#pragma once

#include <Python.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/core/promote.h"
#include "hearth/core/random.h"
#include "hearth/core/tensor.h"

namespace hearth::python {

/// Readers take the place in the signature, counted from 0. None and a parameter left out read as "nothing": an
/// undefined Tensor, std::nullopt, an empty list, a null Generator. Wrong kinds raise TypeError.
class Args {
 public:
  Args(const char* op, PyObject** values) : op_(op), values_(values) {}

  const char* op() const { return op_; }
  PyObject* object(int i) const { return values_[i]; }
  bool given(int i) const { return values_[i] != Py_None; }

  bool is_tensor(int i) const;
  const Tensor& tensor(int i) const;
  Tensor tensor_or_none(int i) const;
  TensorList tensors(int i) const;
  /// A tensor, or a number made into a 0-dim tensor that promotes as a number does beside `other`.
  Tensor operand(int i, const Tensor& other) const;
  Scalar number(int i) const;
  std::optional<Scalar> number_or_none(int i) const;
  int64_t integer(int i) const;
  std::optional<int64_t> integer_or_none(int i) const;
  double real(int i) const;
  std::optional<double> real_or_none(int i) const;
  bool flag(int i) const;
  std::vector<int64_t> ints(int i) const;
  std::optional<std::vector<int64_t>> ints_or_none(int i) const;
  std::vector<double> reals(int i) const;
  Shape shape(int i) const { return Shape(ints(i)); }
  Dtype dtype(int i, Dtype fallback) const;
  std::optional<Dtype> dtype_or_none(int i) const;
  Device device(int i, Device fallback = {}) const;
  std::string text(int i) const;
  Generator* generator(int i) const;

 private:
  const char* op_;
  PyObject** values_;
};

/// Numbers from Python objects: int, float, bool, complex, NumPy scalars, one-element tensors. Raise TypeError,
/// OverflowError becomes RuntimeError as in PyTorch.
Scalar scalar_from(PyObject* object, const char* op);
int64_t integer_from(PyObject* object, const char* op);
/// Whether an object is one of Python's own numbers (bool, int, float, complex).
bool is_plain_number(PyObject* object);

}  // namespace hearth::python
