// Pretraining: a small model from scratch, with a tokenizer learnt from the same text.
#pragma once

#include <functional>
#include <string>

#include "llm/tune/run.h"

namespace hearth::llm {

struct PretrainOptions {
  std::string data, out;
  int32_t vocab_size = 2048;  ///< tokens of the tokenizer that is learnt
  int64_t hidden_size = 192, layers = 6, heads = 6, kv_heads = 3;
  int64_t intermediate_size = 0;  ///< 0: 8/3 of hidden_size, rounded up to a multiple of 32
  int64_t context = 512;
  int64_t batch_size = 16;  ///< windows of `context` tokens a step
  int64_t steps = 0;        ///< 0: as many as `epochs` take
  double epochs = 4;
  double learning_rate = 1e-3;
  double weight_decay = 0.1;
  double clip = 1;
  double validation_split = 0.02;  ///< share of the documents held out
  uint64_t seed = 0;
  int64_t eval_every = 0;  ///< 0: about ten in the run
  int64_t save_every = 200;
  std::string dtype = "float16";  ///< of the weights written at the end
  bool resume = false;
};

/// Learns a byte-level BPE tokenizer, trains a Llama-style model with tied embeddings on the documents (end of text
/// between them) and leaves a Hugging Face folder in `options.out`, with metrics.jsonl, loss.svg and checkpoints/.
/// Killed at any moment and resumed, the result is the same bits. Raises ValueError, IoError.
TuneResult pretrain(const PretrainOptions& options, const TuneEvents& events = {});

}  // namespace hearth::llm
