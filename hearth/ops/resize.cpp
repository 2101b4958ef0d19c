// Changing a tensor's geometry in place.
#include "hearth/ops/resize.h"

namespace hearth {

namespace {

void set_geometry(const Tensor& x, const Shape& shape, const Shape& strides, int64_t offset) {
  TensorImpl& impl = *x.impl();
  impl.shape = shape;
  impl.strides = strides;
  impl.offset = offset;
  impl.numel = shape.numel();
  impl.contiguous = strides == contiguous_strides(shape);
}

int64_t extent(const Shape& shape, const Shape& strides) {
  int64_t last = 1;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0) return 0;
    last += (shape[d] - 1) * strides[d];
  }
  return last;
}

}  // namespace

const Tensor& resize_(const Tensor& x, const Shape& shape) {
  check<ValueError>(!x.requires_grad(), "resize_: a tensor that requires grad cannot be resized");
  const int64_t numel = checked_numel("resize_", shape);
  const size_t bytes = size_t(x.offset() + numel) * dtype_size(x.dtype());
  if (bytes > x.storage()->bytes()) x.storage()->resize(bytes);
  set_geometry(x, shape, contiguous_strides(shape), x.offset());
  return x;
}

const Tensor& set_(const Tensor& x, const Tensor& source, const Shape& shape, const Shape& strides, int64_t offset) {
  check<DtypeError>(x.dtype() == source.dtype(), "set_: dtypes differ: ", x.dtype(), " and ", source.dtype());
  check<ShapeError>(shape.size() == strides.size(), "set_: as many strides as sizes are needed: ", shape, ", ",
                    strides);
  checked_numel("set_", shape);
  for (int64_t step : strides) check<ValueError>(step >= 0, "set_: strides must not be negative: ", strides);
  check<ValueError>(offset >= 0, "set_: the offset must not be negative: ", offset);
  const int64_t length = extent(shape, strides);
  const size_t bytes = length ? size_t(offset + length) * dtype_size(x.dtype()) : 0;
  check<ValueError>(bytes <= source.storage()->bytes(), "set_: the window leaves the memory: needs ", bytes,
                    " bytes of ", source.storage()->bytes());
  x.impl()->storage = source.storage();
  set_geometry(x, shape, strides, offset);
  return x;
}

}  // namespace hearth
