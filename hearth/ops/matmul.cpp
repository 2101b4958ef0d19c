// Matrix products: everything becomes one batched product.
#include "hearth/ops/matmul.h"

#include "hearth/backend/kernels/matmul.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/math.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Tensor product(const Tensor& a, const Tensor& b);

/// Four real products, so that an element's bits depend on what the real ones depend on. Each part is one chain: the
/// second product goes on from the first.
Tensor complex_product(const Tensor& a, const Tensor& b) {
  NoGrad guard;
  const Tensor x = a.detach(), y = b.detach(), re = product(real(x), real(y)), im = product(real(x), imag(y));
  kernels::matmul(a.device(), re, neg(imag(x)), imag(y), true);
  kernels::matmul(a.device(), im, imag(x), real(y), true);
  return complex(re, im);
}

Tensor product(const Tensor& a, const Tensor& b) {
  if (is_complex(a.dtype())) return complex_product(a, b);
  const Tensor out = Tensor::empty({a.size(0), a.size(1), b.size(2)}, a.dtype(), a.device());
  kernels::matmul(a.device(), out, a, b, false);
  return out;
}

/// [batch, m, k] x [batch, k, n]; differentiable.
Tensor bmm3(const Tensor& a, const Tensor& b) {
  const Tensor c = product(a, b);
  if (!needs_grad(a, b)) return c;
  return record("matmul", c, {a, b}, [a = save(a), b = save(b)](const GradContext& g) -> Grads {
    return {g.needs(0) ? bmm3(g.dy(), transpose(conj(b.get(g)), 1, 2)) : Tensor(),
            g.needs(1) ? bmm3(transpose(conj(a.get(g)), 1, 2), g.dy()) : Tensor()};
  });
}

Shape leading(const Shape& shape, int count) { return Shape(std::span<const int64_t>(shape.data(), size_t(count))); }

Shape joined(const Shape& lead, std::initializer_list<int64_t> tail) {
  Shape shape = lead;
  for (int64_t size : tail) shape.push_back(size);
  return shape;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check<ShapeError>(a.dim() >= 1 && b.dim() >= 1, "matmul: operands need at least one dimension: ", a.shape(), " x ",
                    b.shape());
  check<DtypeError>(a.dtype() == b.dtype(), "matmul: dtypes differ: ", a.dtype(), " and ", b.dtype());
  if (a.dim() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.dim() == 1 ? 0 : -2);
  if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  const int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  check<ShapeError>(k == b.size(-2), "matmul: inner dimensions differ: ", a.shape(), " x ", b.shape());
  if (b.dim() == 2) {
    // One tall product: rows of every batch share the right operand.
    const Tensor rows = reshape(a, {1, a.numel() / std::max<int64_t>(k, 1), k});
    const Shape lead = leading(a.shape(), a.dim() - 1);
    return reshape(bmm3(k ? rows : reshape(a, {1, lead.numel(), 0}), unsqueeze(b, 0)), joined(lead, {n}));
  }
  const Shape batch = broadcast_shapes("matmul", leading(a.shape(), a.dim() - 2), leading(b.shape(), b.dim() - 2));
  const Tensor left = reshape(expand(a, joined(batch, {m, k})), {batch.numel(), m, k});
  const Tensor right = reshape(expand(b, joined(batch, {k, n})), {batch.numel(), k, n});
  return reshape(bmm3(left, right), joined(batch, {m, n}));
}

}  // namespace hearth
