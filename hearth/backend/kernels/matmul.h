// Contract of matrix products, plain and with weights that are rearranged once.
//
// Accumulation: float32 for float16, bfloat16 and float32; float64 for float64; int64 (wrapping) for integers. A result
// is rounded to the type of `out` once, at the end; with `accumulate` the sum starts from what `out` holds.
// Invariance: row, batch and thread. An element of `out` is one chain of fma over ascending k, so its bits depend on
// its row of the left operand, its column of the right operand and its start only: not on m, n, strides, packing,
// the other batches or the number of threads. `matmul` and `matmul_packed` give the same bits, with one exception:
// where `PackedWeight::uses_half_products()`, products of two bfloat16 numbers are summed in the processor's own order
// (row- and thread-invariant too, twice as fast), which `matmul` does not do.
#pragma once

#include <span>

#include "hearth/backend/slot.h"
#include "hearth/core/ref.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// out[batch, m, n] = a[batch, m, k] * b[batch, k, n], plus the old `out` if `accumulate`. `out` is contiguous; a and b
/// have any strides (0 in batch broadcasts). Dtypes: all equal; or out float32 and a and b any of float32, float16 and
/// bfloat16. k = 0 gives zeros (or leaves `out`).
using MatmulFn = void(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate);

/// Which product a packed weight is for: y = x * W^T of a linear layer, or dx = dy * W of its backward.
enum class PackUse { forward, backward };

/// A weight [out, in], as nn.Linear keeps it, rearranged for one use by one backend. It is a copy: later changes of the
/// weight are not seen. Immutable, so threads may share it.
class PackedWeight : public RefCounted {
 public:
  virtual PackUse use() const = 0;
  virtual Dtype dtype() const = 0;        ///< of the weight
  virtual Dtype input_dtype() const = 0;  ///< that `x` must have
  virtual int64_t depth() const = 0;      ///< columns of x: in for forward, out for backward
  virtual int64_t columns() const = 0;    ///< columns of y
  virtual size_t bytes() const = 0;       ///< memory held
  virtual bool uses_half_products() const { return false; }
};

/// Packs `weight` [out, in] (any strides; float types) for inputs of type `input`: the weight's own type, or float32
/// with a float16 or bfloat16 weight, which is then widened exactly.
using PackFn = Ref<PackedWeight>(const Tensor& weight, PackUse use, Dtype input);

/// out[m, columns] = x[m, depth] * weight + bias, plus the old `out` if `accumulate`. x has any strides; out's columns
/// are adjacent, its row stride is free; bias is [columns] or undefined. Dtypes: x as the weight was packed for; out as
/// x or float32; bias as out or as x.
using MatmulPackedFn = void(const Tensor& out, const Tensor& x, const PackedWeight& weight, const Tensor& bias,
                            bool accumulate);

/// One product of a group, float32: out[m, n] = scale * a[m, k] b[k, n]. Strides count elements; the columns of a row
/// of out are adjacent.
struct GroupedProduct {
  int64_t m, n, k;
  const float* a;
  int64_t a_row, a_column;
  const float* b;
  int64_t b_row, b_column;
  float* out;
  int64_t out_row;
  float scale = 1;  ///< multiplies the rounded sum; 1 when accumulating
};

/// Products that do not touch each other's results, side by side where they are small: the same bits as `matmul` of
/// each. With `accumulate`, out += a b.
using MatmulGroupedFn = void(std::span<const GroupedProduct> products, bool accumulate);

inline constinit Slot<MatmulFn> matmul{"matmul"};
inline constinit Slot<MatmulGroupedFn> matmul_grouped{"matmul_grouped"};
inline constinit Slot<PackFn> pack{"pack"};
inline constinit Slot<MatmulPackedFn> matmul_packed{"matmul_packed"};

}  // namespace hearth::kernels
