// Indexing as x[...] has it in PyTorch: integers, slices, None, Ellipsis, masks and index tensors, mixed.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

struct NoneIndex {};
struct EllipsisIndex {};
/// A new dimension of size 1.
inline constexpr NoneIndex None;
/// As many full slices as are missing; at most one.
inline constexpr EllipsisIndex Ellipsis;

/// Python's start:end:step; a bound left out (None) is open. step must be positive.
struct Slice {
  Slice() = default;
  Slice(std::optional<int64_t> start, std::optional<int64_t> end, int64_t step = 1)
      : start(start), end(end), step(step) {}
  Slice(NoneIndex, std::optional<int64_t> end, int64_t step = 1) : end(end), step(step) {}
  Slice(std::optional<int64_t> start, NoneIndex, int64_t step = 1) : start(start), step(step) {}
  Slice(NoneIndex, NoneIndex, int64_t step = 1) : step(step) {}

  std::optional<int64_t> start, end;
  int64_t step = 1;
};

/// One entry between the brackets.
class Index {
 public:
  Index(NoneIndex none) : value_(none) {}
  Index(EllipsisIndex ellipsis) : value_(ellipsis) {}
  Index(const Slice& slice) : value_(slice) {}
  Index(int value) : value_(int64_t(value)) {}
  Index(int64_t value) : value_(value) {}
  Index(bool value) : value_(value) {}
  /// Integral: entries of one dimension (negative count from the end). bool or uint8: a mask over as many dimensions as
  /// it has.
  Index(const Tensor& value) : value_(value) {}

  using Value = std::variant<NoneIndex, EllipsisIndex, Slice, int64_t, bool, Tensor>;
  const Value& value() const { return value_; }

 private:
  Value value_;
};

/// x[indices]. A view while only integers, slices, None and Ellipsis are used, else a copy. Index tensors are broadcast
/// together; their dimensions stand where they were when they are neighbours, else first. Differentiable in x.
/// Raises IndexError naming index, dimension and size; too many indices; masks that do not fit.
/// Example: Tensor y = index(x, {Slice(1, 5, 2), 3, None, Ellipsis, mask});
Tensor index(const Tensor& x, const std::vector<Index>& indices);

/// x[indices] = value (or += value with accumulate, where repeated entries add up in order), with value broadcast and
/// converted. Differentiable in x and value. Without accumulate the last of repeated entries wins.
const Tensor& index_put_(const Tensor& x, const std::vector<Index>& indices, const Tensor& value,
                         bool accumulate = false);
const Tensor& index_put_(const Tensor& x, const std::vector<Index>& indices, const Scalar& value,
                         bool accumulate = false);
/// The same on a copy of x.
Tensor index_put(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate = false);

}  // namespace hearth
