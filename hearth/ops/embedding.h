// Embedding: rows of a table by token id.
#pragma once

#include <optional>

#include "hearth/core/tensor.h"

namespace hearth {

/// Rows of a table: ids [...] (integral, no negative ones) and weight [rows, width] give [..., width]. Row
/// `padding_idx` (negative counts from the end) gets no gradient. The gradient adds up in token order, half types in
/// float32. Raises IndexError naming the id, DtypeError, ShapeError. Example: Tensor h = embedding(table, tokens);
Tensor embedding(const Tensor& weight, const Tensor& ids, std::optional<int64_t> padding_idx = {});

}  // namespace hearth
