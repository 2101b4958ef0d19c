// What a LoraTrainer holds.
#pragma once

#include "llm/tune/lora_trainer.h"

namespace hearth::llm {

struct LoraTrainer::State {
  std::shared_ptr<const CausalLm> base;
  std::string fingerprint;
  std::shared_ptr<LoraAdapter> adapter;  ///< shared with snapshots; never written while it is
  TensorList exp_avg, exp_avg_sq;        ///< one a parameter, in the adapter's order; empty before the first step
  int64_t step = 0;
  TensorList gradient;  ///< one a parameter; empty: none. Never written in place: a pass replaces it as a whole

  /// Takes weights and, with `optimizer`, moments and step from a folder; base and fingerprint are set before.
  void read(const std::string& folder, bool optimizer, FileSystem& fs);
  std::string weights_hash() const;
  /// Of weights, moments, step and, if it is wanted, the accumulated gradient.
  std::string hash(bool with_gradient) const;
};

}  // namespace hearth::llm
