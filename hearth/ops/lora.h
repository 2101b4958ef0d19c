// The product of a frozen linear layer with low-rank paths beside it (Hu et al. 2021), in one node.
#pragma once

#include <vector>

#include "hearth/ops/linear.h"

namespace hearth {

/// A low-rank path beside a linear layer W [out, in], for rows [begin, end) of its input: they get scale * (x A^T) B^T
/// besides. a [rank, in], b [out, rank], float32.
struct LoraSegment {
  Tensor a, b;
  double scale = 1;
  int64_t begin = 0, end = 0;
};

/// Paths of one pass: ascending, not overlapping, each of its own rank; rows in none have no path.
using LoraSegments = std::vector<LoraSegment>;

/// x W^T + bias + scale * (x A^T) B^T. Shapes: x [n, in] float32, W [out, in] packed, bias [out] or undefined, a [rank,
/// in], b [out, rank] float32 -> [n, out]. Differentiable in x, bias, a and b; only x and scale * x A^T are kept, and
/// no temporary has the size of the result. Raises ShapeError, DtypeError. Example: Tensor y = lora_linear(x, packed,
/// {}, a, b, 2.0);
Tensor lora_linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias, const Tensor& a, const Tensor& b,
                   double scale);

/// The same with a path for each range of rows: one product of all rows with W. A row's bits, and those of the
/// gradients of a segment's a and b, do not depend on the other segments. Raises ValueError for segments out of order
/// or beyond x. Example: Tensor y = lora_linear(x, packed, {}, {{a0, b0, 2.0, 0, 5}, {a1, b1, 1.0, 9, 12}});
Tensor lora_linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias, const LoraSegments& segments);

/// y + scale * (x A^T) B^T in the rows of each segment, for a y [n, out] that another op made; the sums of a row begin
/// with y's, so the bits are those of lora_linear. Differentiable in y, x, a and b. Raises as lora_linear.
/// Example: Tensor z = lora_add(linear(x, trained), dropout(x, 0.1), {{a, b, 2.0, 0, x.size(0)}});
Tensor lora_add(const Tensor& y, const Tensor& x, const LoraSegments& segments);

}  // namespace hearth
