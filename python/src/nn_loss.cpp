// Losses whose fused or careful form is in hearth/ops/loss.h; the others are Python over core ops.
#include "hearth/ops/loss.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

Reduction reduction_of(Args& a, int i) {
  const std::string name = a.text(i);
  if (name == "none") return Reduction::none;
  if (name == "sum") return Reduction::sum;
  check<ValueError>(name == "mean", name, " is not a valid value for reduction");
  return Reduction::mean;
}

/// (input, target, weight, ignore_index, reduction, label_smoothing)
ClassOptions class_options(Args& a) {
  ClassOptions o;
  o.weight = a.tensor_or_none(2);
  o.ignore_index = a.integer(3);
  o.reduction = reduction_of(a, 4);
  return o;
}

const Binding binding{[](Module& m) {
  m.def(
      "_nn_cross_entropy(input: Tensor, target: Tensor, weight: Tensor?, ignore_index: int, reduction: str, "
      "label_smoothing: float)",
      [](Args& a) {
        ClassOptions o = class_options(a);
        o.label_smoothing = a.real(5);
        return cross_entropy(a.tensor(0), a.tensor(1), o);
      });
  m.def("_nn_nll_loss(input: Tensor, target: Tensor, weight: Tensor?, ignore_index: int, reduction: str)",
        [](Args& a) { return nll_loss(a.tensor(0), a.tensor(1), class_options(a)); });
  m.def("_nn_mse_loss(input: Tensor, target: Tensor, reduction: str)",
        [](Args& a) { return mse_loss(a.tensor(0), a.tensor(1), reduction_of(a, 2)); });
  m.def("_nn_binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor?, reduction: str)", [](Args& a) {
    return binary_cross_entropy(a.tensor(0), a.tensor(1), a.tensor_or_none(2), reduction_of(a, 3));
  });
}};

}  // namespace

}  // namespace hearth::python
