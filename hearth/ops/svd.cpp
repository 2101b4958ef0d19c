// Singular value decomposition.
#include "hearth/ops/svd.h"

#include <algorithm>

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Svd svd_of(const char* op, const Tensor& a, bool vectors, bool full) {
  check_matrix(op, a);
  const Shape batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n), count = batch.numel();
  const Tensor s = Tensor::empty(with_tail(batch, {k}), real_type(a.dtype()), a.device());
  const Tensor info = Tensor::empty(batch, Dtype::int32, a.device());
  Tensor u, vh;
  if (vectors) {
    u = new_columns(a, batch, m, full ? m : k);
    vh = new_columns(a, batch, full ? n : k, n);
  }
  kernels::svd(a.device(), to_columns(a), u, reshape(s, {count, k}), vh, reshape(info, {count}));
  check_info(op, info, "the algorithm did not converge: ", " superdiagonals are left");
  if (!vectors) return {{}, s, {}};
  NoGrad guard;
  if (k == 0) {  // Nothing was computed; any orthonormal basis will do.
    const auto basis = [&](int64_t size, int64_t columns) {
      return contiguous(expand(eye(size, columns, a.dtype()), with_tail(batch, {size, columns})));
    };
    return {basis(m, full ? m : 0), s, basis(full ? n : 0, n)};
  }
  return {from_columns(u, batch), s, from_columns(vh, batch)};
}

/// s_k^2 - s_j^2 as (s_k - s_j)(s_k + s_j), which does not lose digits; 1 on the diagonal.
Tensor pairwise(const Tensor& s) {
  const Tensor row = unsqueeze(s, -2), column = unsqueeze(s, -1);
  return add(mul(sub(row, column), add(row, column)), eye(s.size(-1), s.size(-1), s.dtype()));
}

Tensor skew(const Tensor& x) { return sub(x, mH(x)); }

/// Raises ValueError when the gradient would turn a pair of singular vectors by a phase. `turning`: U^H gU + V^H gV, or
/// the one that is there.
void check_phases(const Tensor& turning) {
  NoGrad guard;
  const Tensor phases = imag(main_diagonal(turning.detach()));
  check<ValueError>(allclose(phases, zeros_like(phases), 1e-2, 1e-2),
                    "svd: the loss depends on the phases of the singular vectors, which are arbitrary");
}

/// What stands between U and V^H: (skew(U^H gU) / E) S + S (skew(V^H gV) / E) + diag(gS).
Tensor inner_gradient(const Tensor& ugu, const Tensor& vgv, const Tensor& ds, const Tensor& s) {
  const Tensor e = pairwise(s);
  Tensor inner;
  if (ugu.defined()) inner = scale_columns(div(skew(ugu), e), s);
  if (vgv.defined()) {
    const Tensor part = scale_rows(div(skew(vgv), e), s);
    inner = inner.defined() ? add(inner, part) : part;
  }
  if (is_complex(inner.dtype())) {
    check_phases(ugu.defined() && vgv.defined() ? add(ugu, vgv) : ugu.defined() ? ugu : vgv);
    // skew() left the imaginary diagonal, doubled and times S; what belongs there is its half over S.
    inner = sub(inner, diag_embed(main_diagonal(inner)));
    if (ugu.defined() && vgv.defined()) {
      const Tensor around = imag(main_diagonal(ugu));
      inner = add(inner, diag_embed(complex(zeros_like(around), div(around, s))));
    }
  }
  return ds.defined() ? add(inner, diag_embed(ds)) : inner;
}

/// gA = U inner V^H + (1 - U U^H) gU S^-1 V^H + U S^-1 gV^H (1 - V V^H), E_jk = s_k^2 - s_j^2 (Townsend 2016,
/// "Differentiating the singular value decomposition"); for complex numbers the imaginary diagonal of U^H gU, over S,
/// is added.
Tensor svd_gradient(const Tensor& du, const Tensor& ds, const Tensor& dvh, const Svd& f) {
  const Tensor &u = f.u, &s = f.s, &vh = f.vh;
  if (!du.defined() && !dvh.defined()) return matmul(scale_columns(u, ds), vh);
  const Tensor ugu = du.defined() ? matmul(mH(u), du) : Tensor();
  const Tensor vgv = dvh.defined() ? matmul(vh, mH(dvh)) : Tensor();
  Tensor y = matmul(u, matmul(inner_gradient(ugu, vgv, ds, s), vh));
  const int64_t m = u.size(-2), n = vh.size(-1), k = s.size(-1);
  if (du.defined() && m > k) {
    const Tensor over_s = div(du, unsqueeze(s, -2));
    y = add(y, matmul(sub(over_s, matmul(u, matmul(mH(u), over_s))), vh));
  }
  if (dvh.defined() && n > k) {
    const Tensor over_s = div(dvh, unsqueeze(s, -1));
    y = add(y, matmul(u, sub(over_s, matmul(matmul(over_s, mH(vh)), vh))));
  }
  return y;
}

Tensor first(const Tensor& g, int64_t dim, int64_t k) {
  return g.defined() && g.size(dim) > k ? narrow(g, dim, 0, k) : g;
}

}  // namespace

Svd svd(const Tensor& a, bool full) {
  const Svd y = svd_of("svd", a, true, full);
  if (!needs_grad(a)) return y;
  record_many(
      "svd", {y.u, y.s, y.vh}, {a},
      [u = save_output(y.u, 0), s = save_output(y.s, 1), vh = save_output(y.vh, 2)](const GradContext& c) -> Grads {
        const Tensor values = s.get(c);
        const int64_t k = values.size(-1);
        const Svd reduced{first(u.get(c), -1, k), values, first(vh.get(c), -2, k)};
        return {svd_gradient(first(c.dys[0], -1, k), c.dys[1], first(c.dys[2], -2, k), reduced)};
      });
  return y;
}

Tensor svdvals(const Tensor& a) { return needs_grad(a) ? svd(a, false).s : svd_of("svdvals", a, false, false).s; }

}  // namespace hearth
