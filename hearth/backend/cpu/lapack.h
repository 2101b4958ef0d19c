// LAPACK: the decompositions of the system's library, loaded when the first of them is asked for.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

namespace hearth::cpu {

template <class T>
inline constexpr bool is_complex_number = false;
template <class R>
inline constexpr bool is_complex_number<std::complex<R>> = true;

namespace detail {
template <class T>
struct RealOf {
  using type = T;
};
template <class R>
struct RealOf<std::complex<R>> {
  using type = R;
};
}  // namespace detail

/// double for std::complex<double> and for double.
template <class T>
using RealOf = typename detail::RealOf<T>::type;

/// One precision's functions of LAPACKE and CBLAS, by LAPACK's names without the letter of the precision. The first
/// argument is `column_major`. T: float, double, std::complex of them. Results: 0, i > 0 as LAPACK says for the
/// function, or `no_memory`.
template <class T>
struct Lapack {
  using R = RealOf<T>;

  int (*potrf)(int, char uplo, int n, T* a, int lda);
  int (*potri)(int, char uplo, int n, T* a, int lda);
  int (*potrs)(int, char uplo, int n, int nrhs, const T* a, int lda, T* b, int ldb);
  int (*getrf)(int, int m, int n, T* a, int lda, int* pivots);
  int (*getrs)(int, char trans, int n, int nrhs, const T* a, int lda, const int* pivots, T* b, int ldb);
  int (*sytrf)(int, char uplo, int n, T* a, int lda, int* pivots);
  int (*sytrs)(int, char uplo, int n, int nrhs, const T* a, int lda, const int* pivots, T* b, int ldb);
  int (*hetrf)(int, char uplo, int n, T* a, int lda, int* pivots);  ///< complex only, as hetrs
  int (*hetrs)(int, char uplo, int n, int nrhs, const T* a, int lda, const int* pivots, T* b, int ldb);
  int (*geqrf)(int, int m, int n, T* a, int lda, T* tau);
  int (*orgqr)(int, int m, int n, int k, T* a, int lda, const T* tau);  ///< ungqr for complex numbers
  int (*ormqr)(int, char side, char trans, int m, int n, int k, const T* a, int lda, const T* tau, T* c, int ldc);
  int (*syevd)(int, char job, char uplo, int n, T* a, int lda, R* w);  ///< heevd for complex numbers
  int (*gesdd)(int, char job, int m, int n, T* a, int lda, R* s, T* u, int ldu, T* vt, int ldvt);
  int (*geev)(int, char left, char right, int n, T* a, int lda, T* wr, T* wi, T* vl, int ldvl, T* vr, int ldvr);
  int (*geev_complex)(int, char left, char right, int n, T* a, int lda, T* w, T* vl, int ldvl, T* vr, int ldvr);
  int (*gels)(int, char trans, int m, int n, int nrhs, T* a, int lda, T* b, int ldb);
  int (*gelsy)(int, int m, int n, int nrhs, T* a, int lda, T* b, int ldb, int* jpvt, R rcond, int* rank);
  int (*gelsd)(int, int m, int n, int nrhs, T* a, int lda, T* b, int ldb, R* s, R rcond, int* rank);
  int (*gelss)(int, int m, int n, int nrhs, T* a, int lda, T* b, int ldb, R* s, R rcond, int* rank);

  /// CBLAS's product with the inverse of a triangle; `alpha` is a number (real) or a pointer to one (complex).
  using Alpha = std::conditional_t<is_complex_number<T>, const void*, T>;
  void (*trsm)(int order, int side, int uplo, int trans, int diag, int m, int n, Alpha alpha, const T* a, int lda, T* b,
               int ldb);

  static constexpr int column_major = 102;
  static constexpr int no_memory = -1010;  ///< and below
};

/// The functions for T. The first call loads liblapacke.so.3 (and keeps it). Raises NotImplementedError that names the
/// package to install when the library, or a function of it, is not there.
/// Example: const int info = lapack<double>("cholesky").potrf(Lapack<double>::column_major, 'L', n, a, n);
template <class T>
const Lapack<T>& lapack(const char* op);

}  // namespace hearth::cpu
