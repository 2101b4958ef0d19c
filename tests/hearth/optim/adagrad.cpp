// Adagrad against PyTorch's frozen steps.
#include "hearth/optim/adagrad.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  optim::AdagradOptions o;
  o.lr = k.number("lr", o.lr);
  o.lr_decay = k.number("lr_decay", o.lr_decay);
  o.weight_decay = k.number("weight_decay", o.weight_decay);
  o.initial_accumulator = k.number("initial_accumulator_value", o.initial_accumulator);
  return std::make_unique<optim::Adagrad>(params, o);
}

TEST(Adagrad, AgreesWithPyTorch) { optim_test::check_optimizer("Adagrad", make); }

TEST(Adagrad, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(Adagrad, RefusesSettingsWithoutAMeaning) {
  const TensorList params{ones({2}).set_requires_grad()};
  EXPECT_THROW(optim::Adagrad(params, {.lr_decay = -1}), ValueError);
  EXPECT_THROW(optim::Adagrad(params, {.initial_accumulator = -1}), ValueError);
}

}  // namespace
}  // namespace hearth
