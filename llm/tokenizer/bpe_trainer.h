// BPE trainer: learns a byte-level BPE tokenizer from text and writes it as Hugging Face files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/tokenizer/tokenizer.h"

namespace hearth::llm {

struct BpeTrainerOptions {
  enum class Cut { gpt2, llama3 };
  int32_t vocab_size = 4096;                                    // special tokens and the 256 bytes included
  Cut cut = Cut::gpt2;                                          // how words are cut
  int64_t min_count = 2;                                        // a pair that is rarer is not merged
  std::vector<std::string> special_tokens = {"<|endoftext|>"};  // ids 0, 1, …; never learned from, cut out of the text
  std::string bos_token, eos_token = "<|endoftext|>";           // one of the special tokens, or empty
  std::string chat_template;                                    // Jinja, or empty
};

/// A learned tokenizer.
struct TrainedBpe {
  std::vector<std::string> tokens;                          // by id, in the byte alphabet
  std::vector<std::pair<std::string, std::string>> merges;  // in order
  std::string tokenizer_json, tokenizer_config_json;        // the files
};

/// Learns from `texts` (valid UTF-8): the most frequent pair of neighbours is merged first, the pair with the lower ids
/// among equals (Sennrich et al. 2016), so equal texts give equal tokenizers. Fewer tokens than `vocab_size` come out
/// when the text has no more pairs. Throws ValueError for options that contradict each other. Example:
/// write_tokenizer(train_bpe({{text}}, {.vocab_size = 2048}), "model")
TrainedBpe train_bpe(std::span<const std::string_view> texts, const BpeTrainerOptions& options);

/// Writes tokenizer.json and tokenizer_config.json into `folder`, which must exist. Throws IoError.
void write_tokenizer(const TrainedBpe& trained, const std::filesystem::path& folder);

}  // namespace hearth::llm
