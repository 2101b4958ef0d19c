// Dropout of the low-rank path: acts in training only, and is a function of seed and step.
#include <gtest/gtest.h>

#include "hearth/hearth.h"
#include "llm/lora/files.h"
#include "llm/weights/load.h"

namespace hearth::llm {
namespace {

TEST(LoraDropout, IsAFunctionOfSeedAndStep) {
  NoGrad guard;
  const std::string folder = std::string(HEARTH_TEST_DATA) + "/models/llama-tiny";
  const auto model = load_model(folder);
  const LoraAdapter stored = load_adapter(folder + "/adapter", model->linear_layers());
  LoraConfig config = stored.config();
  config.dropout = 0.5;
  std::vector<LoraWeights> weights;
  for (size_t i = 0; i < stored.layers().size(); ++i) weights.push_back(stored.at(i) ? *stored.at(i) : LoraWeights{});
  const LoraAdapter adapter(config, stored.layers(), weights);
  const TokenBatch batch = pack({{1, 5, 9, 11, 3}});
  const auto run = [&](const DropoutSeed& seed) {
    return to_vector<float>(model->hidden(batch, &adapter, nullptr, seed));
  };
  const auto still = to_vector<float>(model->hidden(batch, &stored));
  EXPECT_EQ(run({}), still);
  const auto first = run({.active = true, .seed = 7, .step = 3});
  EXPECT_NE(first, still);
  EXPECT_EQ(first, run({.active = true, .seed = 7, .step = 3}));
  EXPECT_NE(first, run({.active = true, .seed = 7, .step = 4}));
  EXPECT_NE(first, run({.active = true, .seed = 8, .step = 3}));
}

}  // namespace
}  // namespace hearth::llm
