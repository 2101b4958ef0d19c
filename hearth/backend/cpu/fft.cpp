// Fourier transforms of rows: complex ones, and real ones through a complex one of half the length.
#include "hearth/backend/kernels/fft.h"

#include <vector>

#include "hearth/backend/cpu/fft_plan.h"
#include "hearth/backend/cpu/parallel.h"

namespace hearth::cpu {

extern kernels::FftFn fft;
extern kernels::FftRealFn fft_real;
extern kernels::FftHermitianFn fft_hermitian;

namespace {

/// Calls f(row, x, scratch) with memory for a complex row of `length` and the plan's scratch.
template <class F>
void each_row(int64_t rows, int64_t length, const FftPlan& plan, F f) {
  const int64_t grain = 1 + 4096 / (length + 1);
  parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) {
    std::vector<Complex> x(static_cast<size_t>(length)), scratch(static_cast<size_t>(plan.scratch()));
    for (int64_t row = begin; row < end; ++row) f(row, x.data(), scratch.data());
  });
}

template <class T>
void fft_rows(T* out, const T* in, int64_t rows, int64_t n, bool inverse, double scale) {
  const auto plan = FftPlan::of(n);
  each_row(rows, n, *plan, [&](int64_t row, Complex* x, Complex* scratch) {
    const T* from = in + 2 * row * n;
    T* to = out + 2 * row * n;
    // With real and imaginary parts exchanged, before and after, the sign of the exponent changes.
    const int re = inverse, im = !inverse;
    for (int64_t i = 0; i < n; ++i) x[i] = {double(from[2 * i + re]), double(from[2 * i + im])};
    plan->run(x, scratch);
    for (int64_t i = 0; i < n; ++i) {
      to[2 * i + re] = T(x[i].re * scale);
      to[2 * i + im] = T(x[i].im * scale);
    }
  });
}

template <class T>
void real_rows(T* out, const T* in, int64_t rows, int64_t n, double scale) {
  const bool even = n % 2 == 0;
  const int64_t half = n / 2, length = even ? half : n;
  const auto plan = FftPlan::of(length);
  std::vector<Complex> turns(static_cast<size_t>(half + 1));
  for (int64_t k = 0; even && k <= half; ++k) turns[size_t(k)] = root_of_unity(k, n);
  each_row(rows, length, *plan, [&](int64_t row, Complex* x, Complex* scratch) {
    const T* from = in + row * n;
    T* to = out + 2 * row * (half + 1);
    for (int64_t i = 0; i < length; ++i)
      x[i] = even ? Complex{double(from[2 * i]), double(from[2 * i + 1])} : Complex{double(from[i]), 0};
    plan->run(x, scratch);
    for (int64_t k = 0; k <= half; ++k) {
      Complex y = x[k % length];
      if (even) {
        // Even elements went in as real parts, odd ones as imaginary parts.
        const Complex a = y, b = conjugate(x[(half - k) % half]);
        const Complex evens = (a + b) * 0.5, odds = Complex{(a - b).im, -(a - b).re} * 0.5;
        y = evens + turns[size_t(k)] * odds;
      }
      if (k == 0 || (even && k == half)) y.im = 0;
      to[2 * k] = T(y.re * scale);
      to[2 * k + 1] = T(y.im * scale);
    }
  });
}

template <class T>
void hermitian_rows(T* out, const T* in, int64_t rows, int64_t n, double scale) {
  const bool even = n % 2 == 0;
  const int64_t half = n / 2, length = even ? half : n;
  const auto plan = FftPlan::of(length);
  std::vector<Complex> turns(static_cast<size_t>(half + 1));
  for (int64_t k = 0; even && k <= half; ++k) turns[size_t(k)] = conjugate(root_of_unity(k, n));
  each_row(rows, length, *plan, [&](int64_t row, Complex* x, Complex* scratch) {
    const T* from = in + 2 * row * (half + 1);
    T* to = out + row * n;
    const auto given = [&](int64_t k) {
      return Complex{double(from[2 * k]), k == 0 || (even && k == half) ? 0.0 : double(from[2 * k + 1])};
    };
    for (int64_t k = 0; k < length; ++k) {
      Complex z;
      if (even) {
        const Complex a = given(k), b = conjugate(given(half - k));
        const Complex odds = (a - b) * turns[size_t(k)];
        z = a + b + Complex{-odds.im, odds.re};
      } else {
        z = k <= half ? given(k) : conjugate(given(n - k));
      }
      x[k] = {z.im, z.re};  // exchanged, for the inverse
    }
    plan->run(x, scratch);
    for (int64_t i = 0; i < length; ++i) {
      if (even) {
        to[2 * i] = T(x[i].im * scale);
        to[2 * i + 1] = T(x[i].re * scale);
      } else {
        to[i] = T(x[i].im * scale);
      }
    }
  });
}

/// Calls f with pointers of the precision of a real tensor; complex memory is pairs of them.
template <class F>
void with_precision(const char* op, Dtype real, F f) {
  if (real == Dtype::float32)
    f(static_cast<float*>(nullptr));
  else if (real == Dtype::float64)
    f(static_cast<double*>(nullptr));
  else
    fail<DtypeError>(op, ": needs float32 or float64 or their complex types: ", real);
}

}  // namespace

void fft(const Tensor& out, const Tensor& x, bool inverse, double scale) {
  with_precision("fft", real_type(x.dtype()), [&]<class T>(T*) {
    fft_rows(static_cast<T*>(out.raw()), static_cast<const T*>(x.raw()), x.size(0), x.size(1), inverse, scale);
  });
}

void fft_real(const Tensor& out, const Tensor& x, double scale) {
  with_precision("fft_real", x.dtype(), [&]<class T>(T*) {
    real_rows(static_cast<T*>(out.raw()), static_cast<const T*>(x.raw()), x.size(0), x.size(1), scale);
  });
}

void fft_hermitian(const Tensor& out, const Tensor& x, double scale) {
  with_precision("fft_hermitian", out.dtype(), [&]<class T>(T*) {
    hermitian_rows(static_cast<T*>(out.raw()), static_cast<const T*>(x.raw()), out.size(0), out.size(1), scale);
  });
}

}  // namespace hearth::cpu
