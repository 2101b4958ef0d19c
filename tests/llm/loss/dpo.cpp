// DPO against values frozen from PEFT and PyTorch.
#include "llm/loss/dpo.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hearth/hearth.h"
#include "llm/lora/files.h"
#include "llm/loss/token_log_probs.h"
#include "llm/weights/load.h"

namespace hearth::llm {
namespace {

std::string key(const char* name, int i) { return std::string("dpo.") + name + "." + std::to_string(i); }

class Dpo : public testing::Test {
 protected:
  std::string folder = std::string(HEARTH_TEST_DATA) + "/models/llama-tiny";
  SafetensorsFile expected = SafetensorsFile::open(folder + "/expected.safetensors");
  std::unique_ptr<CausalLm> model = load_model(folder);
  LoraAdapter adapter = load_adapter(folder + "/adapter", model->linear_layers());

  /// The three chosen or rejected texts as one packed batch whose weights pick the completions.
  PackedBatch batch(const char* which) {
    PackedBatch out;
    for (int i = 0; i < 3; ++i) {
      const std::vector<int64_t> wide = to_vector<int64_t>(expected.tensor(key(which, i)));
      const std::vector<int32_t> tokens(wide.begin(), wide.end());
      const int64_t prompt = to_vector<int64_t>(expected.tensor(key("prompt_length", i)))[0];
      std::vector<float> weights(tokens.size(), 0.0f);
      for (size_t t = size_t(prompt); t < tokens.size(); ++t) weights[t] = 1;
      out.append(tokens.data(), weights.data(), int64_t(tokens.size()), i);
    }
    return out;
  }
  Tensor total(const char* which, const LoraAdapter* a) {
    const PackedBatch b = batch(which);
    return sequence_log_probs(token_log_probs(*model, b, a), b);
  }
};

TEST_F(Dpo, FrozenValuesAndGradients) {
  adapter.requires_grad_(true);
  const Tensor chosen = total("chosen", &adapter), rejected = total("rejected", &adapter);
  const Tensor reference_chosen = total("chosen", nullptr), reference_rejected = total("rejected", nullptr);
  for (int i = 0; i < 3; ++i) {
    const auto policy = to_vector<float>(expected.tensor(key("policy_logprobs", i)));
    const auto reference = to_vector<float>(expected.tensor(key("reference_logprobs", i)));
    EXPECT_NEAR(to_vector<float>(chosen)[size_t(i)], policy[0], 1e-5 * std::abs(policy[0]));
    EXPECT_NEAR(to_vector<float>(rejected)[size_t(i)], policy[1], 1e-5 * std::abs(policy[1]));
    EXPECT_NEAR(to_vector<float>(reference_chosen)[size_t(i)], reference[0], 1e-5 * std::abs(reference[0]));
    EXPECT_NEAR(to_vector<float>(reference_rejected)[size_t(i)], reference[1], 1e-5 * std::abs(reference[1]));
  }
  const Tensor losses = dpo_losses(chosen, rejected, reference_chosen, reference_rejected, 0.1);
  const auto wanted = to_vector<float>(expected.tensor("dpo.losses"));
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(to_vector<float>(losses)[i], wanted[i], 1e-5);
  const Tensor loss = mean(losses);
  EXPECT_NEAR(loss.item(), expected.tensor("dpo.loss").item(), 1e-5);
  backward(loss);
  for (const auto& [name, parameter] : adapter.named_parameters()) {
    const auto seen = to_vector<float>(parameter.grad());
    const auto grad = to_vector<float>(expected.tensor("dpo.grad.base_model.model." + name));
    ASSERT_EQ(seen.size(), grad.size()) << name;
    double worst = 0, size = 1e-30;
    for (size_t i = 0; i < grad.size(); ++i) {
      worst = std::max(worst, std::abs(double(seen[i]) - double(grad[i])));
      size = std::max(size, std::abs(double(grad[i])));
    }
    EXPECT_LT(worst / size, 2e-5) << name;
  }
}

TEST_F(Dpo, StaysFiniteFarFromTheReference) {
  const Tensor far = from_values<float>({2000, -2000}), zero = from_values<float>({0, 0});
  const auto losses = to_vector<float>(dpo_losses(far, zero, zero, zero, 1));
  EXPECT_NEAR(losses[0], 0, 1e-6);
  EXPECT_NEAR(losses[1], 2000, 1e-3);
  EXPECT_THROW(dpo_losses(far, from_values<float>({1}), zero, zero, 1), ShapeError);
}

TEST_F(Dpo, WeightsThatAddUpToNothingAreRefused) {
  const std::vector<int32_t> tokens = {1, 2, 3};
  const std::vector<float> weights = {1, 0, 0};
  PackedBatch b;
  b.append(tokens.data(), weights.data(), 3, 0);
  EXPECT_THROW(batch_cross_entropy(*model, b), ValueError);
}

}  // namespace
}  // namespace hearth::llm
