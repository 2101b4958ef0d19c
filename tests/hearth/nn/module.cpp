// Modules: names, state dicts, modes.
#include "hearth/nn/module.h"

#include <gtest/gtest.h>

#include "hearth/nn/activation.h"
#include "hearth/nn/linear.h"
#include "hearth/nn/norm.h"
#include "hearth/ops/create.h"

namespace hearth {
namespace {

struct Net : nn::Module {
  nn::Linear first{3, 2}, second{2, 3};
  nn::BatchNorm1d norm{2};
  Net() {
    add_module("first", first);
    add_module("second", second);
    add_module("norm", norm);
  }
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors) out.push_back(name);
  return out;
}

TEST(Module, NamesParametersAndBuffersByPath) {
  Net net;
  EXPECT_EQ(names(net.named_parameters()), (std::vector<std::string>{"first.weight", "first.bias", "second.weight",
                                                                     "second.bias", "norm.weight", "norm.bias"}));
  EXPECT_EQ(names(net.named_buffers()),
            (std::vector<std::string>{"norm.running_mean", "norm.running_var", "norm.num_batches_tracked"}));
  EXPECT_EQ(net.state_dict().size(), 9u);
}

TEST(Module, ATiedTensorIsOneParameterWithTwoNamesInTheState) {
  Net net;
  nn::Linear other(3, 2, false);
  net.first.weight = other.weight;
  net.second.weight = other.weight;
  EXPECT_EQ(net.parameters().size(), 5u);
  EXPECT_EQ(net.state_dict().size(), 9u);
  net.to(Dtype::float64);
  EXPECT_TRUE(net.first.weight.is_same(net.second.weight));
}

TEST(Module, StateDictGoesRoundAndRefusesWhatDiffers) {
  Net from, to;
  to.load_state_dict(from.state_dict());
  for (const auto& [name, tensor] : from.state_dict())
    EXPECT_EQ(to_vector<float>(tensor), to_vector<float>(to.state_dict().at(name))) << name;
  StateDict state = from.state_dict();
  state.erase("norm.bias");
  EXPECT_THROW(to.load_state_dict(state), ValueError);
  to.load_state_dict(state, false);
  state["extra"] = ones({1});
  EXPECT_THROW(to.load_state_dict(state), ValueError);
  state = from.state_dict();
  state["first.weight"] = ones({4, 4});
  EXPECT_THROW(to.load_state_dict(state), ShapeError);
  EXPECT_THROW(to.load_state_dict(state, false), ShapeError);
}

TEST(Module, AssignTakesTensorsWithTheirDtype) {
  Net net;
  StateDict state = net.state_dict();
  for (auto& [name, tensor] : state)
    if (is_floating(tensor.dtype())) tensor = hearth::to(tensor, Dtype::bfloat16);
  net.load_state_dict(state, true, true);
  EXPECT_EQ(net.first.weight.dtype(), Dtype::bfloat16);
  EXPECT_TRUE(net.first.weight.requires_grad());
  EXPECT_FALSE(net.norm.running_mean.requires_grad());
}

TEST(Module, ModesReachEveryChild) {
  Net net;
  net.eval();
  EXPECT_FALSE(net.norm.is_training());
  net.train().requires_grad_(false);
  EXPECT_TRUE(net.norm.is_training());
  EXPECT_FALSE(net.second.bias.requires_grad());
}

TEST(ModuleList, NumbersItsModules) {
  nn::ModuleList<nn::Linear> list;
  list.append(2, 3);
  list.append(3, 4, false);
  EXPECT_EQ(names(list.named_parameters()), (std::vector<std::string>{"0.weight", "0.bias", "1.weight"}));
}

}  // namespace
}  // namespace hearth
