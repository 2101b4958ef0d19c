// Decompositions, solvers and norms: what hearth.linalg shows under PyTorch's names.
#include "hearth/ops/linalg.h"

#include <cmath>

#include "hearth/ops/cholesky.h"
#include "hearth/ops/create.h"
#include "hearth/ops/determinant.h"
#include "hearth/ops/eig.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/lu.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/matrix_function.h"
#include "hearth/ops/matrix_norm.h"
#include "hearth/ops/pseudo_inverse.h"
#include "hearth/ops/qr.h"
#include "hearth/ops/solve.h"
#include "hearth/ops/svd.h"
#include "hearth/ops/view.h"
#include "python/src/binding.h"
#include "python/src/errors.h"

namespace hearth::python {

namespace {

constexpr const char* singular[] = {"the matrix is singular: diagonal element ", " of U is 0"};

/// Whether a triangle's name means the upper one.
bool is_upper(const char* op, const std::string& name) {
  check<ValueError>(name == "L" || name == "U" || name == "l" || name == "u", op, ": UPLO must be L or U: ", name);
  return name == "U" || name == "u";
}

const Binding factors{[](Module& m) {
  m.def("_linalg_cholesky(A: Tensor, *, upper: bool = False, out: Tensor? = None)",
        [](Args& a) { return cholesky(a.tensor(0), a.flag(1)); });
  m.def("_linalg_cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False, out: any = None)",
        [](Args& a) {
          const FactorInfo found = cholesky_ex(a.tensor(0), a.flag(1));
          if (a.flag(2))
            check_info("cholesky_ex", found.info, "the leading minor of order ", " is not positive definite");
          return Named{"linalg_cholesky_ex", {"L", "info"}, {found.factor, found.info}};
        });
  m.def("_linalg_lu_factor(A: Tensor, *, pivot: bool = True, out: any = None)", [](Args& a) {
    const LuFactors f = lu_factor(a.tensor(0), a.flag(1));
    return Named{"linalg_lu_factor", {"LU", "pivots"}, {f.lu, f.pivots}};
  });
  m.def("_linalg_lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: any = None)",
        [](Args& a) {
          const LuFactors f = a.flag(2) ? lu_factor(a.tensor(0), a.flag(1)) : lu_factor_ex(a.tensor(0), a.flag(1));
          return Named{"linalg_lu_factor_ex", {"LU", "pivots", "info"}, {f.lu, f.pivots, f.info}};
        });
  m.def("_linalg_lu(A: Tensor, *, pivot: bool = True, out: any = None)", [](Args& a) {
    const Plu f = lu(a.tensor(0), a.flag(1));
    return Named{"linalg_lu", {"P", "L", "U"}, {f.p, f.l, f.u}};
  });
  m.def(
      "_linalg_lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False, "
      "out: Tensor? = None)",
      [](Args& a) { return lu_solve(a.tensor(0), a.tensor(1), a.tensor(2), a.flag(3), a.flag(4)); });
  m.def("_linalg_ldl_factor(A: Tensor, *, hermitian: bool = False, out: any = None)", [](Args& a) {
    const LdlFactors f = ldl_factor(a.tensor(0), a.flag(1));
    return Named{"linalg_ldl_factor", {"LD", "pivots"}, {f.ld, f.pivots}};
  });
  m.def("_linalg_ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: any = None)",
        [](Args& a) {
          const LdlFactors f = a.flag(2) ? ldl_factor(a.tensor(0), a.flag(1)) : ldl_factor_ex(a.tensor(0), a.flag(1));
          return Named{"linalg_ldl_factor_ex", {"LD", "pivots", "info"}, {f.ld, f.pivots, f.info}};
        });
  m.def("_linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Tensor? = None)",
        [](Args& a) { return ldl_solve(a.tensor(0), a.tensor(1), a.tensor(2), a.flag(3)); });
}};

const Binding orthogonal{[](Module& m) {
  m.def("_linalg_qr(A: Tensor, mode: str = 'reduced', *, out: any = None)", [](Args& a) {
    const QrFactors f = qr(a.tensor(0), a.text(1));
    return Named{"linalg_qr", {"Q", "R"}, {f.q, f.r}};
  });
  m.def("_linalg_householder_product(A: Tensor, tau: Tensor, *, out: Tensor? = None)",
        [](Args& a) { return householder_product(a.tensor(0), a.tensor(1)); });
  m.def("_linalg_eigh(A: Tensor, UPLO: str = 'L', *, out: any = None)", [](Args& a) {
    const Eigen f = eigh(a.tensor(0), is_upper("eigh", a.text(1)));
    return Named{"linalg_eigh", {"eigenvalues", "eigenvectors"}, {f.values, f.vectors}};
  });
  m.def("_linalg_eigvalsh(A: Tensor, UPLO: str = 'L', *, out: Tensor? = None)",
        [](Args& a) { return eigvalsh(a.tensor(0), is_upper("eigvalsh", a.text(1))); });
  m.def("_linalg_eig(A: Tensor, *, out: any = None)", [](Args& a) {
    const Eigen f = eig(a.tensor(0));
    return Named{"linalg_eig", {"eigenvalues", "eigenvectors"}, {f.values, f.vectors}};
  });
  m.def("_linalg_eigvals(A: Tensor, *, out: Tensor? = None)", [](Args& a) { return eigvals(a.tensor(0)); });
}};

void check_driver(Args& a, int i) { check<ValueError>(!a.given(i), a.op(), ": driver is for CUDA tensors only"); }

/// A tolerance given as a number or a tensor.
Tensor tolerance(Args& a, int i) {
  if (!a.given(i)) return {};
  return a.is_tensor(i) ? a.tensor(i) : scalar_tensor(a.real(i), Dtype::float64);
}

const Binding singular_values{[](Module& m) {
  m.def("_linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str? = None, out: any = None)", [](Args& a) {
    check_driver(a, 2);
    const Svd f = svd(a.tensor(0), a.flag(1));
    return Named{"linalg_svd", {"U", "S", "Vh"}, {f.u, f.s, f.vh}};
  });
  m.def("_linalg_svdvals(A: Tensor, *, driver: str? = None, out: Tensor? = None)", [](Args& a) {
    check_driver(a, 1);
    return svdvals(a.tensor(0));
  });
  m.def("_linalg_pinv(A: Tensor, *, atol: any = None, rtol: any = None, hermitian: bool = False, out: Tensor? = None)",
        [](Args& a) {
          return pinv(a.tensor(0), {tolerance(a, 1), tolerance(a, 2), a.flag(3)});
        });
  m.def("_linalg_pinv(A: Tensor, rcond: any, hermitian: bool = False, *, out: Tensor? = None)", [](Args& a) {
    return pinv(a.tensor(0), {zeros({}, Dtype::float64), tolerance(a, 1), a.flag(2)});
  });
  m.def(
      "_linalg_matrix_rank(A: Tensor, *, atol: any = None, rtol: any = None, hermitian: bool = False, "
      "out: Tensor? = None)",
      [](Args& a) {
        return matrix_rank(a.tensor(0), {tolerance(a, 1), tolerance(a, 2), a.flag(3)});
      });
  m.def("_linalg_matrix_rank(A: Tensor, tol: any, hermitian: bool = False, *, out: Tensor? = None)", [](Args& a) {
    return matrix_rank(a.tensor(0), {tolerance(a, 1), zeros({}, Dtype::float64), a.flag(2)});
  });
  m.def("_linalg_lstsq(A: Tensor, B: Tensor, rcond: float? = None, *, driver: str? = None, out: any = None)",
        [](Args& a) {
          const Lstsq y =
              lstsq(a.tensor(0), a.tensor(1), a.real_or_none(2), a.given(3) ? a.text(3) : std::string("gelsy"));
          return Named{"linalg_lstsq",
                       {"solution", "residuals", "rank", "singular_values"},
                       {y.solution, y.residuals, y.rank, y.singular_values}};
        });
}};

const Binding solvers{[](Module& m) {
  m.def(
      "_linalg_solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False, "
      "out: Tensor? = None)",
      [](Args& a) { return solve_triangular(a.tensor(0), a.tensor(1), a.flag(2), a.flag(3), a.flag(4)); });
  m.def("_linalg_solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor? = None)",
        [](Args& a) { return solve(a.tensor(0), a.tensor(1), a.flag(2)); });
  m.def("_linalg_solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: any = None)",
        [](Args& a) {
          const SolveInfo y = solve_ex(a.tensor(0), a.tensor(1), a.flag(2));
          if (a.flag(3)) check_info("solve_ex", y.info, singular[0], singular[1]);
          return Named{"linalg_solve_ex", {"result", "info"}, {y.result, y.info}};
        });
  m.def("_linalg_inv(A: Tensor, *, out: Tensor? = None)", [](Args& a) { return inv(a.tensor(0)); });
  m.def("_linalg_inv_ex(A: Tensor, *, check_errors: bool = False, out: any = None)", [](Args& a) {
    const SolveInfo y = inv_ex(a.tensor(0));
    if (a.flag(1)) check_info("inv_ex", y.info, singular[0], singular[1]);
    return Named{"linalg_inv_ex", {"inverse", "info"}, {y.result, y.info}};
  });
  m.def("_linalg_tensorsolve(A: Tensor, B: Tensor, dims: ints? = None, *, out: Tensor? = None)",
        [](Args& a) { return tensorsolve(a.tensor(0), a.tensor(1), a.ints(2)); });
  m.def("_linalg_tensorinv(A: Tensor, ind: int = 2, *, out: Tensor? = None)",
        [](Args& a) { return tensorinv(a.tensor(0), a.integer(1)); });
}};

NormOrder order_of(Args& a, int i) {
  if (PyUnicode_Check(a.object(i))) return NormOrder(a.text(i));
  return NormOrder(a.real(i));
}
std::optional<NormOrder> order_or_none(Args& a, int i) {
  if (!a.given(i)) return std::nullopt;
  return order_of(a, i);
}

const Binding norms{[](Module& m) {
  m.def(
      "_linalg_vector_norm(x: Tensor, ord: float = 2, dim: ints? = None, keepdim: bool = False, *, "
      "dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) { return vector_norm(a.tensor(0), a.real(1), a.ints(2), a.flag(3), a.dtype_or_none(4)); });
  m.def(
      "_linalg_matrix_norm(A: Tensor, ord: any = 'fro', dim: ints = (-2, -1), keepdim: bool = False, *, "
      "dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) {
        const std::vector<int64_t> dims = a.ints(2);
        check<ShapeError>(dims.size() == 2, "matrix_norm: dim must name two dimensions: ", dims.size());
        return matrix_norm(a.tensor(0), order_of(a, 1), {dims[0], dims[1]}, a.flag(3), a.dtype_or_none(4));
      });
  m.def(
      "_linalg_norm(A: Tensor, ord: any = None, dim: ints? = None, keepdim: bool = False, *, out: Tensor? = None, "
      "dtype: dtype? = None)",
      [](Args& a) {
        return linalg_norm(a.tensor(0), order_or_none(a, 1), a.ints_or_none(2), a.flag(3), a.dtype_or_none(5));
      });
  m.def("_linalg_cond(A: Tensor, p: any = None, *, out: Tensor? = None)",
        [](Args& a) { return cond(a.tensor(0), order_or_none(a, 1)); });
}};

const Binding functions{[](Module& m) {
  m.def("_linalg_det(A: Tensor, *, out: Tensor? = None)", [](Args& a) { return det(a.tensor(0)); });
  m.def("_linalg_slogdet(A: Tensor, *, out: any = None)", [](Args& a) {
    const SignLogDet y = slogdet(a.tensor(0));
    return Named{"linalg_slogdet", {"sign", "logabsdet"}, {y.sign, y.logabs}};
  });
  m.def("_linalg_matrix_exp(A: Tensor)", [](Args& a) { return matrix_exp(a.tensor(0)); });
  m.def("_linalg_matrix_power(A: Tensor, n: int, *, out: Tensor? = None)",
        [](Args& a) { return matrix_power(a.tensor(0), a.integer(1)); });
  m.def("_linalg_matrix_sqrth(A: Tensor)", [](Args& a) { return matrix_sqrth(a.tensor(0)); });
  m.def("_linalg_polar(A: Tensor, *, out: any = None)", [](Args& a) {
    const Polar y = polar_decomposition(a.tensor(0));
    return Named{"linalg_polar", {"U", "H"}, {y.u, y.h}};
  });
  m.def("_linalg_multi_dot(tensors: Tensors, *, out: Tensor? = None)", [](Args& a) { return multi_dot(a.tensors(0)); });
  m.def("_linalg_vander(x: Tensor, *, N: int? = None)", [](Args& a) {
    const auto n = a.integer_or_none(1);
    check<ValueError>(!n || *n > 1, "vander: N must be larger than 1: ", n.value_or(0));
    return vander(a.tensor(0), n.value_or(-1));
  });
  m.def("_linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor? = None)",
        [](Args& a) { return vecdot(a.tensor(0), a.tensor(1), a.integer(2)); });
  m.def("_linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor? = None)",
        [](Args& a) { return cross(a.tensor(0), a.tensor(1), a.integer(2)); });
  m.def("_linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1)",
        [](Args& a) { return diagonal(a.tensor(0), a.integer(1), a.integer(2), a.integer(3)); });
  m.def("_linalg_matmul(input: Tensor, other: Tensor, *, out: Tensor? = None)",
        [](Args& a) { return matmul(a.tensor(0), a.tensor(1)); });
}};

}  // namespace

}  // namespace hearth::python
