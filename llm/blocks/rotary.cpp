// Rotary frequencies of a model, with its context scaling.
#include "llm/blocks/rotary.h"

#include <cmath>
#include <numbers>

#include "hearth/ops/create.h"

namespace hearth::llm {

namespace {

/// In float32 as the reference has it: frequencies end up in a float32 table there.
float llama3_frequency(float frequency, const RopeScaling& s) {
  const float original = float(s.original_max_position_embeddings);
  const float wavelength = 2 * std::numbers::pi_v<float> / frequency;
  if (wavelength < original / float(s.high_freq_factor)) return frequency;
  if (wavelength > original / float(s.low_freq_factor)) return frequency / float(s.factor);
  const float smooth =
      (original / wavelength - float(s.low_freq_factor)) / float(s.high_freq_factor - s.low_freq_factor);
  return (1 - smooth) * frequency / float(s.factor) + smooth * frequency;
}

}  // namespace

Tensor rotary_frequencies(const DecoderConfig& config) {
  const int64_t half = config.head_dim / 2;
  std::vector<float> values(static_cast<size_t>(half));
  for (int64_t i = 0; i < half; ++i) {
    const float exponent = float(2 * i) / float(config.head_dim);
    float frequency = 1.0f / float(std::pow(config.rope_theta, double(exponent)));
    if (config.rope_scaling.kind == RopeScaling::Kind::linear) frequency /= float(config.rope_scaling.factor);
    if (config.rope_scaling.kind == RopeScaling::Kind::llama3)
      frequency = llama3_frequency(frequency, config.rope_scaling);
    values[size_t(i)] = frequency;
  }
  return from_values<float>(std::span<const float>(values), {half});
}

}  // namespace hearth::llm
