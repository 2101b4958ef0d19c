// Other geometry or memory for a tensor in place.
#include "hearth/ops/resize.h"

#include "hearth/ops/create.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding binding{[](Module& m) {
  m.def(
      "resize_(input: Tensor, size: ints..., *, memory_format: any = None)",
      [](Args& a) {
        resize_(a.tensor(0), a.shape(1));
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "resize_as_(input: Tensor, the_template: Tensor, *, memory_format: any = None)",
      [](Args& a) {
        resize_(a.tensor(0), a.tensor(1).shape());
        return Py_NewRef(a.object(0));
      },
      method);
  m.def(
      "set_(input: Tensor)",
      [](Args& a) {
        const Tensor none = empty({0}, a.tensor(0).dtype());
        set_(a.tensor(0), none, {0}, {1}, 0);
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "set_(input: Tensor, source: Tensor)",
      [](Args& a) {
        const Tensor& from = a.tensor(1);
        set_(a.tensor(0), from, from.shape(), from.strides(), from.offset());
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "set_(input: Tensor, source: Tensor, storage_offset: int, size: ints, stride: ints? = None)",
      [](Args& a) {
        const Shape size = a.shape(3);
        set_(a.tensor(0), a.tensor(1), size, a.given(4) ? a.shape(4) : contiguous_strides(size), a.integer(2));
        return Py_NewRef(a.object(0));
      },
      method_only);
}};

}  // namespace

}  // namespace hearth::python
