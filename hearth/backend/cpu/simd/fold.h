// Fold: reduces a block of floats in a fixed tree, along memory or across it, with the same bits.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

enum class Fold : uint8_t { sum, prod, max, min };

/// Elements that are folded in one tree; longer rows are cut into blocks of this many.
inline constexpr int64_t fold_block = 4096;
/// Columns that `columns` may be asked for at once.
inline constexpr int64_t fold_columns = 64;

/// One storage type. Element i of a row goes to lane i mod L (64 for float32 arithmetic, 32 for float64); then lanes j
/// and j + L/2 are combined, and so on down to one. n may be 0 (the identity) and is at most fold_block.
struct FoldFunctions {
  /// A row of n neighbours.
  double (*row)(Fold fold, const void* x, int64_t n);
  /// `columns` neighbouring rows, each of n elements that lie `stride` elements apart.
  void (*columns)(Fold fold, const void* x, int64_t stride, int64_t n, int64_t columns, double* out);
};

// In the order of Dtype: float16, bfloat16, float32, float64.
namespace generic {
extern const FoldFunctions fold_functions[4];
}
namespace avx2 {
extern const FoldFunctions fold_functions[4];
}
namespace avx512 {
extern const FoldFunctions fold_functions[4];
}

}  // namespace hearth::cpu
