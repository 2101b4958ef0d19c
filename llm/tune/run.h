// A fine-tuning run from options to files.
#pragma once

#include <functional>
#include <string>

#include "llm/tune/metrics.h"
#include "llm/tune/options.h"

namespace hearth::llm {

/// What a run has found out before its first step.
struct TunePlan {
  std::string kind;  ///< of the data: chat, completion, preference, text
  int64_t examples = 0, validation_examples = 0;
  int64_t trainable_parameters = 0, model_parameters = 0;
  int64_t steps = 0, first_step = 0;  ///< first_step > 0 when resumed
  std::vector<std::string> notes;     ///< for a person: what was skipped, cut, not used
};

/// Calls from the run to whoever watches it; any may be empty.
struct TuneEvents {
  std::function<void(const TunePlan&)> on_plan;
  std::function<void(const StepMetrics&)> on_step;
  std::function<void(const std::string&)> on_note;
  std::function<bool()> should_stop;  ///< asked after each step; true: save everything and return
};

struct TuneResult {
  int64_t steps = 0;
  double loss = 0;             ///< of the last step
  double validation_loss = 0;  ///< of the last validation, 0 without one
  bool interrupted = false;
};

/// Trains and leaves in `options.out`: the adapter (adapter_model.safetensors, adapter_config.json) or the model
/// folder, metrics.jsonl, loss.svg, optimizer.safetensors and checkpoints/. The result is a function of options, data
/// and base: killed at any moment and resumed, it is the same bits.
/// Raises ValueError (bad options, output exists, loss not finite, resumed with other options), IoError.
TuneResult tune(const TuneOptions& options, const TuneEvents& events = {});

}  // namespace hearth::llm
