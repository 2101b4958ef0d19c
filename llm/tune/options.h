// TuneOptions: everything that decides a fine-tuning run. With the data and the base they determine its result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hearth/data/packing.h"
#include "llm/lora/adapter.h"

namespace hearth::llm {

struct TuneOptions {
  std::string model, data, out;
  std::string validation_data;  ///< a file of its own; else `validation_split` of the data is held out
  double validation_split = 0.05;
  bool full = false;  ///< train every weight instead of an adapter
  LoraConfig lora;
  std::string dtype = "float32";  ///< of the base weights
  int64_t steps = 0;              ///< 0: as many as `epochs` take
  double epochs = 3;
  int64_t batch_size = 8;    ///< sequences a step
  int64_t batch_tokens = 0;  ///< or tokens a step; 0: no limit
  int64_t max_length = 0;    ///< tokens of an example; 0: the model's context
  BadExample on_too_long = BadExample::error;
  BadExample on_empty = BadExample::error;
  double learning_rate = 0;         ///< 0: 2e-4 for an adapter, 2e-5 for all weights
  std::string schedule = "cosine";  ///< cosine, linear or constant, after the warm-up
  int64_t warmup_steps = -1;        ///< -1: a twentieth of the steps
  double weight_decay = 0;
  double clip = 1;               ///< largest norm of the gradient; 0: not clipped
  double dpo_beta = 0.1;         ///< for preference data
  bool train_on_prompt = false;  ///< learn the prompt's tokens too
  std::string format = "auto";   ///< auto, chat (the model's template) or plain
  int64_t limit = 0;             ///< use only the first rows; 0: all
  int64_t max_chars = 0;         ///< cut plain texts after so many characters; 0: do not
  bool add_eos = true;           ///< end plain texts with the end-of-text token
  uint64_t seed = 0;
  int64_t eval_every = 0;   ///< steps between validations; 0: about ten in the run
  int64_t save_every = 50;  ///< steps between checkpoints
  bool checkpoint_activations = false;
  bool resume = false;
};

/// Raises ValueError for an impossible value, by name.
void validate(const TuneOptions& options);

/// The options that decide the result, as JSON: kept in checkpoints, so that a resumed run is the same run.
std::string options_json(const TuneOptions& options);

}  // namespace hearth::llm
