// out= as PyTorch has it: same device, castable dtype, resized with a warning unless it is empty, no gradients.
#include "python/src/out.h"

#include "hearth/core/error.h"
#include "hearth/core/grad_mode.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/resize.h"
#include "python/src/errors.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

void check_no_gradients(const Signature& signature, PyObject** values) {
  if (!grad_enabled()) return;
  const auto wants = [](PyObject* object) { return is_tensor(object) && unwrap(object).requires_grad(); };
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    PyObject* value = values[i];
    bool found = wants(value);
    if (PyTuple_Check(value) || PyList_Check(value))
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(value); ++k)
        found = found || wants(PySequence_Fast_GET_ITEM(value, k));
    check<ValueError>(!found, signature.name, ": out= has no derivative, but an argument requires grad");
  }
}

void write(const char* op, PyObject* target, PyObject* result) {
  if (!is_tensor(target)) fail_type("%s: out must be a Tensor: got %s", op, Py_TYPE(target)->tp_name);
  const Tensor &x = unwrap(target), &value = unwrap(result);
  check<DeviceError>(x.device() == value.device(), op, ": out is on another device: ", x.device(), ", the result on ",
                     value.device());
  check_castable(op, value.dtype(), x.dtype());
  if (x.shape() != value.shape()) {
    if (x.numel() != 0 &&
        PyErr_WarnFormat(PyExc_UserWarning, 1,
                         "An output with one or more elements was resized: %s: out= had another shape than the result; "
                         "give a tensor of its shape or an empty one",
                         op) < 0)
      throw_python();
    resize_(x, value.shape());
  }
  assign_(x, to(value, x.dtype()));
}

}  // namespace

void check_castable(const char* op, Dtype from, Dtype to) {
  const bool lost = (is_complex(from) && !is_complex(to)) ||
                    (is_floating(from) && !is_floating(to) && !is_complex(to)) ||
                    (to == Dtype::boolean && from != Dtype::boolean);
  check<DtypeError>(!lost, op, ": result type ", from, " can't be cast to the desired output type ", to);
}

PyObject* run_with_out(const Signature& signature, PyObject** values, const std::function<PyObject*()>& run) {
  check_no_gradients(signature, values);
  const NoGrad guard;
  PyObject* out = values[signature.out];
  const char* op = signature.name.c_str();
  const Owned result(checked(run()));
  if (is_tensor(result.get())) {
    PyObject* target = PyTuple_Check(out) && PyTuple_GET_SIZE(out) == 1 ? PyTuple_GET_ITEM(out, 0) : out;
    write(op, target, result.get());
    return Py_NewRef(target);
  }
  const Owned targets(PySequence_Fast(out, "out must be a tuple of tensors"));
  if (!targets) throw_python();
  const Owned results(checked(PySequence_Fast(result.get(), "the op gives no tensors")));
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(results.get());
  if (PySequence_Fast_GET_SIZE(targets.get()) != count)
    fail_type("%s: out must have %zd tensors: got %zd", op, count, PySequence_Fast_GET_SIZE(targets.get()));
  for (Py_ssize_t i = 0; i < count; ++i)
    write(op, PySequence_Fast_GET_ITEM(targets.get(), i), PySequence_Fast_GET_ITEM(results.get(), i));
  // The same kind of named tuple as without out=, holding the given tensors.
  if (PyTuple_CheckExact(result.get())) return Py_NewRef(out);
  const Owned tuple(checked(PySequence_Tuple(targets.get())));
  return PyObject_CallOneArg(reinterpret_cast<PyObject*>(Py_TYPE(result.get())), tuple.get());
}

}  // namespace hearth::python
