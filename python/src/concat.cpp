// Joining, repeating and rearranging whole tensors.
#include "hearth/ops/concat.h"

#include "hearth/ops/create.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding joins{[](Module& m) {
  const auto joined = [](Args& a) { return cat(a.tensors(0), a.integer(1)); };
  m.def("cat(tensors: Tensors, dim: int = 0, *, out: Tensor? = None)", joined);
  m.def("concat(tensors: Tensors, dim: int = 0, *, out: Tensor? = None)", joined);
  m.def("concatenate(tensors: Tensors, dim: int = 0, *, out: Tensor? = None)", joined);
  m.def("stack(tensors: Tensors, dim: int = 0, *, out: Tensor? = None)",
        [](Args& a) { return stack(a.tensors(0), a.integer(1)); });
}};

const Binding repeats{[](Module& m) {
  m.def(
      "repeat(input: Tensor, repeats: ints...)", [](Args& a) { return repeat(a.tensor(0), a.shape(1)); }, method_only);
  m.def(
      "tile(input: Tensor, dims: ints...)", [](Args& a) { return tile(a.tensor(0), a.shape(1)); }, method);
  m.def(
      "repeat_interleave(input: Tensor, repeats: int, dim: int? = None, *, output_size: int? = None)",
      [](Args& a) { return repeat_interleave(a.tensor(0), a.integer(1), a.integer_or_none(2)); }, method);
  m.def(
      "repeat_interleave(input: Tensor, repeats: Tensor, dim: int? = None, *, output_size: int? = None)",
      [](Args& a) { return repeat_interleave(a.tensor(0), a.tensor(1), a.integer_or_none(2)); }, method);
  m.def("repeat_interleave(repeats: Tensor, *, output_size: int? = None)",
        [](Args& a) { return repeat_interleave(arange(0, a.tensor(0).numel()), a.tensor(0), 0); });
  m.def(
      "roll(input: Tensor, shifts: ints, dims: ints? = None)",
      [](Args& a) { return roll(a.tensor(0), a.ints(1), a.ints(2)); }, method);
  m.def(
      "flip(input: Tensor, dims: ints...)", [](Args& a) { return flip(a.tensor(0), a.ints(1)); }, method);
  m.def(
      "tril(input: Tensor, diagonal: int = 0, *, out: Tensor? = None)",
      [](Args& a) { return tril(a.tensor(0), a.integer(1)); }, method | inplace);
  m.def(
      "triu(input: Tensor, diagonal: int = 0, *, out: Tensor? = None)",
      [](Args& a) { return triu(a.tensor(0), a.integer(1)); }, method | inplace);
  m.def("_meshgrid(tensors: Tensors, indexing: str)", [](Args& a) { return meshgrid(a.tensors(0), a.text(1)); });
}};

}  // namespace

}  // namespace hearth::python
