// Options: the keyword arguments that creation functions share, and memory formats.
#pragma once

#include <functional>

#include "hearth/core/tensor.h"
#include "python/src/args.h"

namespace hearth::python {

/// The shared keywords as signature text; a function puts them last and names the place of `dtype`.
inline constexpr const char* creation_options =
    "dtype: dtype? = None, layout = None, device: device? = None, pin_memory: bool = False, requires_grad: bool = "
    "False";

/// What the shared keywords say.
struct Options {
  Dtype dtype;
  Device device;
  bool requires_grad;
};

/// Reads dtype, layout, device, pin_memory and requires_grad from places first ... first + 4. Layouts other than
/// strided, pinned memory and devices that are not there are refused by name.
Options read_options(Args& a, int first, Dtype fallback, Device device = {});

/// Raises AssertionError for CUDA, as PyTorch built for the CPU does.
void check_device(Device device);

/// `x` on the device that was asked for, as a leaf that requires grad where that was asked for.
Tensor finish(Tensor x, const Options& options);
/// x itself, or a meta tensor of its shape and strides.
Tensor on_device(const Tensor& x, Device device);

enum class MemoryFormat : uint8_t { contiguous, preserve, channels_last, channels_last_3d };

/// None reads as `fallback`. Raises TypeError for what is no memory format.
MemoryFormat memory_format_from(PyObject* object, const char* op, MemoryFormat fallback);
/// Whether x lies in memory as the format wants it.
bool has_format(const Tensor& x, MemoryFormat format);
/// x itself where it lies so already (unless `copy`), else a copy; differentiable. `preserve` keeps the strides of
/// dense tensors. Raises RuntimeError where the number of dimensions does not suit.
Tensor with_format(const Tensor& x, MemoryFormat format, bool copy);
/// f(x), which gets and gives a contiguous tensor, with x's strides where x is dense.
Tensor in_memory_order(const Tensor& x, const std::function<Tensor(const Tensor&)>& f);
/// Uninitialised, in x's shape; `preserve` takes x's strides where x is dense.
Tensor empty_in_format(const Tensor& x, Dtype dtype, MemoryFormat format);

}  // namespace hearth::python
