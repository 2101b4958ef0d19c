// Saving a model as a Hugging Face folder.
#pragma once

#include <string>

#include "llm/lora/adapter.h"
#include "llm/models/causal_lm.h"

namespace hearth::llm {

/// Writes config.json, model.safetensors (in shards of at most `shard_bytes`, with an index, when larger) and copies
/// the tokenizer files of `tokenizer_folder` (may be empty). With an adapter, its weights are merged in.
/// Raises IoError; files that were complete before stay complete.
void save_model(const CausalLm& model, const std::string& folder, Dtype dtype, const std::string& tokenizer_folder,
                const LoraAdapter* adapter = nullptr, uint64_t shard_bytes = uint64_t(5) << 30);

/// Copies what a tokenizer consists of from one folder to another.
void copy_tokenizer(const std::string& from, const std::string& to);

}  // namespace hearth::llm
