// Reading the options of creation functions; memory formats as orders of dimensions.
#include "python/src/options.h"

#include <algorithm>
#include <numeric>

#include "hearth/ops/create.h"
#include "hearth/ops/view.h"
#include "python/src/errors.h"

namespace hearth::python {

namespace {

/// repr(object): layouts and memory formats are small Python objects that print as torch.NAME.
std::string shown(PyObject* object) {
  const Owned text(checked(PyObject_Repr(object)));
  return PyUnicode_AsUTF8(text.get());
}

std::vector<int64_t> channels_last_order(int dims) {
  std::vector<int64_t> order{0};
  for (int d = 2; d < dims; ++d) order.push_back(d);
  order.push_back(1);
  return order;
}

/// The dimensions from the widest stride to the narrowest; empty where x has holes or shares elements.
std::vector<int64_t> dense_order(const Tensor& x) {
  std::vector<int64_t> order(size_t(x.dim()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return x.strides()[int(a)] > x.strides()[int(b)]; });
  int64_t expected = 1;
  for (size_t i = order.size(); i-- > 0;) {
    const int d = int(order[i]);
    if (x.shape()[d] != 1 && x.strides()[d] != expected) return {};
    expected *= x.shape()[d];
  }
  return order;
}

std::vector<int64_t> order_of(const Tensor& x, MemoryFormat format) {
  if (format == MemoryFormat::preserve) return x.numel() ? dense_order(x) : std::vector<int64_t>{};
  if (format == MemoryFormat::contiguous) return {};
  const int needed = format == MemoryFormat::channels_last ? 4 : 5;
  check<ShapeError>(x.dim() == needed, "memory_format: required rank ", needed,
                    " tensor to use channels_last format: ", x.shape());
  return channels_last_order(needed);
}

Shape inverse(const std::vector<int64_t>& order) {
  Shape dims(int(order.size()), 0);
  for (size_t i = 0; i < order.size(); ++i) dims[int(order[i])] = int64_t(i);
  return dims;
}

}  // namespace

void check_device(Device device) {
  if (device.type == DeviceType::cuda) {
    PyErr_SetString(PyExc_AssertionError, "Torch not compiled with CUDA enabled");
    throw_python();
  }
}

Tensor on_device(const Tensor& x, Device device) {
  if (device.type != DeviceType::meta || x.device().type == DeviceType::meta) return x;
  return Tensor::empty({x.numel() ? x.numel() : 0}, x.dtype(), device).alias(x.shape(), x.strides(), 0);
}

Tensor finish(Tensor x, const Options& options) {
  x = on_device(x, options.device);
  if (options.requires_grad) x.set_requires_grad();
  return x;
}

Options read_options(Args& a, int first, Dtype fallback, Device device) {
  const Options options{a.dtype(first, fallback), a.device(first + 2, device), a.flag(first + 4)};
  if (a.given(first + 1)) {
    const std::string layout = shown(a.object(first + 1));
    check<NotImplementedError>(layout == "torch.strided", a.op(), ": layout not supported: ", layout);
  }
  check<DeviceError>(!a.flag(first + 3), a.op(),
                     ": pin_memory: Cannot access accelerator device when none is available");
  check_device(options.device);
  return options;
}

MemoryFormat memory_format_from(PyObject* object, const char* op, MemoryFormat fallback) {
  if (object == Py_None) return fallback;
  const std::string name = shown(object);
  if (name == "torch.contiguous_format") return MemoryFormat::contiguous;
  if (name == "torch.preserve_format") return MemoryFormat::preserve;
  if (name == "torch.channels_last") return MemoryFormat::channels_last;
  if (name == "torch.channels_last_3d") return MemoryFormat::channels_last_3d;
  fail_type("%s(): argument 'memory_format' must be torch.memory_format, not %s", op, Py_TYPE(object)->tp_name);
}

bool has_format(const Tensor& x, MemoryFormat format) {
  if (format == MemoryFormat::contiguous) return x.is_contiguous();
  if (format == MemoryFormat::preserve) return true;
  if (x.dim() != (format == MemoryFormat::channels_last ? 4 : 5)) return false;
  int64_t expected = 1;
  const std::vector<int64_t> order = channels_last_order(x.dim());
  for (size_t i = order.size(); i-- > 0;) {
    const int d = int(order[i]);
    if (x.shape()[d] != 1 && x.strides()[d] != expected) return false;
    expected *= x.shape()[d];
  }
  return true;
}

Tensor with_format(const Tensor& x, MemoryFormat format, bool copy) {
  if (format == MemoryFormat::preserve && !copy) return x;
  if (!copy && has_format(x, format)) return x;
  const std::vector<int64_t> order = order_of(x, format);
  if (order.empty()) return copy ? clone(x) : contiguous(x);
  return permute(clone(permute(x, Shape(order))), inverse(order));
}

Tensor in_memory_order(const Tensor& x, const std::function<Tensor(const Tensor&)>& f) {
  const std::vector<int64_t> order = x.is_contiguous() ? std::vector<int64_t>{} : order_of(x, MemoryFormat::preserve);
  return order.empty() ? f(x) : permute(f(permute(x, Shape(order))), inverse(order));
}

Tensor empty_in_format(const Tensor& x, Dtype dtype, MemoryFormat format) {
  const std::vector<int64_t> order = order_of(x, format);
  if (order.empty() || (format == MemoryFormat::preserve && x.is_contiguous()))
    return Tensor::empty(x.shape(), dtype, x.device());
  Shape sizes;
  for (int64_t d : order) sizes.push_back(x.shape()[int(d)]);
  const Tensor flat = Tensor::empty(sizes, dtype, x.device());
  Shape strides(x.dim(), 0);
  for (size_t i = 0; i < order.size(); ++i) strides[int(order[i])] = flat.strides()[int(i)];
  return flat.alias(x.shape(), strides, 0);
}

}  // namespace hearth::python
