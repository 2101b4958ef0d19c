// RMSprop against PyTorch's frozen steps.
#include "hearth/optim/rmsprop.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  optim::RmspropOptions o;
  o.lr = k.number("lr", o.lr);
  o.alpha = k.number("alpha", o.alpha);
  o.eps = k.number("eps", o.eps);
  o.weight_decay = k.number("weight_decay", o.weight_decay);
  o.momentum = k.number("momentum", o.momentum);
  o.centered = k.flag("centered", o.centered);
  return std::make_unique<optim::RMSprop>(params, o);
}

TEST(Rmsprop, AgreesWithPyTorch) { optim_test::check_optimizer("RMSprop", make); }

TEST(Rmsprop, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(Rmsprop, RefusesSettingsWithoutAMeaning) {
  const TensorList params{ones({2}).set_requires_grad()};
  EXPECT_THROW(optim::RMSprop(params, {.alpha = -1}), ValueError);
  EXPECT_THROW(optim::RMSprop(params, {.momentum = -1}), ValueError);
}

}  // namespace
}  // namespace hearth
