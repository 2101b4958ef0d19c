// JSON pipeline: normalizer and pre-tokenizer of a tokenizer.json.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "llm/tokenizer/normalizer.h"
#include "llm/tokenizer/pre_tokenizer.h"

namespace hearth::llm {

/// Adds the steps of `value` (an object; a Sequence adds several). Throws NotImplementedError naming an unknown type.
void read_normalizer(const boost::json::value& value, const std::string& where, Normalizer& normalizer);

/// The same for the pre-tokenizer; `byte_level` becomes true when it ends in ByteLevel, i.e. the model sees bytes.
void read_pre_tokenizer(const boost::json::value& value, const std::string& where, PreTokenizer& pre_tokenizer,
                        bool& byte_level);

}  // namespace hearth::llm
