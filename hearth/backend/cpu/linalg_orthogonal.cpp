// QR, eigenvalues, singular values and least squares.
#include <algorithm>
#include <vector>

#include "hearth/backend/cpu/linalg_batch.h"
#include "hearth/backend/kernels/linalg.h"

namespace hearth::cpu {

extern kernels::QrFactorFn qr_factor;
extern kernels::QrProductFn qr_product;
extern kernels::QrMultiplyFn qr_multiply;
extern kernels::EighFn eigh;
extern kernels::EigFn eig;
extern kernels::SvdFn svd;
extern kernels::LstsqFn lstsq;

using kernels::LstsqDriver;
using kernels::Transposed;

namespace {

constexpr int column_major = Lapack<float>::column_major;

/// Memory that LAPACK wants to exist though it does not use it.
template <class T>
T nowhere[1];

/// A complex eigenvector for each column of `packed`, LAPACK's real form of them: a pair of conjugate eigenvalues has
/// the real and the imaginary part in two columns.
template <class R>
void unpack_eigenvectors(std::complex<R>* v, const R* packed, const R* imaginary, int64_t n) {
  for (int64_t j = 0; j < n; ++j) {
    const R* real = packed + j * n;
    if (imaginary[j] == 0) {
      for (int64_t i = 0; i < n; ++i) v[j * n + i] = real[i];
      continue;
    }
    for (int64_t i = 0; i < n; ++i) {
      v[j * n + i] = {real[i], real[n + i]};
      v[(j + 1) * n + i] = {real[i], -real[n + i]};
    }
    ++j;
  }
}

template <class T>
int eig_of(const Lapack<T>& lapack, T* a, int n, std::complex<RealOf<T>>* w, std::complex<RealOf<T>>* v) {
  const char job = v ? 'V' : 'N';
  if constexpr (is_complex_number<T>) {
    return lapack.geev_complex(column_major, 'N', job, n, a, n, w, nowhere<T>, 1, v ? v : nowhere<T>, v ? n : 1);
  } else {
    std::vector<T> real(static_cast<size_t>(n)), imaginary(static_cast<size_t>(n)), packed;
    if (v) packed.resize(size_t(n) * size_t(n));
    const int info = lapack.geev(column_major, 'N', job, n, a, n, real.data(), imaginary.data(), nowhere<T>, 1,
                                 v ? packed.data() : nowhere<T>, v ? n : 1);
    for (int i = 0; i < n; ++i) w[i] = {real[size_t(i)], imaginary[size_t(i)]};
    if (v && info == 0) unpack_eigenvectors(v, packed.data(), imaginary.data(), n);
    return info;
  }
}

}  // namespace

void qr_factor(const Tensor& a, const Tensor& tau) {
  dispatch(LapackTypes{}, a.dtype(), "qr", [&]<class T>() {
    const Matrices<T> m(a);
    if (m.empty()) return;
    const Lapack<T>& functions = lapack<T>("qr");
    T* t = static_cast<T*>(tau.raw());
    const int64_t k = tau.size(1);
    each_matrix(a.size(0), cube(m.rows, m.columns, double(k)), [&](int64_t i) {
      checked_info("qr", functions.geqrf(column_major, m.rows, m.columns, m[i], m.ld(), t + i * k));
    });
  });
}

void qr_product(const Tensor& a, const Tensor& tau) {
  dispatch(LapackTypes{}, a.dtype(), "householder_product", [&]<class T>() {
    const Matrices<T> m(a);
    if (m.empty()) return;
    const Lapack<T>& functions = lapack<T>("householder_product");
    const T* t = static_cast<const T*>(tau.raw());
    const int64_t k = tau.size(1);
    each_matrix(a.size(0), cube(m.rows, m.columns, m.columns), [&](int64_t i) {
      checked_info("householder_product",
                   functions.orgqr(column_major, m.rows, m.columns, int(k), m[i], m.ld(), t + i * k));
    });
  });
}

void qr_multiply(const Tensor& c, const Tensor& a, const Tensor& tau, bool left, Transposed op) {
  dispatch(LapackTypes{}, c.dtype(), "ormqr", [&]<class T>() {
    const Matrices<T> m(c), reflectors(a);
    const int64_t k = tau.size(1);
    if (m.empty() || k == 0) return;
    const Lapack<T>& functions = lapack<T>("ormqr");
    const T* t = static_cast<const T*>(tau.raw());
    const char trans = op == Transposed::no ? 'N' : is_complex_number<T> ? 'C' : 'T';
    each_matrix(c.size(0), cube(m.rows, m.columns, double(k)), [&](int64_t i) {
      checked_info("ormqr", functions.ormqr(column_major, left ? 'L' : 'R', trans, m.rows, m.columns, int(k),
                                            reflectors[i], reflectors.ld(), t + i * k, m[i], m.ld()));
    });
  });
}

void eigh(const Tensor& a, const Tensor& w, const Tensor& info, bool upper, bool vectors) {
  int32_t* infos = info.data<int32_t>();
  std::fill_n(infos, info.numel(), 0);
  dispatch(LapackTypes{}, a.dtype(), "eigh", [&]<class T>() {
    const Matrices<T> m(a);
    if (m.empty()) return;
    const Lapack<T>& functions = lapack<T>("eigh");
    auto* values = static_cast<RealOf<T>*>(w.raw());
    each_matrix(a.size(0), 4 * cube(m.rows, m.rows, m.rows), [&](int64_t i) {
      infos[i] = checked_info("eigh", functions.syevd(column_major, vectors ? 'V' : 'N', upper ? 'U' : 'L', m.rows,
                                                      m[i], m.ld(), values + i * m.rows));
    });
  });
}

void eig(const Tensor& a, const Tensor& w, const Tensor& v, const Tensor& info) {
  int32_t* infos = info.data<int32_t>();
  std::fill_n(infos, info.numel(), 0);
  dispatch(LapackTypes{}, a.dtype(), "eig", [&]<class T>() {
    using C = std::complex<RealOf<T>>;
    const Matrices<T> m(a);
    if (m.empty()) return;
    const Matrices<C> vectors(v);
    const Lapack<T>& functions = lapack<T>("eig");
    C* values = static_cast<C*>(w.raw());
    each_matrix(a.size(0), 20 * cube(m.rows, m.rows, m.rows), [&](int64_t i) {
      infos[i] = all_finite(m[i], m.size)
                     ? checked_info("eig", eig_of(functions, m[i], m.rows, values + i * m.rows, vectors[i]))
                     : -1;
    });
  });
}

void svd(const Tensor& a, const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& info) {
  int32_t* infos = info.data<int32_t>();
  std::fill_n(infos, info.numel(), 0);
  dispatch(LapackTypes{}, a.dtype(), "svd", [&]<class T>() {
    const Matrices<T> m(a), left(u), right(vh);
    if (m.empty()) return;
    const Lapack<T>& functions = lapack<T>("svd");
    auto* values = static_cast<RealOf<T>*>(s.raw());
    const int k = std::min(m.rows, m.columns);
    const char job = !left.data ? 'N' : left.columns == m.rows && right.rows == m.columns ? 'A' : 'S';
    each_matrix(a.size(0), 10 * cube(m.rows, m.columns, k), [&](int64_t i) {
      infos[i] = all_finite(m[i], m.size)
                     ? checked_info("svd", functions.gesdd(column_major, job, m.rows, m.columns, m[i], m.ld(),
                                                           values + i * k, left.data ? left[i] : nowhere<T>, m.ld(),
                                                           right.data ? right[i] : nowhere<T>, std::max(1, right.rows)))
                     : -1;
    });
  });
}

void lstsq(const Tensor& b, const Tensor& a, const Tensor& rank, const Tensor& s, const Tensor& info,
           LstsqDriver driver, double rcond) {
  int32_t* infos = info.data<int32_t>();
  std::fill_n(infos, info.numel(), 0);
  dispatch(LapackTypes{}, a.dtype(), "lstsq", [&]<class T>() {
    using R = RealOf<T>;
    const Matrices<T> m(a), x(b);
    if (m.empty()) return;
    const Lapack<T>& f = lapack<T>("lstsq");
    const int rows = m.rows, columns = m.columns, k = std::min(rows, columns);
    int64_t* ranks = rank.defined() ? rank.data<int64_t>() : nullptr;
    R* values = s.defined() ? static_cast<R*>(s.raw()) : nullptr;
    each_matrix(a.size(0), 10 * cube(rows, columns, k), [&](int64_t i) {
      int found = 0, result = 0;
      if (driver == LstsqDriver::gels) {
        result = f.gels(column_major, 'N', rows, columns, x.columns, m[i], m.ld(), x[i], x.ld());
      } else if (driver == LstsqDriver::gelsy) {
        std::vector<int> order(static_cast<size_t>(columns));
        result =
            f.gelsy(column_major, rows, columns, x.columns, m[i], m.ld(), x[i], x.ld(), order.data(), R(rcond), &found);
      } else if (!all_finite(m[i], m.size) || !all_finite(x[i], x.size)) {
        result = -1;
      } else {
        const auto run = driver == LstsqDriver::gelsd ? f.gelsd : f.gelss;
        result =
            run(column_major, rows, columns, x.columns, m[i], m.ld(), x[i], x.ld(), values + i * k, R(rcond), &found);
      }
      infos[i] = checked_info("lstsq", result);
      if (ranks) ranks[i] = found;
    });
  });
}

}  // namespace hearth::cpu
