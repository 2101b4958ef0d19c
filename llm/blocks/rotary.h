// Rotary frequencies of a model, with its context scaling.
#pragma once

#include "hearth/core/tensor.h"
#include "llm/blocks/decoder_config.h"

namespace hearth::llm {

/// inv_freq [head_dim / 2], float32: theta^(-2i / head_dim), divided or blended as the scaling says.
/// Source of llama3: Meta's Llama 3.1 model card and reference code (wavelengths beyond original / low_freq_factor are
/// stretched by factor, those below original / high_freq_factor stay, between them the two are blended).
Tensor rotary_frequencies(const DecoderConfig& config);

}  // namespace hearth::llm
