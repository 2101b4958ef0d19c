// Layout: merges the dimensions of several operands into the fewest loops.
#pragma once

#include <array>

#include "hearth/core/tensor.h"

namespace hearth {

/// A loop nest over N operands that share a shape. Strides are in bytes; dimension 0 is the innermost.
template <int N>
struct Loops {
  int rank = 0;  ///< at least 1 after `merge_loops`
  std::vector<int64_t> sizes;
  std::array<std::vector<int64_t>, N> strides;
  std::array<char*, N> data;
  int64_t numel = 0;

  int64_t inner() const { return sizes[0]; }
  int64_t outer() const { return numel == 0 ? 0 : numel / sizes[0]; }

  /// Pointers of the operands at the start of inner loop number `row` (0 <= row < outer()).
  std::array<char*, N> at(int64_t row) const {
    std::array<char*, N> at = data;
    for (int d = 1; d < rank; ++d) {
      const int64_t i = row % sizes[size_t(d)];
      row /= sizes[size_t(d)];
      for (int k = 0; k < N; ++k) at[size_t(k)] += i * strides[size_t(k)][size_t(d)];
    }
    return at;
  }
};

/// Operands must have equal shapes (0-strides broadcast). Dimensions of size 1 vanish; neighbours that every operand
/// walks evenly become one. Dimensions keep their order, so the result does not depend on memory addresses.
template <int N>
Loops<N> merge_loops(const std::array<const Tensor*, N>& operands) {
  Loops<N> loops;
  const Shape& shape = operands[0]->shape();
  loops.numel = operands[0]->numel();
  for (int k = 0; k < N; ++k) loops.data[size_t(k)] = static_cast<char*>(operands[size_t(k)]->raw());
  for (int d = shape.size() - 1; d >= 0; --d) {
    if (shape[d] == 1) continue;
    std::array<int64_t, N> step;
    bool joins = loops.rank > 0;
    for (int k = 0; k < N; ++k) {
      const Tensor& t = *operands[size_t(k)];
      step[size_t(k)] = t.strides()[d] * int64_t(dtype_size(t.dtype()));
      joins = joins && step[size_t(k)] == loops.strides[size_t(k)].back() * loops.sizes.back();
    }
    if (joins) {
      loops.sizes.back() *= shape[d];
      continue;
    }
    loops.sizes.push_back(shape[d]);
    for (int k = 0; k < N; ++k) loops.strides[size_t(k)].push_back(step[size_t(k)]);
    ++loops.rank;
  }
  if (loops.rank == 0) {
    loops.rank = 1;
    loops.sizes.push_back(1);
    for (int k = 0; k < N; ++k) loops.strides[size_t(k)].push_back(0);
  }
  return loops;
}

}  // namespace hearth
