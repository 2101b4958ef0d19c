// Cholesky, LU and LDL factors, the solvers that use them, and triangular systems.
#include <algorithm>

#include "hearth/backend/cpu/linalg_batch.h"
#include "hearth/backend/kernels/linalg.h"

namespace hearth::cpu {

extern kernels::CholeskyFn cholesky;
extern kernels::CholeskyInverseFn cholesky_inverse;
extern kernels::CholeskySolveFn cholesky_solve;
extern kernels::LuFactorFn lu_factor;
extern kernels::LuSolveFn lu_solve;
extern kernels::LdlFactorFn ldl_factor;
extern kernels::LdlSolveFn ldl_solve;
extern kernels::SolveTriangularFn solve_triangular;

using kernels::Transposed;

namespace {

constexpr int column_major = Lapack<float>::column_major;

char triangle(bool upper) { return upper ? 'U' : 'L'; }

/// Calls f<T>(lapack, a, i) for each matrix of `a` and writes what it returns to info[i]. `work`: multiplications.
template <class F>
void factor(const char* op, const Tensor& a, const Tensor& info, double work, F f) {
  int32_t* infos = info.data<int32_t>();
  std::fill_n(infos, info.numel(), 0);
  dispatch(LapackTypes{}, a.dtype(), op, [&]<class T>() {
    const Matrices<T> matrices(a);
    if (matrices.empty()) return;
    const Lapack<T>& functions = lapack<T>(op);
    each_matrix(a.size(0), work, [&](int64_t i) { infos[i] = checked_info(op, f(functions, matrices, i)); });
  });
}

/// The same for solvers of right-hand sides b with what `a` holds.
template <class F>
void solve(const char* op, const Tensor& b, const Tensor& a, F f) {
  dispatch(LapackTypes{}, b.dtype(), op, [&]<class T>() {
    const Matrices<T> sides(b), matrices(a);
    if (sides.empty()) return;
    const Lapack<T>& functions = lapack<T>(op);
    each_matrix(b.size(0), cube(matrices.columns, matrices.rows, sides.columns),
                [&](int64_t i) { checked_info(op, f(functions, sides, matrices, i)); });
  });
}

}  // namespace

void cholesky(const Tensor& a, const Tensor& info, bool upper) {
  factor("cholesky", a, info, cube(a.size(1), a.size(1), a.size(1)), [&](const auto& lapack, const auto& m, int64_t i) {
    const int found = lapack.potrf(column_major, triangle(upper), m.rows, m[i], m.ld());
    // OpenBLAS takes what is not a number for a pivot like any other.
    for (int64_t k = 0; found == 0 && k < m.rows; ++k)
      if (m[i][k * m.rows + k] != m[i][k * m.rows + k]) return int(k + 1);
    return found;
  });
}

void cholesky_inverse(const Tensor& a, const Tensor& info, bool upper) {
  factor("cholesky_inverse", a, info, cube(a.size(1), a.size(1), a.size(1)),
         [&](const auto& lapack, const auto& m, int64_t i) {
           return lapack.potri(column_major, triangle(upper), m.rows, m[i], m.ld());
         });
}

void cholesky_solve(const Tensor& b, const Tensor& a, bool upper) {
  solve("cholesky_solve", b, a, [&](const auto& lapack, const auto& x, const auto& m, int64_t i) {
    return lapack.potrs(column_major, triangle(upper), m.rows, x.columns, m[i], m.ld(), x[i], x.ld());
  });
}

void lu_factor(const Tensor& a, const Tensor& pivots, const Tensor& info) {
  const int64_t k = pivots.size(1);
  int32_t* p = pivots.data<int32_t>();
  factor("lu_factor", a, info, cube(a.size(1), a.size(2), a.size(1)),
         [&](const auto& lapack, const auto& m, int64_t i) {
           return lapack.getrf(column_major, m.rows, m.columns, m[i], m.ld(), p + i * k);
         });
}

void lu_solve(const Tensor& b, const Tensor& lu, const Tensor& pivots, Transposed op) {
  const char trans = op == Transposed::no ? 'N' : op == Transposed::yes ? 'T' : 'C';
  const int32_t* p = pivots.data<int32_t>();
  solve("lu_solve", b, lu, [&](const auto& lapack, const auto& x, const auto& m, int64_t i) {
    return lapack.getrs(column_major, trans, m.rows, x.columns, m[i], m.ld(), p + i * m.rows, x[i], x.ld());
  });
}

void ldl_factor(const Tensor& a, const Tensor& pivots, const Tensor& info, bool hermitian) {
  int32_t* p = pivots.data<int32_t>();
  factor("ldl_factor", a, info, cube(a.size(1), a.size(1), a.size(1)),
         [&]<class T>(const Lapack<T>& lapack, const auto& m, int64_t i) {
           const auto f = is_complex_number<T> && hermitian ? lapack.hetrf : lapack.sytrf;
           return f(column_major, 'L', m.rows, m[i], m.ld(), p + i * m.rows);
         });
}

void ldl_solve(const Tensor& b, const Tensor& ld, const Tensor& pivots, bool hermitian) {
  const int32_t* p = pivots.data<int32_t>();
  solve("ldl_solve", b, ld, [&]<class T>(const Lapack<T>& lapack, const auto& x, const auto& m, int64_t i) {
    const auto f = is_complex_number<T> && hermitian ? lapack.hetrs : lapack.sytrs;
    return f(column_major, 'L', m.rows, x.columns, m[i], m.ld(), p + i * m.rows, x[i], x.ld());
  });
}

void solve_triangular(const Tensor& b, const Tensor& a, bool upper, bool left, bool unit, Transposed op) {
  // CBLAS's names for the choices.
  const int side = left ? 141 : 142, part = upper ? 121 : 122, diagonal = unit ? 132 : 131;
  const int trans = op == Transposed::no ? 111 : op == Transposed::yes ? 112 : 113;
  solve("solve_triangular", b, a, [&]<class T>(const Lapack<T>& lapack, const auto& x, const auto& m, int64_t i) {
    const T one(1);
    if constexpr (is_complex_number<T>)
      lapack.trsm(column_major, side, part, trans, diagonal, x.rows, x.columns, &one, m[i], m.ld(), x[i], x.ld());
    else
      lapack.trsm(column_major, side, part, trans, diagonal, x.rows, x.columns, one, m[i], m.ld(), x[i], x.ld());
    return 0;
  });
}

}  // namespace hearth::cpu
