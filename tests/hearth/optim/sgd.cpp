// SGD against PyTorch's frozen steps.
#include "hearth/optim/sgd.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  return std::make_unique<optim::SGD>(
      params, optim::SgdOptions{k.number("lr", 1e-3), k.number("momentum", 0), k.number("dampening", 0),
                                k.number("weight_decay", 0), k.flag("nesterov", false), k.flag("maximize", false)});
}

TEST(Sgd, AgreesWithPyTorch) { optim_test::check_optimizer("SGD", make); }

TEST(Sgd, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(Sgd, RefusesSettingsWithoutAMeaning) {
  const TensorList params{ones({2}).set_requires_grad()};
  EXPECT_THROW(optim::SGD(params, {.momentum = -1}), ValueError);
  EXPECT_THROW(optim::SGD(params, {.nesterov = true}), ValueError);
  EXPECT_THROW(optim::SGD(params, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), ValueError);
}

}  // namespace
}  // namespace hearth
