// A small model, data for every loss, and views of bits, for tests of LoRA trainers.
#pragma once

#include <cstring>
#include <memory>
#include <random>

#include "hearth/hearth.h"
#include "llm/tune/lora_trainer.h"
#include "tests/llm/models/random_llama.h"

namespace hearth::llm {

inline std::shared_ptr<const CausalLm> small_base(bool tied = false, Dtype dtype = Dtype::float32) {
  return random_llama({.tied = tied}, dtype);
}

inline LoraTrainer small_trainer(const std::shared_ptr<const CausalLm>& base, uint64_t seed = 1, int64_t rank = 4) {
  return LoraTrainer(base, lora_config({.rank = rank}), seed, "");
}

/// A datum of random tokens, with numbers for all losses.
inline TrainDatum random_datum(std::mt19937_64& engine, int64_t tokens, int64_t targets_per_token = 1) {
  const auto unit = [&] { return float(engine() >> 40) / 16777216.0f; };
  TrainDatum d;
  d.targets_per_token = targets_per_token;
  for (int64_t t = 0; t < tokens; ++t) d.tokens.push_back(int32_t(engine() % 101));
  for (int64_t e = 0; e < tokens * targets_per_token; ++e) {
    d.targets.push_back(int64_t(engine() % 101));
    const bool prompt = e < tokens * targets_per_token / 3;
    d.inputs["weights"].push_back(prompt ? 0 : 2 * unit() - 0.5f);
    d.inputs["logprobs"].push_back(prompt ? 0 : -4 - unit());
    d.inputs["advantages"].push_back(prompt ? 0 : 2 * unit() - 1);
  }
  return d;
}

inline std::vector<TrainDatum> random_data(uint64_t seed, const std::vector<int64_t>& lengths) {
  std::mt19937_64 engine(seed);
  std::vector<TrainDatum> data;
  for (int64_t length : lengths) data.push_back(random_datum(engine, length));
  return data;
}

/// One request; throws what it ends as when it fails.
inline LossResult run(LoraTrainer& trainer, const std::vector<TrainDatum>& data, const LossSpec& spec = {},
                      bool forward_only = false) {
  PassOutcome outcome = forward_backward({{&trainer, &data, &spec, forward_only}})[0];
  if (auto* error = std::get_if<std::exception_ptr>(&outcome)) std::rethrow_exception(*error);
  return std::get<LossResult>(std::move(outcome));
}

inline std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> out(values.size());
  if (!out.empty()) std::memcpy(out.data(), values.data(), values.size() * sizeof(float));
  return out;
}

/// B not zero, so that every weight has a gradient.
inline void warm_up(LoraTrainer& trainer, uint64_t seed = 5) {
  run(trainer, random_data(seed, {9, 5}));
  trainer.optim_step({.learning_rate = 0.02});
}

}  // namespace hearth::llm
