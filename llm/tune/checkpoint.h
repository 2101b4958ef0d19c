// Checkpoints of a run: written aside, made durable, then renamed into place, so that one that is there is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hearth/data/order.h"
#include "hearth/nn/module.h"
#include "llm/tune/trainable.h"

namespace hearth::llm {

struct TuneState {
  int64_t step = 0;       ///< steps done
  DataPosition position;  ///< where the next batch begins
  std::string options;    ///< options_json of the run
};

/// Writes OUT/checkpoints/step-00000050 with weights, optimizer and state; keeps the newest `keep` and removes older
/// ones. Raises IoError (the older ones then stay).
void save_checkpoint(const std::string& out, const TuneState& state, const Trainable& trainable,
                     const nn::StateDict& optimizer, const std::string& base, int keep = 2);

/// The newest complete checkpoint's folder; nothing when there is none. Removes what a killed process left
/// half-written.
std::optional<std::string> newest_checkpoint(const std::string& out);

/// Reads a checkpoint's state and its optimizer's tensors. Raises IoError, ValueError.
TuneState read_checkpoint(const std::string& folder, nn::StateDict& optimizer);

}  // namespace hearth::llm
