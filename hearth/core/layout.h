// Layout: merges the dimensions of several operands into the fewest loops.
#pragma once

#include <array>
#include <memory>

#include "hearth/core/tensor.h"

namespace hearth {

/// A loop nest over N operands that share a shape. Strides are in bytes; dimension 0 is the innermost. No heap up to
/// eight loops.
template <int N>
class Loops {
 public:
  int rank = 0;         ///< at least 1
  int64_t* sizes;       ///< [rank]
  int64_t* strides[N];  ///< [rank] each
  std::array<char*, N> data;
  int64_t numel;

  explicit Loops(const std::array<const Tensor*, N>& operands) : numel(operands[0]->numel()) {
    const int dims = operands[0]->dim();
    int64_t* memory = inline_;
    if (dims > inline_rank) {
      heap_ = std::make_unique<int64_t[]>(size_t(dims) * (N + 1));
      memory = heap_.get();
    }
    const int capacity = dims > inline_rank ? dims : inline_rank;
    sizes = memory;
    for (int k = 0; k < N; ++k) {
      strides[k] = memory + (k + 1) * capacity;
      data[size_t(k)] = static_cast<char*>(operands[size_t(k)]->raw());
    }
    bool contiguous = true;
    for (const Tensor* operand : operands) contiguous = contiguous && operand->is_contiguous();
    if (contiguous)
      add_loop(numel, operands, [](const Tensor&) { return int64_t(1); });
    else
      merge(operands);
  }
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;

  int64_t inner() const { return sizes[0]; }
  int64_t outer() const { return numel == 0 ? 0 : numel / sizes[0]; }

  /// Pointers of the operands at the start of inner loop number `row` (0 <= row < outer()).
  std::array<char*, N> at(int64_t row) const {
    std::array<char*, N> at = data;
    for (int d = 1; d < rank; ++d) {
      const int64_t i = row % sizes[d];
      row /= sizes[d];
      for (int k = 0; k < N; ++k) at[size_t(k)] += i * strides[k][d];
    }
    return at;
  }

 private:
  static constexpr int inline_rank = 8;

  template <class Stride>
  void add_loop(int64_t size, const std::array<const Tensor*, N>& operands, Stride stride) {
    sizes[rank] = size;
    for (int k = 0; k < N; ++k) {
      const Tensor& t = *operands[size_t(k)];
      strides[k][rank] = stride(t) * int64_t(dtype_size(t.dtype()));
    }
    ++rank;
  }

  void merge(const std::array<const Tensor*, N>& operands) {
    const Shape& shape = operands[0]->shape();
    for (int d = shape.size() - 1; d >= 0; --d) {
      if (shape[d] == 1) continue;
      bool joins = rank > 0;
      for (int k = 0; k < N && joins; ++k) {
        const Tensor& t = *operands[size_t(k)];
        joins = t.strides()[d] * int64_t(dtype_size(t.dtype())) == strides[k][rank - 1] * sizes[rank - 1];
      }
      if (joins)
        sizes[rank - 1] *= shape[d];
      else
        add_loop(shape[d], operands, [d](const Tensor& t) { return t.strides()[d]; });
    }
    if (rank == 0) add_loop(1, operands, [](const Tensor&) { return int64_t(0); });
  }

  int64_t inline_[(N + 1) * inline_rank];
  std::unique_ptr<int64_t[]> heap_;
};

/// Operands must have equal shapes (0-strides broadcast). Dimensions of size 1 vanish; neighbours that every operand
/// walks evenly become one. Dimensions keep their order, so the result does not depend on memory addresses.
template <int N>
Loops<N> merge_loops(const std::array<const Tensor*, N>& operands) {
  return Loops<N>(operands);
}

/// A place in a loop nest that moves forward inside a row, and from the end of a row to the next one.
template <int N>
class Cursor {
 public:
  /// `position` counts elements in row-major order.
  Cursor(const Loops<N>& loops, int64_t position) : at(loops.data), loops_(loops) {
    if (loops.rank > inline_rank) {
      heap_ = std::make_unique<int64_t[]>(size_t(loops.rank));
      index_ = heap_.get();
    }
    for (int d = 0; d < loops.rank; ++d) {
      index_[d] = position % loops.sizes[d];
      position /= loops.sizes[d];
      for (int k = 0; k < N; ++k) at[size_t(k)] += index_[d] * loops.strides[k][d];
    }
  }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  int64_t left_in_row() const { return loops_.sizes[0] - index_[0]; }

  /// 0 <= n <= left_in_row().
  void advance(int64_t n) {
    index_[0] += n;
    for (int k = 0; k < N; ++k) at[size_t(k)] += n * loops_.strides[k][0];
    for (int d = 0; index_[d] == loops_.sizes[d] && d + 1 < loops_.rank; ++d) {
      for (int k = 0; k < N; ++k) at[size_t(k)] += loops_.strides[k][d + 1] - loops_.sizes[d] * loops_.strides[k][d];
      index_[d] = 0;
      ++index_[d + 1];
    }
  }

  std::array<char*, N> at;

 private:
  static constexpr int inline_rank = 8;
  const Loops<N>& loops_;
  int64_t inline_[inline_rank];
  int64_t* index_ = inline_;
  std::unique_ptr<int64_t[]> heap_;
};

}  // namespace hearth
