// Normalisation: hearth/ops/norm.h over the last dimension; shapes and weights of other forms are in Python.
#include "hearth/ops/norm.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding binding{[](Module& m) {
  m.def("_nn_layer_norm(input: Tensor, weight: Tensor?, bias: Tensor?, eps: float)",
        [](Args& a) { return layer_norm(a.tensor(0), a.tensor_or_none(1), a.tensor_or_none(2), a.real(3)); });
  m.def("_nn_rms_norm(input: Tensor, weight: Tensor?, eps: float)",
        [](Args& a) { return rms_norm(a.tensor(0), a.tensor_or_none(1), a.real(2)); });
}};

}  // namespace

}  // namespace hearth::python
