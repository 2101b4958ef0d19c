// torch.tensor and from_numpy: reading Python data.
#include "python/src/create.h"

#include <complex>
#include <cstring>

#include "hearth/core/default_dtype.h"
#include "hearth/core/dispatch.h"
#include "hearth/ops/create.h"
#include "hearth/ops/view.h"
#include "python/src/args.h"
#include "python/src/errors.h"
#include "python/src/signature.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

bool is_sequence(PyObject* object) {
  return PyTuple_Check(object) || PyList_Check(object) || PyRange_Check(object) ||
         (PySequence_Check(object) && !PyUnicode_Check(object) && !PyBytes_Check(object) && !is_tensor(object) &&
          !PyObject_CheckBuffer(object));
}

constexpr int max_depth = 128;

/// Goes down the first elements.
Shape shape_of(PyObject* data) {
  Shape shape;
  Owned keep(Py_NewRef(data));
  while (is_sequence(keep.get())) {
    check<ValueError>(shape.size() < max_depth, "tensor: nested too deeply: more than ", max_depth, " levels");
    const Py_ssize_t count = PySequence_Size(keep.get());
    if (count < 0) throw_python();
    shape.push_back(count);
    if (count == 0) return shape;
    keep = Owned(checked(PySequence_GetItem(keep.get(), 0)));
  }
  if (is_tensor(keep.get()))
    for (int64_t size : unwrap(keep.get()).shape()) shape.push_back(size);
  return shape;
}

int rank_of(Dtype dtype) {
  if (is_complex(dtype)) return 3;
  if (is_floating(dtype)) return 2;
  return dtype == Dtype::boolean ? 0 : 1;
}

/// The dtype that all elements together ask for.
void infer(PyObject* data, std::optional<Dtype>& found, const char* op, int depth = 0) {
  const auto take = [&](Dtype dtype) { found = !found || rank_of(dtype) > rank_of(*found) ? dtype : *found; };
  check<ValueError>(depth <= max_depth, op, ": nested too deeply");
  if (PyFloat_Check(data)) return take(default_dtype());
  if (PyBool_Check(data)) return take(Dtype::boolean);
  if (PyLong_Check(data)) return take(Dtype::int64);
  if (PyComplex_Check(data)) return take(complex_type(default_dtype()));
  if (is_tensor(data)) {
    const Dtype dtype = unwrap(data).dtype();
    found = found ? promote_types(*found, dtype) : dtype;
    return;
  }
  if (is_sequence(data)) {
    const Owned fast(checked(PySequence_Fast(data, "a sequence is needed")));
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(fast.get());
    for (Py_ssize_t i = 0; i < count; ++i) infer(PySequence_Fast_GET_ITEM(fast.get(), i), found, op, depth + 1);
    return;
  }
  if (PyObject_CheckBuffer(data)) {
    const Dtype dtype = tensor_from_buffer(data, op).dtype();
    found = found ? promote_types(*found, dtype) : dtype;
    return;
  }
  if (PyIndex_Check(data)) return take(Dtype::int64);
  if (is_number(data)) return take(default_dtype());
  fail_type("%s: could not infer a dtype: got %s", op, Py_TYPE(data)->tp_name);
}

template <class T>
T element(PyObject* object, const char* op) {
  if (PyFloat_Check(object) || !PyLong_Check(object)) {
    const Scalar value = scalar_from(object, op);
    if constexpr (requires(T t) { t.imag(); }) {
      const std::complex<double> z = value.to_complex();
      return T(typename T::value_type(z.real()), typename T::value_type(z.imag()));
    } else {
      return value.is_floating() || value.is_complex() ? T(value.to_double()) : T(value.to_int64());
    }
  }
  if constexpr (std::is_same_v<T, uint64_t>) {
    const unsigned long long value = PyLong_AsUnsignedLongLong(object);
    if (PyErr_Occurred()) throw_python();
    return value;
  } else if constexpr (std::is_integral_v<T>) {
    return T(integer_from(object, op));
  } else {
    const double value = PyLong_AsDouble(object);
    if (value == -1 && PyErr_Occurred()) throw_python();
    if constexpr (requires(T t) { t.imag(); })
      return T(typename T::value_type(value));
    else
      return T(value);
  }
}

template <class T>
void write(PyObject* data, const Shape& shape, int level, T*& at, const char* op) {
  if (level == shape.size()) {
    if (is_sequence(data)) fail<ValueError>(op, ": the lists are ragged: expected a number at depth ", level);
    *at++ = element<T>(data, op);
    return;
  }
  if (is_tensor(data)) {
    const Tensor flat = to(reshape(unwrap(data).detach(), {-1}), dtype_of<T>);
    std::memcpy(at, flat.raw(), size_t(flat.numel()) * sizeof(T));
    at += flat.numel();
    return;
  }
  if (!is_sequence(data))
    fail<ValueError>(op, ": the lists are ragged: expected a sequence of length ", shape[level], " at dim ", level);
  const Owned fast(checked(PySequence_Fast(data, "a sequence is needed")));
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(fast.get());
  check<ValueError>(count == shape[level], op, ": expected sequence of length ", shape[level], " at dim ", level,
                    " (got ", count, ")");
  for (Py_ssize_t i = 0; i < count; ++i) write(PySequence_Fast_GET_ITEM(fast.get(), i), shape, level + 1, at, op);
}

void check_same_shapes(PyObject* data, const Shape& shape, int level, const char* op) {
  if (is_tensor(data)) {
    const Shape& own = unwrap(data).shape();
    bool same = own.size() == shape.size() - level;
    for (int d = 0; same && d < own.size(); ++d) same = own[d] == shape[level + d];
    check<ValueError>(same, op, ": a tensor of shape ", own, " among data of shape ", shape);
    return;
  }
  if (level >= shape.size() || !is_sequence(data)) return;
  const Owned fast(checked(PySequence_Fast(data, "a sequence is needed")));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i)
    check_same_shapes(PySequence_Fast_GET_ITEM(fast.get(), i), shape, level + 1, op);
}

Dtype dtype_from_format(const char* format, size_t bytes, const char* op) {
  const char* code = format ? format : "B";
  if (*code == '@' || *code == '=' || *code == '<' || *code == '|') ++code;
  const bool pair = *code == 'Z';
  if (pair) ++code;
  const char kind = *code;
  if (pair && kind == 'f') return Dtype::complex64;
  if (pair && kind == 'd') return Dtype::complex128;
  if (kind == '?') return Dtype::boolean;
  if (kind == 'e') return Dtype::float16;
  if (kind == 'f') return Dtype::float32;
  if (kind == 'd') return Dtype::float64;
  static constexpr Dtype sizes[2][4] = {{Dtype::int8, Dtype::int16, Dtype::int32, Dtype::int64},
                                        {Dtype::uint8, Dtype::uint16, Dtype::uint32, Dtype::uint64}};
  const int width = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : -1;
  if (width >= 0 && std::strchr("bhilqn", kind)) return sizes[0][width];
  if (width >= 0 && std::strchr("BHILQNc", kind)) return sizes[1][width];
  fail_type(
      "%s: can't convert elements of format '%s'; hearth has float64 float32 float16 complex64 complex128 int64 "
      "int32 int16 int8 uint64 uint32 uint16 uint8 bool",
      op, format);
}

}  // namespace

Tensor tensor_from_buffer(PyObject* object, const char* op) {
  auto view = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(object, view.get(), PyBUF_FORMAT | PyBUF_STRIDES | PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    if (PyObject_GetBuffer(object, view.get(), PyBUF_FORMAT | PyBUF_STRIDES) < 0) throw_python();
  }
  std::shared_ptr<Py_buffer> owner(view.release(), [](Py_buffer* buffer) {
    const PyGILState_STATE state = PyGILState_Ensure();
    PyBuffer_Release(buffer);
    PyGILState_Release(state);
    delete buffer;
  });
  const Dtype dtype = dtype_from_format(owner->format, size_t(owner->itemsize), op);
  Shape shape, strides;
  int64_t last = 0;
  for (int d = 0; d < owner->ndim; ++d) {
    const int64_t bytes = owner->strides[d];
    check<ValueError>(bytes >= 0, op, ": negative strides are not supported; make a copy (array.copy()): ", bytes);
    check<ValueError>(bytes % owner->itemsize == 0, op, ": strides must be whole elements: ", bytes, " bytes");
    shape.push_back(owner->shape[d]);
    strides.push_back(bytes / owner->itemsize);
    last += (owner->shape[d] > 0 ? owner->shape[d] - 1 : 0) * bytes;
  }
  const size_t bytes = size_t(last + owner->itemsize);
  Ref<Storage> storage(new Storage({}, owner->buf, bytes, owner, !owner->readonly));
  return Tensor(Ref<TensorImpl>(new TensorImpl(std::move(storage), dtype, shape, strides, 0)));
}

Tensor tensor_from_data(PyObject* data, std::optional<Dtype> dtype, const char* op) {
  if (is_tensor(data)) {
    const Tensor plain = unwrap(data).detach();
    return dtype && *dtype != plain.dtype() ? to(plain, *dtype) : clone(plain);
  }
  if (!is_sequence(data) && PyObject_CheckBuffer(data)) {
    const Tensor shared = tensor_from_buffer(data, op);
    return dtype && *dtype != shared.dtype() ? to(shared, *dtype) : clone(shared);
  }
  const Shape shape = shape_of(data);
  if (!dtype) infer(data, dtype, op);
  check_same_shapes(data, shape, 0, op);
  const Tensor made = Tensor::empty(shape, dtype.value_or(default_dtype()));
  if (made.numel() == 0) return made;
  dispatch(AllTypes{}, made.dtype(), op, [&]<class T>() {
    T* at = static_cast<T*>(made.raw());
    write<T>(data, shape, 0, at, op);
  });
  return made;
}

}  // namespace hearth::python
