// Muon against PyTorch's frozen steps, with the iteration exact and in bfloat16.
#include "hearth/optim/muon.h"

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

optim_test::Made make(const TensorList& params, const optim_test::Keywords& k) {
  optim::MuonOptions o;
  o.lr = k.number("lr", o.lr);
  o.weight_decay = k.number("weight_decay", o.weight_decay);
  o.momentum = k.number("momentum", o.momentum);
  o.nesterov = k.flag("nesterov", o.nesterov);
  if (k.text("adjust_lr_fn", "original") == "match_rms_adamw") o.rate = optim::MuonRate::match_rms_adamw;
  return std::make_unique<optim::Muon>(params, o);
}

TEST(Muon, AgreesWithTheExactIteration) {
  optim_test::check_optimizer("Muon", make, 5e-5, 1e-6, [](const std::string& id) { return id != "muon.torch"; });
}

TEST(Muon, IsNearPyTorchsBfloat16Iteration) {
  optim_test::check_optimizer("Muon", make, 1e-2, 1e-2, [](const std::string& id) { return id == "muon.torch"; });
}

TEST(Muon, KeepsBfloat16ParametersInTheirDtype) { optim_test::check_bfloat16(make); }

TEST(Muon, RefusesWhatIsNoMatrix) {
  EXPECT_THROW(optim::Muon({ones({2}).set_requires_grad()}), ShapeError);
  EXPECT_THROW(optim::Muon({ones({2, 2}).set_requires_grad()}, {.steps = 100}), ValueError);
}

}  // namespace
}  // namespace hearth
