// Encoder layers against PyTorch's values.
#include "hearth/nn/transformer.h"

#include "hearth/nn/frozen_layer.h"

namespace hearth {
namespace {

TEST(TransformerEncoderLayer, AgreesWithPyTorch) {
  nn::TransformerEncoderLayer after(6, 2, {.inner = 10, .dropout = 0});
  nn_test::check_layer("encoder", after);
  nn::TransformerEncoderLayer before(
      6, 2, {.inner = 10, .dropout = 0, .gelu = true, .batch_first = true, .norm_first = true});
  nn_test::check_layer("encoder.norm_first", before);
}

TEST(TransformerEncoderLayer, DropsInTrainingOnly) {
  nn::TransformerEncoderLayer layer(6, 2, {.inner = 10, .dropout = 0.5});
  const Tensor x = nn_test::tensors().tensor("encoder/in0");
  EXPECT_NE(to_vector<float>(layer(x).detach()), to_vector<float>(layer(x).detach()));
  layer.eval();
  EXPECT_EQ(to_vector<float>(layer(x).detach()), to_vector<float>(layer(x).detach()));
}

}  // namespace
}  // namespace hearth
