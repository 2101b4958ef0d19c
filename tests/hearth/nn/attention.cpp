// Multi-head attention against PyTorch's values.
#include "hearth/nn/attention.h"

#include "hearth/nn/frozen_layer.h"

namespace hearth {
namespace {

/// Calls with the masks of a case.
auto attend(const std::string& id) {
  return [id](nn::MultiheadAttention& m, const TensorList& x) {
    nn::AttentionMask mask;
    if (nn_test::tensors().contains(id + "/mask")) mask.mask = nn_test::tensors().tensor(id + "/mask");
    if (nn_test::tensors().contains(id + "/padding"))
      mask.key_padding_mask = nn_test::tensors().tensor(id + "/padding");
    const nn::Attended y = m(x[0], x[1], x[2], mask);
    return TensorList{y.output, y.weights};
  };
}

TEST(MultiheadAttention, AgreesWithPyTorch) {
  nn::MultiheadAttention plain(6, 2), masked(6, 3, {.bias = false, .batch_first = true});
  nn_test::check_module("attention", plain, attend("attention"));
  nn_test::check_module("attention.masked", masked, attend("attention.masked"));
  nn_test::check_module("attention.unbatched", plain, attend("attention.unbatched"));
}

TEST(MultiheadAttention, CausalHidesTheFuture) {
  nn::MultiheadAttention attention(6, 2, {.batch_first = true});
  const Tensor x = nn_test::tensors().tensor("encoder.norm_first/in0");
  const Tensor whole = attention(x, x, x, {.is_causal = true}).output;
  const Tensor start = narrow(x, 1, 0, 2);
  frozen::expect_close(narrow(whole, 1, 0, 2).detach(),
                       attention(start, start, start, {.is_causal = true}).output.detach(), 1e-6, "the first rows");
}

TEST(MultiheadAttention, RefusesWhatDoesNotFit) {
  EXPECT_THROW(nn::MultiheadAttention(6, 4), ValueError);
  nn::MultiheadAttention attention(6, 2);
  const Tensor x = zeros({4, 2, 6});
  EXPECT_THROW(attention(x, zeros({5, 3, 6}), zeros({5, 3, 6})), ShapeError);
  EXPECT_THROW(attention(x, x, x, {.mask = zeros({4, 5})}), ShapeError);
  EXPECT_THROW(attention(x, x, x, {.key_padding_mask = zeros({4, 2}, Dtype::boolean)}), ShapeError);
}

}  // namespace
}  // namespace hearth
