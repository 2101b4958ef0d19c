// Normalisation layers against PyTorch's values.
#include "hearth/nn/norm.h"

#include "hearth/nn/frozen_layer.h"

namespace hearth {
namespace {

TEST(LayerNorm, AgreesWithPyTorch) {
  nn::LayerNorm layer(Shape{3, 4});
  nn_test::check_layer("layer_norm", layer);
  EXPECT_THROW(layer(zeros({4, 3})), ShapeError);
}

TEST(RMSNorm, AgreesWithPyTorch) {
  nn::RMSNorm layer(6, 1e-6);
  nn_test::check_layer("rms_norm", layer);
  EXPECT_THROW(layer(zeros({2, 5})), ShapeError);
}

TEST(GroupNorm, AgreesWithPyTorch) {
  nn::GroupNorm layer(2, 4);
  nn_test::check_layer("group_norm", layer);
  EXPECT_THROW(nn::GroupNorm(3, 4), ValueError);
}

TEST(BatchNorm, AgreesWithPyTorch) {
  nn::BatchNorm1d one(3), still(3);
  still.eval();
  nn_test::check_layer("batch_norm1d", one);
  nn_test::check_layer("batch_norm1d.eval", still);
  nn::BatchNorm2d two(3, {.momentum = 0.3});
  nn_test::check_layer("batch_norm2d", two);
  EXPECT_THROW(two(zeros({2, 3, 4})), ShapeError);
}

TEST(BatchNorm, WithoutRunningStatisticsUsesTheBatchsOwnInEvaluation) {
  nn::BatchNorm1d layer(2, {.track_running_stats = false});
  layer.eval();
  const std::vector<float> y = to_vector<float>(layer(from_values<float>({1, 5, 3, 9}, {2, 2})).detach());
  EXPECT_NEAR(y[0], -1, 1e-4);
  EXPECT_NEAR(y[3], 1, 1e-4);
  EXPECT_EQ(layer.state_dict().size(), 2u);
}

}  // namespace
}  // namespace hearth
