// A quick probe of the invariances on this machine, by computing instead of claiming.
#pragma once

#include "hearth/core/dtype.h"

namespace hearth::llm {

/// Whether log-probabilities kept their bits.
struct Invariances {
  bool row = false;     ///< computed with other rows or token by token against a cache
  bool batch = false;   ///< beside other sequences
  bool thread = false;  ///< on 1, 2 and 3 threads
};

/// Computes a small random model's log-probabilities in all these ways and compares bits; takes some milliseconds.
Invariances probe_invariances(Dtype weights);

}  // namespace hearth::llm
