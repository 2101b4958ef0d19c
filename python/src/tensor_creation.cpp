// Creation functions: torch.tensor, zeros, arange … and tensors that share memory with Python objects.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "hearth/core/default_dtype.h"
#include "hearth/ops/create.h"
#include "hearth/ops/random.h"
#include "python/src/binding.h"
#include "python/src/create.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

Tensor finish(Tensor x, bool requires_grad) {
  if (requires_grad) x.set_requires_grad();
  return x;
}

const Binding binding{[](Module& m) {
  m.def(
      "tensor(data, *, dtype: dtype? = None, device: device? = None, requires_grad: bool = False, pin_memory: bool = "
      "False)",
      [](Args& a) { return finish(tensor_from_data(a.object(0), a.dtype_or_none(1), "tensor"), a.flag(3)); });
  m.def("from_numpy(ndarray)", [](Args& a) { return tensor_from_buffer(a.object(0), "from_numpy"); });
  m.def(
      "empty(size: ints..., *, out: Tensor? = None, dtype: dtype? = None, layout = None, device: device? = None, "
      "requires_grad: bool = False, pin_memory: bool = False, memory_format = None)",
      [](Args& a) { return finish(empty(a.shape(0), a.dtype(2, default_dtype()), a.device(4)), a.flag(5)); });
  m.def(
      "zeros(size: ints..., *, out: Tensor? = None, dtype: dtype? = None, layout = None, device: device? = None, "
      "requires_grad: bool = False, pin_memory: bool = False)",
      [](Args& a) { return finish(zeros(a.shape(0), a.dtype(2, default_dtype()), a.device(4)), a.flag(5)); });
  m.def(
      "ones(size: ints..., *, out: Tensor? = None, dtype: dtype? = None, layout = None, device: device? = None, "
      "requires_grad: bool = False, pin_memory: bool = False)",
      [](Args& a) { return finish(ones(a.shape(0), a.dtype(2, default_dtype()), a.device(4)), a.flag(5)); });
  m.def(
      "rand(size: ints..., *, generator: Generator? = None, out: Tensor? = None, dtype: dtype? = None, layout = None, "
      "device: device? = None, requires_grad: bool = False, pin_memory: bool = False)",
      [](Args& a) { return finish(rand(a.shape(0), a.dtype(3, default_dtype()), a.generator(1)), a.flag(6)); });
  m.def(
      "randn(size: ints..., *, generator: Generator? = None, out: Tensor? = None, dtype: dtype? = None, layout = None, "
      "device: device? = None, requires_grad: bool = False, pin_memory: bool = False)",
      [](Args& a) { return finish(randn(a.shape(0), a.dtype(3, default_dtype()), a.generator(1)), a.flag(6)); });
}};

}  // namespace

}  // namespace hearth::python
