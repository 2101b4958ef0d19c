// Adafactor against PyTorch's frozen steps.
#include "hearth/optim/adafactor.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  optim::AdafactorOptions o;
  o.lr = k.number("lr", o.lr);
  o.beta2_decay = k.number("beta2_decay", o.beta2_decay);
  o.d = k.number("d", o.d);
  o.weight_decay = k.number("weight_decay", o.weight_decay);
  if (k.has("eps")) {
    o.eps1 = k.raw("eps").as_array()[0].to_number<double>();
    o.eps2 = k.raw("eps").as_array()[1].to_number<double>();
  }
  return std::make_unique<optim::Adafactor>(params, o);
}

TEST(Adafactor, AgreesWithPyTorch) { optim_test::check_optimizer("Adafactor", make); }

TEST(Adafactor, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(Adafactor, KeepsARowAndAColumnOfState) {
  const Tensor p = ones({2, 5, 7}).set_requires_grad();
  optim::Adafactor optimizer({p});
  p.set_grad(ones({2, 5, 7}));
  optimizer.step();
  const StateDict state = optimizer.state_dict();
  EXPECT_EQ(state.at("0.row_var").shape(), Shape({2, 5, 1}));
  EXPECT_EQ(state.at("0.col_var").shape(), Shape({2, 1, 7}));
}

TEST(Adafactor, RefusesSettingsWithoutAMeaning) {
  const TensorList params{ones({2}).set_requires_grad()};
  EXPECT_THROW(optim::Adafactor(params, {.beta2_decay = 0.1}), ValueError);
  EXPECT_THROW(optim::Adafactor(params, {.d = 0.5}), ValueError);
}

}  // namespace
}  // namespace hearth
