// Trainable: what a run changes — an adapter beside a frozen model, or all of the model's weights.
#pragma once

#include <memory>
#include <string>

#include "llm/models/causal_lm.h"
#include "llm/tune/options.h"

namespace hearth::llm {

class Trainable {
 public:
  /// A new adapter, or the model's own weights set free. Takes the model.
  Trainable(std::unique_ptr<CausalLm> model, const TuneOptions& options);

  const CausalLm& model() const { return *model_; }
  const LoraAdapter* adapter() const { return adapter_.get(); }
  nn::NamedTensors named_parameters() const;
  TensorList parameters() const;

  /// Writes what was trained: PEFT's two files, or a model folder.
  void save(const std::string& folder, const std::string& base) const;
  /// Takes the values that `save` wrote; the parameters stay the same tensors.
  void restore(const std::string& folder);

 private:
  std::unique_ptr<CausalLm> model_;
  std::unique_ptr<LoraAdapter> adapter_;
};

}  // namespace hearth::llm
