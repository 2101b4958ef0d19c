// Families: what each model_type adds to the settings that all decoders share.
#pragma once

#include <string>
#include <vector>

#include "hearth/io/json.h"
#include "llm/models/config.h"

namespace hearth::llm {

struct Family {
  const char* model_type;
  const char* architecture;
  /// Fills in what this family decides, after the shared settings were read.
  void (*read)(const JsonObject& json, DecoderConfig& config);
};

extern const Family llama_family;
extern const Family qwen2_family;
extern const Family qwen3_family;

/// Every family in this build.
const std::vector<const Family*>& families();

/// The family of a model_type. Raises NotImplementedError that lists the known ones.
const Family& find_family(const std::string& model_type);

}  // namespace hearth::llm
