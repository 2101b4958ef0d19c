// Order: sorting, largest elements, searching, counting.
#include "hearth/ops/sort.h"

#include "hearth/ops/create.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

PyObject* ordered(const char* name, const Ordered& found) {
  return to_python(Named{name, {"values", "indices"}, {found.values, found.indices}});
}

const Binding sorts{[](Module& m) {
  m.def(
      "sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: any = None)",
      [](Args& a) { return ordered("sort", sort(a.tensor(0), a.integer(1), a.flag(2))); }, method);
  m.def(
      "sort(input: Tensor, *, stable: bool?, dim: int = -1, descending: bool = False, out: any = None)",
      [](Args& a) { return ordered("sort", sort(a.tensor(0), a.integer(2), a.flag(3))); }, method);
  m.def(
      "argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return argsort(a.tensor(0), a.integer(1), a.flag(2)); }, method);
  m.def(
      "msort(input: Tensor, *, out: Tensor? = None)", [](Args& a) { return msort(a.tensor(0)); }, method);
  m.def(
      "topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, out: any = None)",
      [](Args& a) { return ordered("topk", topk(a.tensor(0), a.integer(1), a.integer(2), a.flag(3))); }, method);
  m.def(
      "kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: any = None)",
      [](Args& a) { return ordered("kthvalue", kthvalue(a.tensor(0), a.integer(1), a.integer(2), a.flag(3))); },
      method);
}};

const Binding counts{[](Module& m) {
  m.def(
      "bincount(input: Tensor, weights: Tensor? = None, minlength: int = 0)",
      [](Args& a) { return bincount(a.tensor(0), a.tensor_or_none(1), a.integer(2)); }, method);
  m.def(
      "histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0, *, out: Tensor? = None)",
      [](Args& a) { return histc(a.tensor(0), a.integer(1), a.real(2), a.real(3)); }, method);
  m.def("_searchsorted(boundaries: Tensor, values: Tensor, right: bool)",
        [](Args& a) { return searchsorted(a.tensor(0), a.tensor(1), a.flag(2)); });
  m.def("_sort_rows(input: Tensor)", [](Args& a) { return sort_rows(a.tensor(0)); });
  m.def("_unique(input: Tensor)", [](Args& a) {
    const Unique u = unique(a.tensor(0));
    return TensorList{u.values, u.inverse, u.counts};
  });
}};

}  // namespace

}  // namespace hearth::python
