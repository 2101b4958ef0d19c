// Optimizer: groups, state dicts and what they refuse.
#include "hearth/optim/optimizer.h"

#include "hearth/optim/adamw.h"
#include "hearth/optim/frozen_steps.h"
#include "hearth/optim/sgd.h"

namespace hearth {
namespace {

std::vector<float> values(const Tensor& x) { return to_vector<float>(x.detach()); }

TEST(Optimizer, GroupsHaveTheirOwnRates) {
  const Tensor a = ones({2}).set_requires_grad(), b = ones({2}).set_requires_grad();
  optim::SGD optimizer({{{a}, 0.5, 0}, {{b}, 0.25, 0}}, {});
  a.set_grad(ones({2}));
  b.set_grad(ones({2}));
  optimizer.step();
  EXPECT_EQ(values(a), std::vector<float>(2, 0.5f));
  EXPECT_EQ(values(b), std::vector<float>(2, 0.75f));
  optimizer.set_lr(1);
  optimizer.step();
  EXPECT_EQ(values(b), std::vector<float>(2, -0.25f));
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  const Tensor a = ones({2}).set_requires_grad(), b = ones({2}).set_requires_grad();
  optim::AdamW optimizer({a, b}, {.lr = 0.5, .weight_decay = 0.5});
  b.set_grad(ones({2}));
  optimizer.step();
  EXPECT_EQ(values(a), std::vector<float>(2, 1.0f));
  EXPECT_NE(values(b), std::vector<float>(2, 1.0f));
  EXPECT_EQ(optimizer.state_dict().at("0.step").item_int(), 0);
  EXPECT_EQ(optimizer.state_dict().at("1.step").item_int(), 1);
  optimizer.zero_grad();
  EXPECT_FALSE(b.grad().defined());
}

TEST(Optimizer, RefusesParametersItCannotChange) {
  const Tensor leaf = ones({2}).set_requires_grad();
  EXPECT_THROW(optim::SGD(TensorList{}), ValueError);
  EXPECT_THROW(optim::SGD(TensorList{mul(leaf, 2)}), ValueError);
  EXPECT_THROW(optim::SGD(TensorList{leaf, leaf}), ValueError);
  EXPECT_THROW(optim::SGD(TensorList{arange(0, 3)}), DtypeError);
  EXPECT_THROW(optim::SGD({leaf}, {.lr = -1}), ValueError);
  EXPECT_THROW(optim::SGD({leaf}, {.weight_decay = -1}), ValueError);
}

TEST(Optimizer, RefusesAStateThatIsNotItsOwnAndChangesNothing) {
  const Tensor p = ones({2}).set_requires_grad();
  optim::AdamW optimizer({p}, {.lr = 0.5});
  p.set_grad(ones({2}));
  optimizer.step();
  StateDict good;
  for (const auto& [name, tensor] : optimizer.state_dict()) good[name] = clone(tensor);
  const auto refused = [&](const char* name, const Tensor& value) {
    StateDict bad = good;
    bad[name] = value;
    bad["lr.0"] = scalar_tensor(9.0, Dtype::float64);
    EXPECT_ANY_THROW(optimizer.load_state_dict(bad)) << name;
    EXPECT_EQ(optimizer.lr(), 0.5) << name;
  };
  refused("0.exp_avg", ones({3}));
  refused("0.momentum_buffer", ones({2}));
  refused("1.exp_avg", ones({2}));
  refused("x.exp_avg", ones({2}));
  refused("lr.1", scalar_tensor(1.0));
  refused("nodot", ones({2}));
  refused("0.step", scalar_tensor(-1));
  StateDict less = good;
  less.erase("0.step");
  EXPECT_THROW(optimizer.load_state_dict(less), ValueError);
  optimizer.load_state_dict(good);
}

TEST(Optimizer, ALoadedStateDoesNotShareMemory) {
  const Tensor p = ones({2}).set_requires_grad();
  optim::AdamW first({p}), second({p});
  p.set_grad(ones({2}));
  first.step();
  second.load_state_dict(first.state_dict());
  const std::vector<float> before = to_vector<float>(second.state_dict().at("0.exp_avg"));
  first.step();
  EXPECT_EQ(to_vector<float>(second.state_dict().at("0.exp_avg")), before);
}

}  // namespace
}  // namespace hearth
