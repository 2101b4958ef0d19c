// ReducePlan: which dimensions a reduction keeps, and the shapes that follow.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

struct ReducePlan {
  Shape kept;         ///< shape with size 1 in the reduced dimensions
  Shape out;          ///< shape without them
  int64_t count = 1;  ///< elements of a row
  Tensor rows;        ///< x without history, the kept dimensions first

  /// Raises IndexError for a dimension that is not there, ValueError for one named twice. No dimension means all.
  ReducePlan(const char* op, const Tensor& x, const std::vector<int64_t>& dims);

  const Shape& shape(bool keepdim) const { return keepdim ? kept : out; }
};

}  // namespace hearth
