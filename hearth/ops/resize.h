// Resize: gives a tensor another shape in place, growing its memory where that is too small.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// x becomes contiguous with `shape`; elements keep their place in memory, new ones are not initialised. Raises
/// ValueError for a tensor with history or for memory that cannot grow (owned by somebody else).
const Tensor& resize_(const Tensor& x, const Shape& shape);

/// x becomes a window on `source`'s memory.
const Tensor& set_(const Tensor& x, const Tensor& source, const Shape& shape, const Shape& strides, int64_t offset);

}  // namespace hearth
