// Adam against PyTorch's frozen steps.
#include "hearth/optim/adam.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  optim::AdamOptions o;
  o.lr = k.number("lr", o.lr);
  o.eps = k.number("eps", o.eps);
  o.weight_decay = k.number("weight_decay", o.weight_decay);
  o.amsgrad = k.flag("amsgrad", false);
  if (k.has("betas")) {
    o.beta1 = k.raw("betas").as_array()[0].to_number<double>();
    o.beta2 = k.raw("betas").as_array()[1].to_number<double>();
  }
  return std::make_unique<optim::Adam>(params, o);
}

TEST(Adam, AgreesWithPyTorch) { optim_test::check_optimizer("Adam", make); }

TEST(Adam, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(Adam, MaximizeIsMinimizingTheNegative) {
  const Tensor up = ones({3}).set_requires_grad(), down = ones({3}).set_requires_grad();
  optim::Adam rise({up}, {.lr = 0.1, .maximize = true}), fall({down}, {.lr = 0.1});
  for (int step = 0; step < 3; ++step) {
    up.set_grad(from_values<float>({-1, 2, 0.5f * float(step)}));
    down.set_grad(neg(up.grad()));
    rise.step();
    fall.step();
  }
  EXPECT_EQ(to_vector<float>(up.detach()), to_vector<float>(down.detach()));
  EXPECT_LT(to_vector<float>(up.detach())[0], 1);
}

TEST(Adam, RefusesSettingsWithoutAMeaning) {
  const TensorList params{ones({2}).set_requires_grad()};
  EXPECT_THROW(optim::Adam(params, {.beta1 = 1}), ValueError);
  EXPECT_THROW(optim::Adam(params, {.beta2 = -0.1}), ValueError);
  EXPECT_THROW(optim::Adam(params, {.eps = -1}), ValueError);
}

}  // namespace
}  // namespace hearth
