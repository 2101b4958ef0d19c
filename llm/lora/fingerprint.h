// Fingerprint of a base model: tells whether an adapter was trained for these very weights.
#pragma once

#include <string>

#include "hearth/core/state_dict.h"

namespace hearth::llm {

/// A few numbers over samples of up to eight matrices. The same base gives nearly the same numbers in float32, float16
/// and bfloat16; another base, even of the same shapes, quite different ones.
std::string base_fingerprint(const NamedTensors& parameters);

/// Whether two fingerprints can be of one base. Texts that are no fingerprints are of no base.
bool same_base(const std::string& a, const std::string& b);

}  // namespace hearth::llm
