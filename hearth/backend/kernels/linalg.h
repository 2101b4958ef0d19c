// Contract of decompositions and solvers of dense matrices.
//
// Matrices are column-major: a tensor [batch, columns, rows], contiguous, holds `batch` matrices of rows x columns.
// Dtypes: float32, float64, complex64, complex128; matrices of one call share it, values that are real by nature
// (singular values, eigenvalues of Hermitian matrices) have its real type. Sizes below 2^31; any may be 0. `info` is
// int32 [batch] and receives 0, or what went wrong with a matrix: i > 0 in LAPACK's counting, -1 for numbers that are
// not finite where an algorithm needs them to be.
// Invariance: batch and thread. A matrix of several right-hand sides is solved as a whole, so the bits of one may
// depend on how many there are.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

enum class Transposed : uint8_t { no, yes, conjugate };
enum class LstsqDriver : uint8_t { gels, gelsy, gelsd, gelss };

/// a [batch, n, n] becomes its Cholesky factor in the named triangle; the other triangle is left. info i: the leading
/// minor of order i is not positive definite.
using CholeskyFn = void(const Tensor& a, const Tensor& info, bool upper);
/// The factor a becomes the named triangle of the inverse. info i: diagonal element i is 0.
using CholeskyInverseFn = void(const Tensor& a, const Tensor& info, bool upper);
/// b [batch, k, n] becomes the solution X of A X = B, A given by its factor [batch, n, n].
using CholeskySolveFn = void(const Tensor& b, const Tensor& factor, bool upper);

/// a [batch, n, m] becomes L and U of P A = L U, L's unit diagonal left out; pivots int32 [batch, min(m, n)] count from
/// 1. info i: U's diagonal element i is 0.
using LuFactorFn = void(const Tensor& a, const Tensor& pivots, const Tensor& info);
/// b [batch, k, n] becomes the solution X of op(A) X = B.
using LuSolveFn = void(const Tensor& b, const Tensor& lu, const Tensor& pivots, Transposed op);

/// The lower triangle of a [batch, n, n] becomes L and D of A = L D L^T (L^H when hermitian), LAPACK's way; pivots
/// int32 [batch, n]. info i: D's element i is 0.
using LdlFactorFn = void(const Tensor& a, const Tensor& pivots, const Tensor& info, bool hermitian);
using LdlSolveFn = void(const Tensor& b, const Tensor& ld, const Tensor& pivots, bool hermitian);

/// b [batch, k, n] becomes the solution of op(A) X = B (left), or b [batch, n, k] that of X op(A) = B; only the named
/// triangle of a [batch, n, n] is read, and not its diagonal when `unit`. A zero on the diagonal gives infinities.
using SolveTriangularFn = void(const Tensor& b, const Tensor& a, bool upper, bool left, bool unit, Transposed op);

/// a [batch, n, m] becomes R above Householder vectors; tau [batch, min(m, n)].
using QrFactorFn = void(const Tensor& a, const Tensor& tau);
/// The vectors a [batch, n, m], n <= m, become the first n columns of the product of the reflectors tau [batch, k].
using QrProductFn = void(const Tensor& a, const Tensor& tau);
/// c [batch, n, m] becomes op(Q) C or C op(Q), Q being the whole product of the reflectors a [batch, k, m or n].
using QrMultiplyFn = void(const Tensor& c, const Tensor& a, const Tensor& tau, bool left, Transposed op);

/// Of Hermitian a [batch, n, n], named triangle: ascending eigenvalues w [batch, n]; a becomes the eigenvectors when
/// `vectors`, else nothing of use.
using EighFn = void(const Tensor& a, const Tensor& w, const Tensor& info, bool upper, bool vectors);
/// Eigenvalues w [batch, n] and, if v is defined, right eigenvectors v [batch, n, n] of unit length, both complex. `a`
/// is used up.
using EigFn = void(const Tensor& a, const Tensor& w, const Tensor& v, const Tensor& info);
/// A = U diag(S) V^H of a [batch, n, m], which is used up; s [batch, k] descending, k = min(m, n); u [batch, m or k, m]
/// and vh [batch, n, n or k] both given or both undefined.
using SvdFn = void(const Tensor& a, const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& info);
/// b [batch, k, max(m, n)], whose first m rows hold B, receives in its first n rows X of least |A X - B| for
/// a [batch, n, m], which is used up. rank: int64 [batch], but for gels; s: singular values [batch, min(m, n)], for
/// gelsd and gelss. Singular values up to rcond times the largest count as 0.
using LstsqFn = void(const Tensor& b, const Tensor& a, const Tensor& rank, const Tensor& s, const Tensor& info,
                     LstsqDriver driver, double rcond);

inline constinit Slot<CholeskyFn> cholesky{"cholesky"};
inline constinit Slot<CholeskyInverseFn> cholesky_inverse{"cholesky_inverse"};
inline constinit Slot<CholeskySolveFn> cholesky_solve{"cholesky_solve"};
inline constinit Slot<LuFactorFn> lu_factor{"lu_factor"};
inline constinit Slot<LuSolveFn> lu_solve{"lu_solve"};
inline constinit Slot<LdlFactorFn> ldl_factor{"ldl_factor"};
inline constinit Slot<LdlSolveFn> ldl_solve{"ldl_solve"};
inline constinit Slot<SolveTriangularFn> solve_triangular{"solve_triangular"};
inline constinit Slot<QrFactorFn> qr_factor{"qr_factor"};
inline constinit Slot<QrProductFn> qr_product{"qr_product"};
inline constinit Slot<QrMultiplyFn> qr_multiply{"qr_multiply"};
inline constinit Slot<EighFn> eigh{"eigh"};
inline constinit Slot<EigFn> eig{"eig"};
inline constinit Slot<SvdFn> svd{"svd"};
inline constinit Slot<LstsqFn> lstsq{"lstsq"};

}  // namespace hearth::kernels
