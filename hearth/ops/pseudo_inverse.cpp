// Pseudo-inverses, ranks and least squares.
#include "hearth/ops/pseudo_inverse.h"

#include <algorithm>
#include <limits>

#include "hearth/backend/kernels/linalg.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/create.h"
#include "hearth/ops/eig.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/svd.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

double epsilon_of(const Tensor& a) {
  return real_type(a.dtype()) == Dtype::float32 ? double(std::numeric_limits<float>::epsilon())
                                                : std::numeric_limits<double>::epsilon();
}

/// The moduli of the spectrum that are not to count as 0, as a mask of s's shape. s [..., k], any order.
Tensor counted(const char* op, const Tensor& a, const Tensor& s, const RankTolerance& t) {
  for (const Tensor* given : {&t.atol, &t.rtol})
    check<NotImplementedError>(!given->defined() || !is_complex(given->dtype()), op, ": tolerances must be real");
  const double standard = epsilon_of(a) * double(std::max(a.size(-1), a.size(-2)));
  const Tensor largest = s.size(-1) ? amax(s, {-1}) : zeros(batch_of(s, 1), s.dtype());
  const Tensor relative =
      t.rtol.defined() ? mul(to(t.rtol, s.dtype()), largest) : mul(largest, t.atol.defined() ? 0.0 : standard);
  Tensor limit = relative;
  if (t.atol.defined()) {
    // PyTorch: an atol of 0 leaves the standard rtol in force.
    const Tensor atol = to(t.atol, s.dtype());
    if (!t.rtol.defined()) limit = where(gt(atol, 0), relative, mul(largest, standard));
    limit = maximum(atol, limit);
  }
  return gt(s, unsqueeze(limit, -1));
}

/// gA = -P^H G P^H + (1 - A P) G^H P P^H + P^H P G^H (1 - P A), P = pinv(A) (Golub and Pereyra 1973, "The
/// differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate").
Tensor pinv_gradient(const Tensor& g, const Tensor& p, const Tensor& a) {
  const Tensor ph = mH(p), gh = mH(g);
  const Tensor right = matmul(matmul(gh, p), ph), left = matmul(ph, matmul(p, gh));
  const Tensor inner = neg(matmul(ph, matmul(g, ph)));
  return add(inner, add(sub(right, matmul(a, matmul(p, right))), sub(left, matmul(matmul(left, p), a))));
}

Tensor pinv_forward(const Tensor& a, const RankTolerance& t) {
  NoGrad guard;
  if (a.numel() == 0) return zeros(with_tail(batch_of(a), {a.size(-1), a.size(-2)}), a.dtype(), a.device());
  if (t.hermitian) {
    const Eigen f = eigh(a);
    const Tensor keep = counted("pinv", a, abs(f.values), t);
    return matmul(scale_columns(f.vectors, where(keep, reciprocal(f.values), 0.0)), mH(f.vectors));
  }
  const Svd f = svd(a, false);
  const Tensor keep = counted("pinv", a, f.s, t);
  return matmul(scale_columns(mH(f.vh), where(keep, reciprocal(f.s), 0.0)), mH(f.u));
}

}  // namespace

Tensor pinv(const Tensor& a, const RankTolerance& tolerance) {
  check_matrix("pinv", a);
  if (tolerance.hermitian) check_square("pinv", a);
  const Tensor p = pinv_forward(a, tolerance);
  if (!needs_grad(a)) return p;
  return record("pinv", p, {a}, [a = save(a), p = save_output(p)](const GradContext& c) -> Grads {
    return {pinv_gradient(c.dy(), p.get(c), a.get(c))};
  });
}

Tensor matrix_rank(const Tensor& a, const RankTolerance& tolerance) {
  check_matrix("matrix_rank", a);
  if (tolerance.hermitian) check_square("matrix_rank", a);
  NoGrad guard;
  const Tensor s = tolerance.hermitian ? abs(eigvalsh(a)) : svdvals(a);
  return sum(to(counted("matrix_rank", a, s, tolerance), Dtype::int64), {-1});
}

namespace {

kernels::LstsqDriver driver_named(std::string_view name) {
  using kernels::LstsqDriver;
  if (name == "gels") return LstsqDriver::gels;
  if (name == "gelsy") return LstsqDriver::gelsy;
  if (name == "gelsd") return LstsqDriver::gelsd;
  check<ValueError>(name == "gelss", "lstsq: driver must be gels, gelsy, gelsd or gelss: ", name);
  return LstsqDriver::gelss;
}

/// |A X - B|^2 of each column, taken from what LAPACK leaves below X, or summed up where it leaves nothing.
Tensor residuals_of(const Tensor& a, const Tensor& b, const Tensor& x) {
  const Tensor r = abs(sub(matmul(a, x), b));
  return sum(mul(r, r), {-2});
}

Lstsq lstsq_forward(const Tensor& a, const Tensor& b, double rcond, kernels::LstsqDriver driver) {
  using kernels::LstsqDriver;
  NoGrad guard;
  const Shape batch = batch_of(a);
  const int64_t m = a.size(-2), n = a.size(-1), k = b.size(-1), least = std::min(m, n), count = batch.numel();
  const Dtype real = real_type(a.dtype());
  Lstsq y;
  y.residuals = Tensor::empty({0}, real, a.device());
  y.rank = driver == LstsqDriver::gels ? Tensor::empty({0}, Dtype::int64) : zeros(batch, Dtype::int64);
  const bool values = driver == LstsqDriver::gelsd || driver == LstsqDriver::gelss;
  y.singular_values = values ? zeros(with_tail(batch, {least}), real) : Tensor::empty({0}, real);
  const Tensor columns = zeros({count, k, std::max(m, n)}, a.dtype(), a.device());
  if (m > 0) copy_(narrow(columns, -1, 0, m), to_columns(b));
  const Tensor info = Tensor::empty(batch, Dtype::int32, a.device());
  kernels::lstsq(a.device(), columns, to_columns(a), driver == LstsqDriver::gels ? Tensor() : reshape(y.rank, {count}),
                 values ? reshape(y.singular_values, {count, least}) : Tensor(), reshape(info, {count}), driver, rcond);
  if (driver == LstsqDriver::gels)
    check_info("lstsq", info, "the matrix does not have full rank: diagonal element ", " of its factor is 0");
  else
    check_info("lstsq", info, "the algorithm did not converge: ", " superdiagonals are left");
  const Tensor solved = least == 0 ? zeros({count, k, n}, a.dtype()) : contiguous(narrow(columns, -1, 0, n));
  y.solution = from_columns(solved, batch);
  return y;
}

}  // namespace

Lstsq lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond, std::string_view name) {
  check_matrix("lstsq", a);
  check_same_dtype("lstsq", a, b);
  const kernels::LstsqDriver driver = driver_named(name);
  check<ShapeError>(b.dim() >= 1, "lstsq: the right-hand side needs at least one dimension");
  const bool vectors = b.dim() == a.dim() - 1 && b.shape() == with_tail(batch_of(a), {a.size(-2)});
  const Tensor right = vectors ? unsqueeze(b, -1) : b;
  check<ShapeError>(right.dim() >= 2 && right.size(-2) == a.size(-2), "lstsq: sizes do not fit: ", a.shape(), " and ",
                    b.shape());
  const auto [matrices, sides] = broadcast_batches("lstsq", a, right);
  const int64_t m = a.size(-2), n = a.size(-1);
  const double limit = rcond ? *rcond : epsilon_of(a) * double(std::max(m, n));
  Lstsq y = lstsq_forward(matrices, sides, limit, driver);
  if (needs_grad(matrices, sides)) {
    record("lstsq", y.solution, {matrices, sides},
           [a = save(matrices), b = save(sides)](const GradContext& c) -> Grads {
             const Tensor x = a.get(c), p = pinv(x);
             return {c.needs(0) ? pinv_gradient(matmul(c.dy(), mH(b.get(c))), p, x) : Tensor(), matmul(mH(p), c.dy())};
           });
  }
  // As PyTorch has it, gelsy gives none.
  const bool full_rank =
      driver == kernels::LstsqDriver::gels || (driver != kernels::LstsqDriver::gelsy && all(eq(y.rank, n)).item() != 0);
  if (m > n && full_rank) {
    y.residuals = residuals_of(matrices, sides, y.solution);
    if (vectors) y.residuals = squeeze(y.residuals, -1);
  }
  if (vectors) y.solution = squeeze(y.solution, -1);
  return y;
}

}  // namespace hearth
