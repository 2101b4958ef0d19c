// PEFT's folder format: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <string>

#include "llm/lora/adapter.h"

namespace hearth::llm {

/// Writes both files, atomically one by one, the weights first. `base` is the name or folder of the model.
void save_adapter(const LoraAdapter& adapter, const std::string& folder, const std::string& base);

/// Reads an adapter for a model with these linear layers. Raises IoError for missing or broken files, ValueError when
/// a weight names a layer that the model does not have, has another shape (an adapter for another base), or one of A
/// and B is missing; NotImplementedError for a setting that changes the computation and is not implemented (DoRA,
/// biases, modules_to_save, other kinds of adapters).
LoraAdapter load_adapter(const std::string& folder, const std::vector<LinearShape>& layers);

}  // namespace hearth::llm
