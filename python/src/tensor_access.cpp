// Reading a tensor from Python: item, tolist, numpy, sizes and addresses.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <complex>

#include "hearth/core/dispatch.h"
#include "hearth/ops/create.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

template <class T>
PyObject* number(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return PyBool_FromLong(value);
  else if constexpr (std::is_same_v<T, uint64_t>)
    return PyLong_FromUnsignedLongLong(value);
  else if constexpr (std::is_integral_v<T>)
    return PyLong_FromLongLong(value);
  else if constexpr (requires { value.imag(); })
    return PyComplex_FromDoubles(double(value.real()), double(value.imag()));
  else
    return PyFloat_FromDouble(double(float(value)) == double(value) ? double(float(value)) : double(value));
}

template <class T>
PyObject* list(const T* at, const Tensor& x, int level) {
  if (level == x.dim()) return number(*at);
  Owned made(checked(PyList_New(x.shape()[level])));
  for (int64_t i = 0; i < x.shape()[level]; ++i)
    PyList_SET_ITEM(made.get(), i, checked(list(at + i * x.strides()[level], x, level + 1)));
  return made.release();
}

nb::dlpack::dtype dlpack_dtype(Dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  const Code code = is_complex(dtype)             ? Code::Complex
                    : dtype == Dtype::bfloat16    ? Code::Bfloat
                    : is_floating(dtype)          ? Code::Float
                    : dtype == Dtype::boolean     ? Code::Bool
                    : dtype_name(dtype)[0] == 'u' ? Code::UInt
                                                  : Code::Int;
  return {uint8_t(code), uint8_t(8 * dtype_size(dtype)), 1};
}

template <class Framework>
PyObject* shared_array(PyObject* object, const Tensor& x) {
  std::vector<size_t> shape(x.shape().begin(), x.shape().end());
  std::vector<int64_t> strides(x.strides().begin(), x.strides().end());
  // The array keeps the tensor's object, and so its memory, alive.
  nb::ndarray<Framework> array(x.raw(), shape.size(), shape.data(), nb::handle(object), strides.data(),
                               dlpack_dtype(x.dtype()));
  return nb::cast(array, nb::rv_policy::reference).release().ptr();
}

void check_plain(const char* op, const Tensor& x) {
  check<ValueError>(!x.requires_grad(), op,
                    ": Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  if (x.device().type != DeviceType::cpu) fail_type("%s: only tensors on the CPU can be read: this one is on meta", op);
}

const Binding binding{[](Module& m) {
  m.def(
      "item(input: Tensor)",
      [](Args& a) -> PyObject* {
        const Tensor& x = a.tensor(0);
        check<ValueError>(x.numel() == 1, "item: a Tensor with ", x.numel(), " elements cannot be converted to Scalar");
        PyObject* value = nullptr;
        dispatch(AllTypes{}, x.dtype(), "item", [&]<class T>() { value = number(*static_cast<const T*>(x.raw())); });
        return value;
      },
      method_only);
  m.def(
      "tolist(input: Tensor)",
      [](Args& a) -> PyObject* {
        const Tensor& x = a.tensor(0);
        PyObject* value = nullptr;
        dispatch(AllTypes{}, x.dtype(), "tolist",
                 [&]<class T>() { value = list(static_cast<const T*>(x.raw()), x, 0); });
        return value;
      },
      method_only);
  m.def(
      "_numpy(input: Tensor)",
      [](Args& a) -> PyObject* {
        const Tensor& x = a.tensor(0);
        check_plain("numpy", x);
        if (x.dtype() == Dtype::bfloat16) fail_type("numpy: Got unsupported ScalarType BFloat16");
        return shared_array<nb::numpy>(a.object(0), x);
      },
      method_only);
  m.def(
      "size(input: Tensor, dim: int? = None)",
      [](Args& a) -> PyObject* {
        if (!a.given(1)) return size_object(a.tensor(0).shape());
        return PyLong_FromLongLong(a.tensor(0).size(a.integer(1)));
      },
      method_only);
  m.def(
      "stride(input: Tensor, dim: int? = None)",
      [](Args& a) -> PyObject* {
        const Tensor& x = a.tensor(0);
        if (a.given(1)) return PyLong_FromLongLong(x.stride(a.integer(1)));
        Owned tuple(checked(PyTuple_New(x.dim())));
        for (int d = 0; d < x.dim(); ++d) PyTuple_SET_ITEM(tuple.get(), d, PyLong_FromLongLong(x.strides()[d]));
        return tuple.release();
      },
      method_only);
  m.def(
      "dim(input: Tensor)", [](Args& a) { return int64_t(a.tensor(0).dim()); }, method_only);
  m.def(
      "numel(input: Tensor)", [](Args& a) { return a.tensor(0).numel(); }, method);
  m.def(
      "storage_offset(input: Tensor)", [](Args& a) { return a.tensor(0).offset(); }, method_only);
  m.def(
      "data_ptr(input: Tensor)", [](Args& a) { return int64_t(reinterpret_cast<intptr_t>(a.tensor(0).raw())); },
      method_only);
  m.def(
      "element_size(input: Tensor)", [](Args& a) { return int64_t(dtype_size(a.tensor(0).dtype())); }, method_only);
  m.def(
      "is_floating_point(input: Tensor)", [](Args& a) { return is_floating(a.tensor(0).dtype()); }, method);
  m.def(
      "is_complex(input: Tensor)", [](Args& a) { return is_complex(a.tensor(0).dtype()); }, method);
  m.def(
      "_is_contiguous(input: Tensor)", [](Args& a) { return a.tensor(0).is_contiguous(); }, method_only);
  m.def(
      "_storage_ptr(input: Tensor)",
      [](Args& a) { return int64_t(reinterpret_cast<intptr_t>(a.tensor(0).storage()->data())); }, method_only);
  m.def(
      "_storage_bytes(input: Tensor)", [](Args& a) { return int64_t(a.tensor(0).storage()->bytes()); }, method_only);
  m.def(
      "_storage_writable(input: Tensor)", [](Args& a) { return a.tensor(0).storage()->writable(); }, method_only);
}};

}  // namespace

}  // namespace hearth::python
