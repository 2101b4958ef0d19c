// Rotary position embedding (Su et al. 2021), half-split as Hugging Face models have it.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// Cosines and sines of every position: [positions, half], float32.
struct RotaryTable {
  Tensor cos, sin;
};

/// The table for positions 0 .. positions - 1: the angle is float32(position) * inv_freq[i] rounded to float32, as
/// Hugging Face computes it; its cosine and sine are taken in double, multiplied by attention_factor and rounded once.
/// Shapes: inv_freq [half] float32. Raises ShapeError, DtypeError, ValueError for positions < 1.
/// Example: RotaryTable table = rotary_table(inv_freq, 2048);
RotaryTable rotary_table(const Tensor& inv_freq, int64_t positions, double attention_factor = 1.0);

/// Turns each head of x by its token's position: pairs (x[i], x[i + half]), i < half; elements behind 2 * half stay.
/// Shapes: x [tokens, heads, dim] floating (a view with last stride 1 is read in place), positions [tokens] int64.
/// Raises ShapeError, DtypeError, IndexError for a position outside the table.
/// Example: Tensor q = rotary(q_projection, positions, table);
Tensor rotary(const Tensor& x, const Tensor& positions, const RotaryTable& table);

}  // namespace hearth
