// PEFT's folder format: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <string>

#include "hearth/io/file_system.h"
#include "llm/lora/adapter.h"
#include "llm/lora/fingerprint.h"

namespace hearth::llm {

/// Writes both files, atomically one by one, the weights first. `base` is the name or folder of the model; its
/// fingerprint goes into the metadata of the weights, where other programs ignore it.
void save_adapter(const LoraAdapter& adapter, const std::string& folder, const std::string& base,
                  const std::string& fingerprint = "", FileSystem& fs = real_file_system());

/// Reads an adapter for a model with these linear layers. Raises IoError for missing or broken files, ValueError when
/// a weight names a layer that the model does not have, has another shape, or one of A and B is missing, or when the
/// file has a fingerprint of another base than `fingerprint` (both must be there to be compared); NotImplementedError
/// for a setting that changes the computation and is not implemented (DoRA, biases, modules_to_save, other kinds of
/// adapters).
LoraAdapter load_adapter(const std::string& folder, const std::vector<LinearShape>& layers,
                         const std::string& fingerprint = "", FileSystem& fs = real_file_system());

}  // namespace hearth::llm
