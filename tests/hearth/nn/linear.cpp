// Linear, bilinear and embedding layers against PyTorch's values.
#include "hearth/nn/linear.h"

#include "hearth/nn/frozen_layer.h"

namespace hearth {
namespace {

TEST(Linear, AgreesWithPyTorch) {
  nn::Linear with(5, 4), without(5, 4, false);
  nn_test::check_layer("linear", with);
  nn_test::check_layer("linear.no_bias", without);
}

TEST(Bilinear, AgreesWithPyTorch) {
  nn::Bilinear layer(3, 4, 2);
  nn_test::check_module("bilinear", layer,
                        [](nn::Bilinear& m, const TensorList& x) { return TensorList{m(x[0], x[1])}; });
  EXPECT_THROW(layer(zeros({2, 3}), zeros({2, 5})), ShapeError);
  EXPECT_THROW(layer(zeros({2, 3}), zeros({3, 4})), ShapeError);
}

TEST(Embedding, AgreesWithPyTorch) {
  nn::Embedding layer(6, 4, 4);
  for (float value : to_vector<float>(select(layer.weight.detach(), 0, 4))) EXPECT_EQ(value, 0);
  nn_test::check_layer("embedding", layer);
}

}  // namespace
}  // namespace hearth
