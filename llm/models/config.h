// Reading and writing config.json.
#pragma once

#include <string>

#include "llm/blocks/decoder_config.h"

namespace hearth::llm {

/// Parameters that a model of this shape has, tied ones counted once.
int64_t parameter_count(const DecoderConfig& config);

/// Reads `folder/config.json` (and the end-of-text ids of generation_config.json). Raises IoError when it is missing,
/// ValueError for a broken or impossible one, NotImplementedError that names a model_type or a setting that hearth does
/// not have.
DecoderConfig load_config(const std::string& folder);
DecoderConfig parse_config(const std::string& json, const std::string& where);

/// The config.json of a model, in Hugging Face's form. `dtype` is the name of the weights' type.
std::string config_json(const DecoderConfig& config, const std::string& dtype);

}  // namespace hearth::llm
