// Integer element-wise functions: one int64 loop per op; narrower types are widened on load and wrap on store. uint64,
// which int64 does not hold, has loops of its own.
#pragma once

#include "hearth/backend/cpu/simd/elementwise.h"

namespace hearth::cpu {

/// Null for an op that integers do not have. I: int64_t or uint64_t.
template <class I>
UnaryChunk<I> integer_unary(kernels::UnaryOp op);
template <class I>
BinaryChunk<I> integer_binary(kernels::BinaryOp op);
CompareChunk<uint64_t> unsigned_compare(kernels::CompareOp op);

}  // namespace hearth::cpu
