// Attention and the linear layer's product: hearth/ops/dot_product_attention.h, hearth/ops/linear.h.
#include "hearth/ops/dot_product_attention.h"
#include "hearth/ops/linear.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding binding{[](Module& m) {
  m.def("_nn_linear(input: Tensor, weight: Tensor, bias: Tensor? = None)",
        [](Args& a) { return linear(a.tensor(0), a.tensor(1), a.tensor_or_none(2)); });
  m.def(
      "_nn_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor?, is_causal: bool, scale: float?, "
      "enable_gqa: bool)",
      [](Args& a) {
        AttentionOptions o;
        o.mask = a.tensor_or_none(3);
        o.is_causal = a.flag(4);
        o.scale = a.real_or_none(5);
        o.enable_gqa = a.flag(6);
        return scaled_dot_product_attention(a.tensor(0), a.tensor(1), a.tensor(2), o);
      });
}};

}  // namespace

}  // namespace hearth::python
