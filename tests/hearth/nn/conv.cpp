// Convolution layers against PyTorch's values.
#include "hearth/nn/conv.h"

#include "hearth/nn/frozen_layer.h"

namespace hearth {
namespace {

TEST(Conv, AgreesWithPyTorch) {
  nn::Conv1d one(4, 6, 3, {.stride = {2}, .padding = 1, .groups = 2});
  nn_test::check_layer("conv1d", one);
  nn::Conv2d two(3, 4, Extents{3, 2}, {.padding = "same"});
  nn_test::check_layer("conv2d", two);
}

TEST(ConvTranspose, AgreesWithPyTorch) {
  nn::ConvTranspose1d one(4, 3, 3, {.stride = {2}, .padding = {1}, .output_padding = {1}});
  nn_test::check_layer("conv_transpose1d", one);
  nn::ConvTranspose2d two(4, 6, 3, {.stride = {2}, .groups = 2});
  nn_test::check_layer("conv_transpose2d", two);
}

TEST(Conv, RefusesShapesWithoutAMeaning) {
  EXPECT_THROW(nn::Conv1d(4, 6, 3, {.groups = 4}), ValueError);
  EXPECT_THROW(nn::Conv2d(4, 6, Extents{3, 3, 3}), ValueError);
  EXPECT_THROW(nn::Conv2d(4, 6, 0), ValueError);
}

}  // namespace
}  // namespace hearth
