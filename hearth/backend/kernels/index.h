// Contract of the kernels that read and write through integer indices.
//
// Dtypes: data operands share one dtype, any; `index` is int64 and already inside its range (`wrap_index` checks it).
// Accumulation: `write_*` with add, mul, min and max compute in the data's dtype (float32, rounded at once, for float16
// and bfloat16); bool adds as "or" and multiplies as "and". NaN wins in min and max.
// Invariance: an element of the result depends on its operands only. Where several sources meet in one element they
// are applied in the order of their position along the indexed dimension, whatever the number of threads.
// `out` overlaps no other operand.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

enum class WriteOp : uint8_t { assign, add, mul, min, max };

/// out = index, with `size` added to negative ones when `negative` is true. Both [n] int64, contiguous. Returns the
/// position of the first index that leaves [0, size), -1 when there is none.
using WrapIndexFn = int64_t(const Tensor& out, const Tensor& index, int64_t size, bool negative);

/// out[o, i, j] = x[o, index[i], j]. out [outer, n, inner] contiguous; x [outer, size, inner] any strides; index [n]
/// contiguous.
using IndexSelectFn = void(const Tensor& out, const Tensor& x, const Tensor& index);

/// out[o, index[i], j] = op(out[o, index[i], j], src[o, i, j]) for i in rising order. out [outer, size, inner] and src
/// [outer, n, inner] any strides; index [n] contiguous.
using IndexWriteFn = void(WriteOp op, const Tensor& out, const Tensor& index, const Tensor& src);

/// out[.., i, ..] = x[.., index[.., i, ..], ..] along `dim`. out and index share a shape; x is at least as long in
/// every other dimension. Any strides; rank at least 1.
using GatherFn = void(const Tensor& out, const Tensor& x, const Tensor& index, int dim);

/// out[.., index[.., i, ..], ..] = op(that, src[.., i, ..]) along `dim`, i in rising order. index and src share a
/// shape; out is at least as long in every other dimension. Any strides; rank at least 1.
using ScatterFn = void(WriteOp op, const Tensor& out, const Tensor& index, const Tensor& src, int dim);

/// The coordinates of the true elements in row-major order. x: bool, contiguous; out: int64 [count, x.dim()],
/// contiguous, where count is the number of true elements.
using NonzeroFn = void(const Tensor& out, const Tensor& x);

inline constinit Slot<WrapIndexFn> wrap_index{"wrap_index"};
inline constinit Slot<IndexSelectFn> index_select{"index_select"};
inline constinit Slot<IndexWriteFn> index_write{"index_write"};
inline constinit Slot<GatherFn> gather{"gather"};
inline constinit Slot<ScatterFn> scatter{"scatter"};
inline constinit Slot<NonzeroFn> nonzero{"nonzero"};

}  // namespace hearth::kernels
