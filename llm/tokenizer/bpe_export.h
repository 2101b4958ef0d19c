// BPE export: the Hugging Face files of a trained tokenizer.
#pragma once

#include <string>

#include "llm/tokenizer/bpe_trainer.h"

namespace hearth::llm {

std::string tokenizer_json_of(const TrainedBpe& trained, const BpeTrainerOptions& options);
std::string tokenizer_config_json_of(const BpeTrainerOptions& options);

}  // namespace hearth::llm
