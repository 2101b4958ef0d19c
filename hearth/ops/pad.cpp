// Padding: constants are written round a copy, the other modes select entries again.
#include <algorithm>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/core/node.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/index.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// Sizes after padding; raises when one would be negative.
Shape padded_shape(const Tensor& x, const std::vector<int64_t>& pads) {
  check<ShapeError>(pads.size() % 2 == 0 && int(pads.size() / 2) <= x.dim(),
                    "pad: needs two numbers for each padded dimension: ", pads.size(), " numbers, tensor ", x.shape());
  Shape shape = x.shape();
  for (size_t i = 0; i < pads.size() / 2; ++i) {
    const int d = x.dim() - 1 - int(i);
    constexpr int64_t most = int64_t(1) << 40;
    for (int64_t p : {pads[2 * i], pads[2 * i + 1]})
      check<ValueError>(p > -most && p < most, "pad: padding is out of range: ", p);
    shape[d] += pads[2 * i] + pads[2 * i + 1];
    check<ShapeError>(shape[d] >= 0 && pads[2 * i] + x.shape()[d] >= 0 && pads[2 * i + 1] + x.shape()[d] >= 0,
                      "pad: padding leaves a negative size in dimension ", d, " of ", x.shape());
  }
  return shape;
}

/// Cut where pads are negative, then surrounded. Its adjoint is itself with the signs turned and zeros around.
Tensor pad_constant(const Tensor& x, const std::vector<int64_t>& pads, const Scalar& value) {
  const Tensor y = full(padded_shape(x, pads), value, x.dtype(), x.device());
  Shape shape = x.shape();
  int64_t from = x.offset(), into = y.offset();
  for (size_t i = 0; i < pads.size() / 2; ++i) {
    const int d = x.dim() - 1 - int(i);
    const int64_t before = pads[2 * i], after = pads[2 * i + 1];
    shape[d] += std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
    from += std::max<int64_t>(-before, 0) * x.strides()[d];
    into += std::max<int64_t>(before, 0) * y.strides()[d];
    if (shape[d] <= 0) shape[d] = 0;
  }
  if (shape.numel() > 0)
    kernels::copy(x.device(), y.alias(shape, y.strides(), into), x.alias(shape, x.strides(), from));
  if (!needs_grad(x)) return y;
  std::vector<int64_t> back;
  for (int64_t p : pads) back.push_back(-p);
  return record("pad", y, {x}, [back](const GradContext& c) -> Grads { return {pad_constant(c.dy(), back, 0)}; });
}

/// Where entry i of the padded dimension comes from.
int64_t source(int64_t i, int64_t size, PadMode mode) {
  if (mode == PadMode::replicate) return std::clamp<int64_t>(i, 0, size - 1);
  if (mode == PadMode::circular) return i < 0 ? i + size : i >= size ? i - size : i;
  return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

Tensor pad_dim(const Tensor& x, int d, int64_t before, int64_t after, PadMode mode) {
  if (mode == PadMode::circular && std::min(before, after) < 0) {
    // What wraps round is taken from what is left after cutting.
    const int64_t cut = std::max<int64_t>(-before, 0), rest = x.shape()[d] - cut - std::max<int64_t>(-after, 0);
    return pad_dim(narrow(x, d, cut, rest), d, std::max<int64_t>(before, 0), std::max<int64_t>(after, 0), mode);
  }
  const int64_t size = x.shape()[d], most = std::max(before, after);
  const int64_t limit = mode == PadMode::reflect ? size - 1 : mode == PadMode::circular ? size : most;
  check<ShapeError>(size > 0 && most <= limit, "pad: dimension ", d, " of ", x.shape(),
                    " is too short for the padding ", before, ", ", after);
  std::vector<int64_t> rows;
  for (int64_t i = -before; i < size + after; ++i) rows.push_back(source(i, size, mode));
  return index_select(x, d, from_values<int64_t>(rows, {int64_t(rows.size())}));
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<int64_t>& pads, PadMode mode, const Scalar& value) {
  padded_shape(x, pads);
  if (mode == PadMode::constant) return pad_constant(x, pads, value);
  Tensor y = x;
  for (size_t i = 0; i < pads.size() / 2; ++i)
    if (pads[2 * i] || pads[2 * i + 1]) y = pad_dim(y, x.dim() - 1 - int(i), pads[2 * i], pads[2 * i + 1], mode);
  return y.is_same(x) ? clone(x) : y;
}

}  // namespace hearth
