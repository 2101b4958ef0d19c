// Sequential and the small layers.
#include "hearth/nn/layer.h"

#include <gtest/gtest.h>

#include "hearth/core/random.h"
#include "hearth/nn/activation.h"
#include "hearth/nn/linear.h"
#include "hearth/nn/pool.h"
#include "hearth/ops/create.h"

namespace hearth {
namespace {

TEST(Sequential, RunsAndNamesItsLayers) {
  nn::Sequential net(nn::layer<nn::Flatten>(), nn::layer<nn::Linear>(4, 3), nn::layer<nn::ReLU>());
  net.append<nn::Linear>(3, 1, false);
  EXPECT_EQ(net.size(), 4u);
  const StateDict state = net.state_dict();
  EXPECT_EQ(state.count("1.weight") + state.count("1.bias") + state.count("3.weight"), 3u);
  const Tensor y = net(ones({5, 2, 2}));
  EXPECT_EQ(y.shape(), Shape({5, 1}));
  EXPECT_TRUE(net[0](ones({2, 3, 4})).shape() == Shape({2, 12}));
  EXPECT_THROW(net.push_back(nullptr), ValueError);
}

TEST(Sequential, MakesItsLayersInOrder) {
  manual_seed(7);
  nn::Linear first(2, 3), second(3, 1);
  manual_seed(7);
  nn::Sequential net(nn::layer<nn::Linear>(2, 3), nn::layer<nn::Linear>(3, 1));
  EXPECT_EQ(to_vector<float>(net.state_dict().at("0.weight")), to_vector<float>(first.weight.detach()));
  EXPECT_EQ(to_vector<float>(net.state_dict().at("1.weight")), to_vector<float>(second.weight.detach()));
}

TEST(Pool, LayersCallTheirOps) {
  const Tensor x = from_values<float>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2});
  EXPECT_EQ(to_vector<float>(nn::MaxPool2d(2)(x)), (std::vector<float>{4, 8}));
  EXPECT_EQ(to_vector<float>(nn::AvgPool2d(2)(x)), (std::vector<float>{2.5, 6.5}));
  EXPECT_EQ(to_vector<float>(nn::AdaptiveAvgPool2d(1)(x)), (std::vector<float>{2.5, 6.5}));
  EXPECT_EQ(nn::MaxPool1d(2, {.stride = {1}})(ones({1, 1, 4})).shape(), Shape({1, 1, 3}));
}

}  // namespace
}  // namespace hearth
