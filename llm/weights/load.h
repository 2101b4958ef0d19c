// Loading a model: a Hugging Face folder, or llama2.c files.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llm/models/causal_lm.h"

namespace hearth::llm {

/// The model in `path`: a folder with config.json and safetensors (sharded or not); or a llama2.c checkpoint, named
/// itself or the only one in its folder (of several, the one named like the folder, or model.bin). Weights stay mapped
/// from the file until they are written to. `dtype` converts them (float32 or bfloat16); without it float32 and
/// bfloat16 files keep their type and float16 becomes float32, which holds it exactly. Raises IoError, ValueError (a
/// tensor missing, unexpected, or of the wrong shape, by name), NotImplementedError. Example: auto model =
/// load_model("Qwen3-0.6B");
std::unique_ptr<CausalLm> load_model(const std::string& path, std::optional<Dtype> dtype = {});

/// Whether `path` is read as llama2.c files, and then which one; empty for a Hugging Face folder.
/// Raises IoError when it is neither.
std::string find_llama2c(const std::string& path);

}  // namespace hearth::llm
