// Joining, repeating and rearranging whole tensors.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Joins tensors along a dimension; sizes differ there only, dtypes are promoted; 1-dim tensors without elements are
/// left out. Raises ValueError for an empty list, ShapeError, IndexError. Example: Tensor z = cat({x, y}, -1);
Tensor cat(const TensorList& xs, int64_t dim = 0);
/// Joins tensors of one shape along a new dimension.
Tensor stack(const TensorList& xs, int64_t dim = 0);

/// The tensor laid out repeats[d] times along each dimension; more repeats than dimensions add dimensions in front.
Tensor repeat(const Tensor& x, const Shape& repeats);
/// repeat, with ones put in front of too few repeats.
Tensor tile(const Tensor& x, const Shape& repeats);
/// Each entry `repeats` times in a row along `dim` (of the flattened tensor when left out).
Tensor repeat_interleave(const Tensor& x, int64_t repeats, std::optional<int64_t> dim = {});
/// Entry i repeats[i] times. repeats: integral, 1-dim. Raises ValueError for a negative count.
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int64_t> dim = {});

/// Entries moved `shifts[i]` places along dims[i], round the end; without dims, of the flattened tensor.
Tensor roll(const Tensor& x, const std::vector<int64_t>& shifts, const std::vector<int64_t>& dims = {});
/// The order along each of `dims` reversed; a copy.
Tensor flip(const Tensor& x, const std::vector<int64_t>& dims);

/// The last two dimensions with zeros above (tril) or below (triu) a diagonal.
Tensor tril(const Tensor& x, int64_t diagonal = 0);
Tensor triu(const Tensor& x, int64_t diagonal = 0);

enum class PadMode { constant, reflect, replicate, circular };
/// `pads`: before and after for the last dimension, then for the one before it, and so on; negative ones cut off.
/// Raises ShapeError when a result would have a negative size or a mode lacks elements to repeat.
/// Example: Tensor y = pad(image, {1, 1, 2, 2}, PadMode::reflect);
Tensor pad(const Tensor& x, const std::vector<int64_t>& pads, PadMode mode = PadMode::constant,
           const Scalar& value = 0.0);

/// Views of n tensors (0- or 1-dim) over their common grid. `indexing`: "ij", or "xy", which swaps the first two.
TensorList meshgrid(const TensorList& xs, std::string_view indexing = "ij");

/// ids [...] to int64 [..., classes] with a one at each id; classes -1 stands for the largest id plus 1.
/// Raises IndexError for an id that does not fit, DtypeError.
Tensor one_hot(const Tensor& ids, int64_t classes = -1);

}  // namespace hearth
