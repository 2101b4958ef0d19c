// Sums of products in index notation.
#pragma once

#include <string_view>

#include "hearth/core/tensor.h"

namespace hearth {

/// The sum of products that `equation` writes down: a letter for each dimension of each operand, commas between
/// operands, `...` for any further dimensions (broadcast), then `->` and the letters that stay; without `->` those that
/// occur once stay, in alphabetical order. A letter twice in one operand is its diagonal; sizes of 1 broadcast.
/// Operands are contracted from left to right, each pair through one batched product, so the bits of a result do not
/// depend on the number of threads. Raises ValueError for a malformed equation, ShapeError, DtypeError.
/// Example: Tensor scores = einsum("bqhd,bkhd->bhqk", {q, k});
Tensor einsum(std::string_view equation, const TensorList& operands);

}  // namespace hearth
