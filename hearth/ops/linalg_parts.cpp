// linalg_parts: what the matrix functions share.
#include "hearth/ops/linalg_parts.h"

#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/view.h"

namespace hearth {

void check_matrix(const char* op, const Tensor& x) {
  check<ShapeError>(x.dim() >= 2, op, ": needs at least two dimensions: ", x.shape());
  const Dtype real = real_type(x.dtype());
  check<NotImplementedError>(real == Dtype::float32 || real == Dtype::float64, op,
                             ": needs float32, float64, complex64 or complex128: ", x.dtype());
}

void check_square(const char* op, const Tensor& x) {
  check_matrix(op, x);
  check<ShapeError>(x.size(-1) == x.size(-2), op, ": needs square matrices: ", x.shape());
}

void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  check<DtypeError>(a.dtype() == b.dtype(), op, ": dtypes differ: ", a.dtype(), " and ", b.dtype());
}

Shape batch_of(const Tensor& x, int tail) {
  return Shape(std::span<const int64_t>(x.shape().data(), size_t(x.dim() - tail)));
}

Shape with_tail(const Shape& batch, std::initializer_list<int64_t> tail) {
  Shape shape = batch;
  for (int64_t size : tail) shape.push_back(size);
  return shape;
}

Tensor to_columns(const Tensor& x) {
  NoGrad guard;
  const int64_t batch = batch_of(x).numel();
  return reshape(clone(transpose(x.detach(), -2, -1)), {batch, x.size(-1), x.size(-2)});
}

Tensor from_columns(const Tensor& buffer, const Shape& batch) {
  const int64_t n = buffer.size(1), m = buffer.size(2);
  const Shape shape = with_tail(batch, {m, n});
  Shape strides = contiguous_strides(with_tail(batch, {n, m}));
  std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
  return buffer.alias(shape, strides, buffer.offset());
}

Tensor new_columns(const Tensor& like, const Shape& batch, int64_t m, int64_t n) {
  return Tensor::empty({batch.numel(), n, m}, like.dtype(), like.device());
}

Tensor mT(const Tensor& x) { return transpose(x, -2, -1); }
Tensor mH(const Tensor& x) { return conjugate(mT(x)); }
Tensor conjugate(const Tensor& x) { return is_complex(x.dtype()) ? conj(x) : x; }
Tensor real_part(const Tensor& x) { return is_complex(x.dtype()) ? real(x) : x; }

Tensor gradient_like(const Tensor& g, Dtype dtype) {
  if (!g.defined() || is_complex(dtype)) return g;
  return real_part(g);
}

std::pair<Tensor, Tensor> broadcast_batches(const char* op, const Tensor& a, const Tensor& b) {
  const Shape batch = broadcast_shapes(op, batch_of(a), batch_of(b));
  const auto widened = [&](const Tensor& x) {
    return batch_of(x) == batch ? x : expand(x, with_tail(batch, {x.size(-2), x.size(-1)}));
  };
  return {widened(a), widened(b)};
}

Tensor scale_columns(const Tensor& x, const Tensor& s) { return mul(x, unsqueeze(s, -2)); }
Tensor scale_rows(const Tensor& x, const Tensor& s) { return mul(x, unsqueeze(s, -1)); }
Tensor main_diagonal(const Tensor& x) { return diagonal(x, 0, -2, -1); }

Tensor with_diagonal_times(const Tensor& x, double factor) {
  Tensor factors = ones({x.size(-2), x.size(-1)}, real_type(x.dtype()), x.device());
  {
    NoGrad guard;
    factors = add(factors, mul(eye(x.size(-2), x.size(-1), factors.dtype()), factor - 1));
  }
  return mul(x, factors);
}

Tensor identity_like(const Tensor& x, const Shape& batch, int64_t n) {
  return expand(eye(n, n, x.dtype()), with_tail(batch, {n, n}));
}

void record_without_derivative(const char* op, const TensorList& outputs, const Tensor& x) {
  if (!needs_grad(x)) return;
  record_many(op, outputs, {x},
              [op](const GradContext&) -> Grads { fail<NotImplementedError>(op, ": has no derivative"); });
}

void check_info(const char* op, const Tensor& info, const char* before, const char* behind) {
  const Tensor all = contiguous(info.detach());
  const int32_t* values = all.data<int32_t>();
  for (int64_t i = 0; i < all.numel(); ++i) {
    if (values[i] == 0) continue;
    std::ostringstream where;
    if (info.dim() > 0) where << " (batch element " << i << ")";
    if (values[i] < 0) fail<LinAlgError>(op, where.str(), ": the matrix has numbers that are not finite");
    fail<LinAlgError>(op, where.str(), ": ", before, values[i], behind);
  }
}

}  // namespace hearth
