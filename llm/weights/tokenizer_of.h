// The tokenizer that belongs to a model.
#pragma once

#include <string>

#include "llm/models/causal_lm.h"
#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

/// The folder where a model's tokenizer lies: the model's own, or that of its file.
std::string tokenizer_folder(const std::string& model_path);

/// Loads it. Raises ValueError when it has ids that the model has no embedding for: it belongs to another model.
Tokenizer load_model_tokenizer(const std::string& model_path, const DecoderConfig& config);

}  // namespace hearth::llm
