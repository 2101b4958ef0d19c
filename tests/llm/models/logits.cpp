// Logits, losses and gradients of the frozen tiny models against transformers and PEFT.
#include <gtest/gtest.h>

#include <cmath>

#include "hearth/hearth.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/softmax.h"
#include "llm/lora/files.h"
#include "llm/models/causal_lm.h"
#include "llm/weights/load.h"

namespace hearth::llm {
namespace {

/// max |a - b| / max |b|
double relative_error(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_vector<double>(a), y = to_vector<double>(b);
  EXPECT_EQ(x.size(), y.size());
  double worst = 0, scale = 1e-30;
  for (size_t i = 0; i < y.size(); ++i) {
    worst = std::max(worst, std::abs(x[i] - y[i]));
    scale = std::max(scale, std::abs(y[i]));
  }
  return worst / scale;
}

class FrozenModel : public testing::TestWithParam<const char*> {
 protected:
  std::string folder = std::string(HEARTH_TEST_DATA) + "/models/" + GetParam();
  SafetensorsFile expected = SafetensorsFile::open(folder + "/expected.safetensors");
  std::unique_ptr<CausalLm> model = load_model(folder);

  std::vector<int32_t> tokens(int i) {
    const std::vector<int64_t> ids = to_vector<int64_t>(expected.tensor("tokens." + std::to_string(i)));
    return std::vector<int32_t>(ids.begin(), ids.end());
  }

  /// Mean cross-entropy over all targets of the four sequences, in one packed batch.
  Tensor loss(const LoraAdapter* adapter) {
    std::vector<std::vector<int32_t>> inputs;
    std::vector<int64_t> targets;
    for (int i = 0; i < 4; ++i) {
      std::vector<int32_t> ids = tokens(i);
      targets.insert(targets.end(), ids.begin() + 1, ids.end());
      ids.pop_back();
      if (!ids.empty()) inputs.push_back(ids);
    }
    const TokenBatch batch = pack(inputs);
    const Tensor rows = log_softmax(model->logits(model->hidden(batch, adapter), adapter), -1);
    std::vector<float> pick(size_t(rows.numel()), 0.0f);
    for (size_t i = 0; i < targets.size(); ++i)
      pick[i * size_t(rows.size(1)) + size_t(targets[i])] = -1.0f / float(targets.size());
    return sum(mul(rows, from_values<float>(std::span<const float>(pick), rows.shape())));
  }
};

TEST_P(FrozenModel, Logits) {
  NoGrad guard;
  for (int i = 0; i < 4; ++i)
    EXPECT_LT(
        relative_error(model->logits(model->hidden(pack({tokens(i)}))), expected.tensor("logits." + std::to_string(i))),
        1e-5);
}

TEST_P(FrozenModel, AllGradients) {
  model->requires_grad_();
  const Tensor l = loss(nullptr);
  EXPECT_NEAR(l.item(), expected.tensor("loss").item(), 1e-5);
  backward(l);
  for (const auto& [name, parameter] : model->named_parameters())
    EXPECT_LT(relative_error(parameter.grad(), expected.tensor("grad." + name)), 1e-5) << name;
}

TEST_P(FrozenModel, Adapter) {
  const LoraAdapter adapter = load_adapter(folder + "/adapter", model->linear_layers());
  {
    NoGrad guard;
    for (int i = 0; i < 4; ++i)
      EXPECT_LT(relative_error(model->logits(model->hidden(pack({tokens(i)}), &adapter)),
                               expected.tensor("lora.logits." + std::to_string(i))),
                1e-5);
  }
  adapter.requires_grad_(true);
  const Tensor l = loss(&adapter);
  EXPECT_NEAR(l.item(), expected.tensor("lora.loss").item(), 1e-5);
  for (bool checkpointed : {false, true}) {
    model->model.checkpoint_layers = checkpointed;
    for (auto& [name, parameter] : adapter.named_parameters()) parameter.set_grad({});
    backward(loss(&adapter));
    for (const auto& [name, parameter] : adapter.named_parameters())
      EXPECT_LT(relative_error(parameter.grad(), expected.tensor("lora.grad.base_model.model." + name)), 1e-5) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, FrozenModel,
                         testing::Values("llama-tiny", "llama-tied", "qwen2-tiny", "qwen3-tiny"));

}  // namespace
}  // namespace hearth::llm
