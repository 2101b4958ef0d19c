// AdamW against PyTorch's frozen steps.
#include "hearth/optim/adamw.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  optim::AdamWOptions o;
  o.lr = k.number("lr", o.lr);
  o.eps = k.number("eps", o.eps);
  o.weight_decay = k.number("weight_decay", o.weight_decay);
  o.amsgrad = k.flag("amsgrad", false);
  if (k.has("betas")) {
    o.beta1 = k.raw("betas").as_array()[0].to_number<double>();
    o.beta2 = k.raw("betas").as_array()[1].to_number<double>();
  }
  return std::make_unique<optim::AdamW>(params, o);
}

TEST(AdamW, AgreesWithPyTorch) { optim_test::check_optimizer("AdamW", make); }

TEST(AdamW, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(AdamW, DecaysWithoutAGradientOfSize) {
  const Tensor p = full({4}, 2.0).set_requires_grad();
  optim::AdamW optimizer({p}, {.lr = 0.5, .weight_decay = 0.1});
  p.set_grad(zeros({4}));
  optimizer.step();
  for (float value : to_vector<float>(p.detach())) EXPECT_FLOAT_EQ(value, 2 * (1 - 0.5f * 0.1f));
}

}  // namespace
}  // namespace hearth
