// Views that name several dimensions at once.
#include "hearth/ops/dims.h"

#include <algorithm>

#include "hearth/core/node.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// The dimensions counted from the front. Raises ValueError for one named twice.
std::vector<int> wrapped(const char* op, const std::vector<int64_t>& dims, int rank) {
  std::vector<int> all;
  for (int64_t d : dims) {
    const int at = wrap_dim(op, d, rank);
    check<ValueError>(std::find(all.begin(), all.end(), at) == all.end(), op, ": a dimension is named twice: ", d);
    all.push_back(at);
  }
  return all;
}

}  // namespace

Tensor movedim(const Tensor& x, const std::vector<int64_t>& source, const std::vector<int64_t>& destination) {
  check<ShapeError>(source.size() == destination.size(),
                    "movedim: as many sources as destinations are needed: ", source.size(), " and ",
                    destination.size());
  const std::vector<int> from = wrapped("movedim", source, x.dim()), to = wrapped("movedim", destination, x.dim());
  if (x.dim() == 0) return permute(x, {});
  Shape order(x.dim(), -1);
  for (size_t i = 0; i < from.size(); ++i) order[to[i]] = from[i];
  int next = 0;
  for (int d = 0; d < x.dim(); ++d) {
    if (order[d] >= 0) continue;
    while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
    order[d] = next++;
  }
  return permute(x, order);
}

Tensor squeeze(const Tensor& x, const std::vector<int64_t>& dims) {
  std::vector<int> all = wrapped("squeeze", dims, x.dim());
  std::sort(all.rbegin(), all.rend());
  // A tensor without dimensions, or none named: still a view of its own.
  Tensor y = expand(x, x.shape());
  for (int d : all) y = squeeze(y, int64_t(d));
  return y;
}

TensorList tensor_split(const Tensor& x, int64_t sections, int64_t dim) {
  check<ShapeError>(x.dim() > 0, "tensor_split: a 0-dim tensor cannot be split");
  check<ValueError>(sections > 0, "tensor_split: the number of sections must be positive: ", sections);
  const int at = wrap_dim("tensor_split", dim, x.dim());
  const int64_t size = x.shape()[at], least = size / sections, longer = size % sections;
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < sections; ++i) sizes.push_back(least + (i < longer));
  return split(x, sizes, at);
}

TensorList tensor_split(const Tensor& x, const std::vector<int64_t>& indices, int64_t dim) {
  check<ShapeError>(x.dim() > 0, "tensor_split: a 0-dim tensor cannot be split");
  const int at = wrap_dim("tensor_split", dim, x.dim());
  TensorList parts;
  int64_t start = 0;
  for (int64_t end : indices) {
    parts.push_back(slice(x, at, start, end));
    start = end;
  }
  parts.push_back(slice(x, at, start, x.shape()[at]));
  return parts;
}

Tensor view_dtype(const Tensor& x, Dtype dtype) {
  const int64_t from = int64_t(dtype_size(x.dtype())), to = int64_t(dtype_size(dtype));
  if (dtype == x.dtype()) return expand(x, x.shape());
  Shape shape = x.shape(), strides = x.strides();
  int64_t offset = x.offset();
  if (from != to) {
    check<ShapeError>(x.dim() > 0, "view: a 0-dim tensor cannot be read with elements of another size: ", x.dtype(),
                      " as ", dtype);
    const int last = x.dim() - 1;
    check<ShapeError>(strides[last] == 1 || shape.numel() == 0, "view: the last dimension must be contiguous: strides ",
                      strides);
    const int64_t ratio = from > to ? from / to : to / from;
    for (int d = 0; d < last; ++d) {
      check<ShapeError>(from > to || strides[d] % ratio == 0, "view: strides do not allow elements of ", to,
                        " bytes: ", strides);
      strides[d] = from > to ? strides[d] * ratio : strides[d] / ratio;
    }
    check<ShapeError>(from > to || (shape[last] % ratio == 0 && offset % ratio == 0), "view: size ", shape[last],
                      " and offset ", offset, " do not fit elements of ", to, " bytes");
    shape[last] = from > to ? shape[last] * ratio : shape[last] / ratio;
    offset = from > to ? offset * ratio : offset / ratio;
    strides[last] = 1;
  }
  Tensor y(Ref<TensorImpl>(new TensorImpl(x.storage(), dtype, shape, strides, offset)));
  return y;
}

const Tensor& become_view_(const Tensor& x, const Tensor& view) {
  check<ValueError>(!grad_enabled() || !x.requires_grad() || !x.is_leaf(),
                    "view: a leaf that requires grad must not be changed in place");
  TensorImpl& impl = *x.impl();
  const TensorImpl& to = *view.impl();
  impl.shape = to.shape;
  impl.strides = to.strides;
  impl.offset = to.offset;
  impl.numel = to.numel;
  impl.contiguous = to.contiguous;
  if (to.meta && to.meta->grad_fn) {
    AutogradMeta& meta = impl.autograd();
    meta.grad_fn = to.meta->grad_fn;
    meta.output_index = to.meta->output_index;
  }
  x.bump_version();
  return x;
}

}  // namespace hearth
