// Reading and writing through index tensors.
#include "hearth/ops/create.h"
#include "hearth/ops/index.h"
#include "hearth/ops/scatter_reduce.h"
#include "hearth/ops/view.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/index.h"

namespace hearth::python {

namespace {

PyObject* itself(Args& a) { return Py_NewRef(a.object(0)); }

const Binding rows{[](Module& m) {
  m.def(
      "index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return index_select(a.tensor(0), a.integer(1), a.tensor(2)); }, method);
  m.def(
      "index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1, out: Tensor? = None)",
      [](Args& a) { return index_add(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), a.number(4)); }, method);
  m.def(
      "index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1)",
      [](Args& a) {
        index_add_(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), a.number(4));
        return itself(a);
      },
      method_only);
  m.def(
      "index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return index_copy(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3)); }, method);
  m.def(
      "index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor)",
      [](Args& a) {
        index_copy_(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3));
        return itself(a);
      },
      method_only);
  m.def(
      "index_fill(input: Tensor, dim: int, index: Tensor, value: Number)",
      [](Args& a) {
        if (a.is_tensor(3)) return index_fill(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3));
        return index_fill(a.tensor(0), a.integer(1), a.tensor(2), a.number(3));
      },
      method | inplace);
}};

const Binding puts{[](Module& m) {
  m.def("_index_put(input: Tensor, indices: any, values: Tensor, accumulate: bool)",
        [](Args& a) { return index_put(a.tensor(0), indices_from(a.object(1)), a.tensor(2), a.flag(3)); });
}};

const Binding cells{[](Module& m) {
  m.def(
      "gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor? = None)",
      [](Args& a) { return gather(a.tensor(0), a.integer(1), a.tensor(2)); }, method);
  m.def(
      "take(input: Tensor, index: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return take(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "take_along_dim(input: Tensor, indices: Tensor, dim: int? = None, *, out: Tensor? = None)",
      [](Args& a) {
        const Tensor &x = a.tensor(0), &index = a.tensor(1);
        check<DtypeError>(index.dtype() == Dtype::int64, "take_along_dim: indices must be int64: ", index.dtype());
        if (a.given(2)) return take_along_dim(x, index, a.integer(2));
        return take_along_dim(reshape(x, {x.numel()}), reshape(index, {index.numel()}), 0);
      },
      method);
}};

ScatterReduce reduction(const char* op, const std::string& name) {
  if (name == "sum" || name == "add") return ScatterReduce::sum;
  if (name == "prod" || name == "multiply") return ScatterReduce::prod;
  if (name == "mean") return ScatterReduce::mean;
  if (name == "amax") return ScatterReduce::amax;
  if (name == "amin") return ScatterReduce::amin;
  fail<ValueError>(op, ": reduce must be sum, prod, mean, amax or amin: ", name);
}

/// scatter(..., reduce="add" or "multiply"), which takes no gradient of src.
Tensor merged(Args& a, const Tensor& src) {
  const std::string name = a.text(4);
  check<ValueError>(name == "add" || name == "multiply", "scatter: reduce must be add or multiply: ", name);
  return scatter_reduce(a.tensor(0), a.integer(1), a.tensor(2), src, reduction("scatter", name));
}

const Binding scatters{[](Module& m) {
  m.def(
      "scatter(input: Tensor, dim: int, index: Tensor, src: Tensor, *, reduce: str? = None, out: Tensor? = None)",
      [](Args& a) {
        if (!a.given(4)) return scatter(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3));
        return merged(a, a.tensor(3));
      },
      method | inplace);
  const auto by_number = [](Args& a) {
    const Tensor &x = a.tensor(0), &index = a.tensor(2);
    if (!a.given(4)) return scatter(x, a.integer(1), index, a.number(3));
    return merged(a, full(index.shape(), a.number(3), x.dtype(), x.device()));
  };
  m.def("scatter(input: Tensor, dim: int, index: Tensor, value: Number, *, reduce: str? = None, out: Tensor? = None)",
        by_number, method | inplace);
  m.def("scatter(input: Tensor, dim: int, index: Tensor, src: Number, *, reduce: str? = None, out: Tensor? = None)",
        by_number, method | inplace);
  m.def(
      "scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return scatter_add(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3)); }, method);
  m.def(
      "scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor)",
      [](Args& a) {
        scatter_add_(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3));
        return itself(a);
      },
      method_only);
  m.def(
      "scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, "
      "include_self: bool = True, out: Tensor? = None)",
      [](Args& a) {
        const Tensor &x = a.tensor(0), &index = a.tensor(2), &src = a.tensor(3);
        const ScatterReduce how = reduction("scatter_reduce", a.text(4));
        if (x.dim() && src.dim() && index.dim()) return scatter_reduce(x, a.integer(1), index, src, how, a.flag(5));
        // 0-dim operands count as one element each.
        const auto lined = [](const Tensor& t) { return t.dim() ? t : reshape(t, {1}); };
        return reshape(scatter_reduce(lined(x), a.integer(1), lined(index), lined(src), how, a.flag(5)), x.shape());
      },
      method | inplace);
}};

}  // namespace

}  // namespace hearth::python
