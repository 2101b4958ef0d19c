// Conversions: to, float(), contiguous, clone, and questions about dtypes.
#include "hearth/core/default_dtype.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/operands.h"
#include "python/src/options.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

/// x of another dtype and layout: the same object where nothing changes and no copy is asked for.
PyObject* converted(Args& a, Dtype dtype, bool copy, PyObject* format_object) {
  const Tensor& x = a.tensor(0);
  const MemoryFormat format = memory_format_from(format_object, a.op(), MemoryFormat::preserve);
  if (x.dtype() == dtype && !copy && has_format(x, format)) return Py_NewRef(a.object(0));
  if (x.dtype() == dtype) return wrap(with_format(x, format, copy));
  if (format != MemoryFormat::preserve) return wrap(with_format(to(x, dtype), format, false));
  // The strides of a dense tensor are kept, as PyTorch keeps them.
  return wrap(in_memory_order(x, [&](const Tensor& dense) { return to(dense, dtype); }));
}

void bind_to(Module& m) {
  m.def(
      "to(input: Tensor, dtype: dtype, non_blocking: bool = False, copy: bool = False, *, memory_format = None)",
      [](Args& a) { return converted(a, a.dtype(1, {}), a.flag(3), a.object(4)); }, method_only);
  m.def(
      "to(input: Tensor, device: device? = None, dtype: dtype? = None, non_blocking: bool = False, "
      "copy: bool = False, *, memory_format = None)",
      [](Args& a) {
        const Device device = a.device(1, a.tensor(0).device());
        check_device(device);
        if (device.type == DeviceType::meta)
          return wrap(on_device(
              a.dtype(2, a.tensor(0).dtype()) == a.tensor(0).dtype() ? a.tensor(0) : to(a.tensor(0), a.dtype(2, {})),
              device));
        check<NotImplementedError>(a.tensor(0).device() == device, "to: Cannot copy out of meta tensor; no data!");
        return converted(a, a.dtype(2, a.tensor(0).dtype()), a.flag(4), a.object(5));
      },
      method_only);
  m.def(
      "to(input: Tensor, other: Tensor, non_blocking: bool = False, copy: bool = False, *, memory_format = None)",
      [](Args& a) { return converted(a, a.tensor(1).dtype(), a.flag(3), a.object(4)); }, method_only);
  m.def(
      "type_as(input: Tensor, other: Tensor)",
      [](Args& a) { return converted(a, a.tensor(1).dtype(), false, Py_None); }, method_only);
  m.def(
      "cpu(input: Tensor, *, memory_format = None)",
      [](Args& a) { return converted(a, a.tensor(0).dtype(), false, a.object(1)); }, method_only);
  m.def(
      "cuda(input: Tensor, device = None, non_blocking: bool = False, *, memory_format = None)",
      [](Args& a) -> PyObject* {
        check_device({DeviceType::cuda});
        return Py_NewRef(a.object(0));
      },
      method_only);
}

template <Dtype dtype>
void def_cast(Module& m, const char* name) {
  const std::string signature = std::string(name) + "(input: Tensor, memory_format = None)";
  m.def(
      signature.c_str(), [](Args& a) { return converted(a, dtype, false, a.object(1)); }, method_only);
}

void bind_casts(Module& m) {
  def_cast<Dtype::float32>(m, "float");
  def_cast<Dtype::float64>(m, "double");
  def_cast<Dtype::float16>(m, "half");
  def_cast<Dtype::bfloat16>(m, "bfloat16");
  def_cast<Dtype::int64>(m, "long");
  def_cast<Dtype::int32>(m, "int");
  def_cast<Dtype::int16>(m, "short");
  def_cast<Dtype::int8>(m, "char");
  def_cast<Dtype::uint8>(m, "byte");
  def_cast<Dtype::boolean>(m, "bool");
  def_cast<Dtype::complex64>(m, "cfloat");
  def_cast<Dtype::complex128>(m, "cdouble");
}

void bind_layout(Module& m) {
  m.def(
      "clone(input: Tensor, *, memory_format = None)",
      [](Args& a) {
        return with_format(a.tensor(0), memory_format_from(a.object(1), "clone", MemoryFormat::preserve), true);
      },
      method);
  m.def(
      "contiguous(input: Tensor, memory_format = None)",
      [](Args& a) -> PyObject* {
        const MemoryFormat format = memory_format_from(a.object(1), "contiguous", MemoryFormat::contiguous);
        check<ValueError>(format != MemoryFormat::preserve,
                          "contiguous: preserve memory format is unsupported by the contiguous operator");
        if (has_format(a.tensor(0), format)) return Py_NewRef(a.object(0));
        return wrap(with_format(a.tensor(0), format, false));
      },
      method_only);
  m.def(
      "is_contiguous(input: Tensor, *, memory_format = None)",
      [](Args& a) {
        return has_format(a.tensor(0), memory_format_from(a.object(1), "is_contiguous", MemoryFormat::contiguous));
      },
      method_only);
}

/// The dtype of x op y for tensors and numbers.
Dtype common_dtype(Args& a) {
  if (a.is_tensor(0))
    return a.is_tensor(1) ? result_type(a.tensor(0), a.tensor(1)) : result_type(a.tensor(0), number_operand(a, 1));
  if (a.is_tensor(1)) return result_type(a.tensor(1), number_operand(a, 0));
  return promote_types(number_operand(a, 0).dtype(), number_operand(a, 1).dtype());
}

int category(Dtype dtype) { return is_complex(dtype) ? 3 : is_floating(dtype) ? 2 : dtype == Dtype::boolean ? 0 : 1; }

void bind_dtypes(Module& m) {
  m.def("promote_types(type1: dtype, type2: dtype)",
        [](Args& a) { return promote_types(a.dtype(0, {}), a.dtype(1, {})); });
  m.def("result_type(tensor1, tensor2)", [](Args& a) { return common_dtype(a); });
  m.def("can_cast(from_: dtype, to: dtype)",
        [](Args& a) { return category(a.dtype(0, {})) <= category(a.dtype(1, {})); });
  m.def("get_default_dtype()", [](Args&) { return default_dtype(); });
  m.def("set_default_dtype(d: dtype)", [](Args& a) {
    check<DtypeError>(is_floating(a.dtype(0, {})),
                      "set_default_dtype: only floating-point types are supported as the default type");
    set_default_dtype(a.dtype(0, {}));
    return Py_NewRef(Py_None);
  });
  m.def(
      "is_nonzero(input: Tensor)",
      [](Args& a) -> PyObject* {
        const int truth = PyObject_IsTrue(a.object(0));
        if (truth < 0) throw_python();
        return PyBool_FromLong(truth);
      },
      method);
}

const Binding binding{[](Module& m) {
  bind_to(m);
  bind_casts(m);
  bind_layout(m);
  bind_dtypes(m);
}};

}  // namespace

}  // namespace hearth::python
