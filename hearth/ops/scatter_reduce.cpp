// Scatter with a choice of how values that meet are merged.
#include "hearth/ops/scatter_reduce.h"

#include <limits>

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/backend/kernels/index.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/view.h"

namespace hearth {

using kernels::WriteOp;

namespace {

Tensor is_zero(const Tensor& x) { return eq(x, zeros_like(x)); }

struct Operands {
  int dim;
  Tensor index;
  bool include_self;
};

int64_t largest(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
      return 1;
    default:
      return int64_t(~uint64_t(0) >> ((is_unsigned(dtype) ? 64 : 65) - 8 * dtype_size(dtype)));
  }
}

/// What a merge leaves unchanged: 0, 1, the least or the greatest value.
Scalar neutral(WriteOp op, Dtype dtype) {
  if (op == WriteOp::add) return 0;
  if (op == WriteOp::mul) return 1;
  if (is_floating(dtype)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return op == WriteOp::max ? -infinity : infinity;
  }
  const bool is_signed = is_integral(dtype) && !is_unsigned(dtype);
  if (op == WriteOp::min) return largest(dtype);
  return is_signed ? -largest(dtype) - 1 : int64_t(0);
}

/// The merge itself, without history.
Tensor merged(WriteOp op, const Tensor& x, const Operands& at, const Tensor& src) {
  NoGrad guard;
  const Tensor y = clone(at.include_self ? x : scatter(x, at.dim, at.index, neutral(op, x.dtype())));
  const auto lined = [](const Tensor& t) { return t.dim() ? t : reshape(t, {1}); };
  kernels::scatter(x.device(), op, lined(y), lined(at.index), lined(src), at.dim);
  return y;
}

/// How many values met in each element; at least 1.
Tensor counts(const Tensor& x, const Operands& at) {
  NoGrad guard;
  const Tensor start = at.include_self ? ones_like(x) : scatter(ones_like(x), at.dim, at.index, 0);
  return scatter_add(start, at.dim, at.index, ones(at.index.shape(), x.dtype(), x.device()));
}

Tensor integer_mean(const Tensor& sums, const Tensor& counts) {
  const int64_t n = sums.numel();
  const Tensor a = contiguous(to(sums, Dtype::int64)), b = contiguous(to(counts, Dtype::int64));
  const Tensor y = empty_like(a);
  kernels::binary(y.device(), kernels::BinaryOp::floor_divide, y.alias({n}, {1}, 0), a.alias({n}, {1}, 0),
                  b.alias({n}, {1}, 0));
  return to(y, sums.dtype());
}

Tensor own_part(const Tensor& dx, const Operands& at) {
  return at.include_self ? dx : scatter(dx, at.dim, at.index, 0);
}

Tensor extreme(WriteOp op, const Tensor& x, const Operands& at, const Tensor& src) {
  const Tensor y = merged(op, x, at, src);
  if (!needs_grad(x, src)) return y;
  // Who holds the extreme is settled now: it has no derivative.
  const Tensor own = own_part(to(eq(x, y), x.dtype()), at);
  const Tensor theirs = to(eq(src, gather(y.detach(), at.dim, at.index)), x.dtype());
  Tensor holders = scatter_add(own, at.dim, at.index, theirs);
  // Elements that nothing was written to hold themselves.
  const Tensor untouched = to(is_zero(holders), x.dtype());
  holders = add(holders, untouched);
  return record("scatter_reduce", y, {x, src}, [at, own, theirs, holders](const GradContext& c) -> Grads {
    const Tensor shared = div(c.dy(), holders);
    return {c.needs(0) ? mul(shared, own) : Tensor(),
            c.needs(1) ? mul(gather(shared, at.dim, at.index), theirs) : Tensor()};
  });
}

Tensor product(const Tensor& x, const Operands& at, const Tensor& src);

/// d product / d x: the product of the others.
Tensor product_gradient_x(const Tensor& dy, const Tensor& x, const Operands& at, const Tensor& src) {
  const Tensor others = product(ones_like(x), {at.dim, at.index, true}, src);
  return own_part(mul(dy, conj(others)), at);
}

/// d product / d src, with a lone zero among the factors handled apart.
Tensor product_gradient_src(const Tensor& dy, const Tensor& x, const Operands& at, const Tensor& src) {
  const Tensor zero = is_zero(src), flags = to(zero, x.dtype());
  const Tensor met = gather(scatter_add(zeros_like(x), at.dim, at.index, flags), at.dim, at.index);
  const Tensor lone = to(mul(flags, to(eq(met, ones_like(met)), x.dtype())), Dtype::boolean);
  const Tensor general = div(gather(mul(dy, product(x, at, src)), at.dim, at.index), masked_fill(src, zero, 1));
  const Tensor without = gather(mul(dy, product(x, at, masked_fill(src, lone, 1))), at.dim, at.index);
  const Tensor at_lone = to(lone, x.dtype());
  return add(mul(general, sub(ones_like(at_lone), at_lone)), mul(without, at_lone));
}

Tensor product(const Tensor& x, const Operands& at, const Tensor& src) {
  const Tensor y = merged(WriteOp::mul, x, at, src);
  if (!needs_grad(x, src)) return y;
  return record("scatter_reduce", y, {x, src}, [at, x = save(x), src = save(src)](const GradContext& c) -> Grads {
    const Tensor a = x.get(c), b = src.get(c);
    return {c.needs(0) ? product_gradient_x(c.dy(), a, at, b) : Tensor(),
            c.needs(1) ? conj(product_gradient_src(conj(c.dy()), a, at, b)) : Tensor()};
  });
}

Tensor total(const Tensor& x, const Operands& at, const Tensor& src) {
  return scatter_add(at.include_self ? x : scatter(x, at.dim, at.index, 0), at.dim, at.index, src);
}

}  // namespace

Tensor scatter_reduce(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src, ScatterReduce reduce,
                      bool include_self) {
  check<DtypeError>(x.dtype() == src.dtype(), "scatter_reduce: dtypes differ: tensor ", x.dtype(), ", source ",
                    src.dtype());
  const int at = wrap_dim("scatter_reduce", dim, x.dim());
  const Operands operands{at, checked_index("scatter_reduce", index, at, x.dim() ? x.shape()[at] : 1), include_self};
  // Gathering checks the ranks; cutting src checks its size.
  Tensor part = src;
  check<ShapeError>(src.dim() == index.dim() && x.dim() == index.dim(), "scatter_reduce: ranks differ: tensor ",
                    x.shape(), ", index ", index.shape(), ", source ", src.shape());
  for (int d = 0; d < index.dim(); ++d) {
    check<ShapeError>(index.shape()[d] <= src.shape()[d] && (d == at || index.shape()[d] <= x.shape()[d]),
                      "scatter_reduce: index is too long: tensor ", x.shape(), ", index ", index.shape(), ", source ",
                      src.shape());
    part = narrow(part, d, 0, index.shape()[d]);
  }
  const bool extreme_wanted = reduce == ScatterReduce::amax || reduce == ScatterReduce::amin;
  check<DtypeError>(!extreme_wanted || !is_complex(x.dtype()),
                    "scatter_reduce: complex numbers have no order: ", x.dtype());
  switch (reduce) {
    case ScatterReduce::sum:
      return total(x, operands, part);
    case ScatterReduce::prod:
      return product(x, operands, part);
    case ScatterReduce::mean: {
      const Tensor sums = total(x, operands, part), met = counts(x, operands);
      return is_differentiable(x.dtype()) ? div(sums, met) : integer_mean(sums, met);
    }
    case ScatterReduce::amax:
      return extreme(WriteOp::max, x, operands, part);
    case ScatterReduce::amin:
      return extreme(WriteOp::min, x, operands, part);
  }
  fail<ValueError>("scatter_reduce: unknown reduction");
}

}  // namespace hearth
