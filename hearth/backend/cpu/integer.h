// Integer element-wise functions: one int64 loop per op; narrower types are widened on load and wrap on store.
#pragma once

#include "hearth/backend/cpu/simd/elementwise.h"

namespace hearth::cpu {

/// Null for an op that integers do not have.
UnaryChunk<int64_t> integer_unary(kernels::UnaryOp op);
BinaryChunk<int64_t> integer_binary(kernels::BinaryOp op);

}  // namespace hearth::cpu
