// DLPack: memory shared with other libraries, in both directions.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "hearth/core/dispatch.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

nb::dlpack::dtype type_code(Dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  Code code = is_unsigned(dtype) ? Code::UInt : Code::Int;
  if (is_complex(dtype)) code = Code::Complex;
  if (is_floating(dtype)) code = dtype == Dtype::bfloat16 ? Code::Bfloat : Code::Float;
  if (dtype == Dtype::boolean) code = Code::Bool;
  return {uint8_t(code), uint8_t(8 * dtype_size(dtype)), 1};
}

/// The dtype of the array's elements. Raises TypeError for one that hearth lacks.
Dtype dtype_from_code(nb::dlpack::dtype code) {
  for (int i = 0; i < dtype_count; ++i)
    if (type_code(Dtype(i)) == code) return Dtype(i);
  fail_type("from_dlpack: element type not supported: code %d, %d bits", int(code.code), int(code.bits));
}

Tensor imported(PyObject* object) {
  nb::ndarray<> array;
  if (!nb::try_cast(nb::handle(object), array))
    fail_type("from_dlpack: an object with __dlpack__ is needed: got %s", Py_TYPE(object)->tp_name);
  check<DeviceError>(array.device_type() == nb::device::cpu::value,
                     "from_dlpack: only memory of the CPU can be shared");
  Shape shape, strides;
  int64_t last = 0;
  for (size_t d = 0; d < array.ndim(); ++d) {
    check<ValueError>(array.stride(d) >= 0, "from_dlpack: negative strides are not supported: ", array.stride(d));
    shape.push_back(int64_t(array.shape(d)));
    strides.push_back(array.stride(d));
    last += array.shape(d) > 0 ? (int64_t(array.shape(d)) - 1) * array.stride(d) : 0;
  }
  const Dtype dtype = dtype_from_code(array.dtype());
  void* data = array.data();
  auto owner = std::make_shared<nb::ndarray<>>(std::move(array));
  Ref<Storage> storage(new Storage({}, data, size_t(last + 1) * dtype_size(dtype), owner, true));
  return Tensor(Ref<TensorImpl>(new TensorImpl(std::move(storage), dtype, shape, strides, 0)));
}

PyObject* exported(PyObject* object) {
  const Tensor& x = unwrap(object);
  std::vector<size_t> shape(x.shape().begin(), x.shape().end());
  std::vector<int64_t> strides(x.strides().begin(), x.strides().end());
  // The capsule keeps the tensor's object, and so its memory, alive.
  nb::ndarray<> array(x.raw(), shape.size(), shape.data(), nb::handle(object), strides.data(), type_code(x.dtype()));
  return nb::cast(array, nb::rv_policy::reference).release().ptr();
}

const Binding binding{[](Module& m) {
  m.def("_from_dlpack(ext_tensor)", [](Args& a) { return imported(a.object(0)); });
  m.def("_dlpack(input: Tensor)", [](Args& a) { return exported(a.object(0)); });
}};

}  // namespace

}  // namespace hearth::python
