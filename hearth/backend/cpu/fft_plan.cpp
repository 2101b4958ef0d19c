// FftPlan: passes of radix 2, 3, 4, 5, 7, 11, 13, and the chirp for all other lengths.
#include "hearth/backend/cpu/fft_plan.h"

#include <cmath>
#include <mutex>
#include <numbers>
#include <unordered_map>
#include <utility>

namespace hearth::cpu {

Complex root_of_unity(int64_t k, int64_t n) {
  // The angle is brought into the first eighth of the circle, where sine and cosine are at their best.
  const int64_t eighth = 8 * k / n;
  const auto at = [n](int64_t part) {  // exp(-2 pi i part / 8n), 0 <= part <= n
    const double angle = std::numbers::pi / 4 * (double(part) / double(n));
    return Complex{std::cos(angle), -std::sin(angle)};
  };
  const int64_t rest = 8 * k - eighth * n;
  const bool mirrored = eighth & 1;
  Complex w = mirrored ? at(n - rest) : at(rest);
  if (mirrored) w = {-w.im, -w.re};
  switch (eighth / 2) {
    case 1:
      return {w.im, -w.re};
    case 2:
      return {-w.re, -w.im};
    case 3:
      return {-w.im, w.re};
    default:
      return w;
  }
}

namespace {

constexpr int largest_radix = 13;

/// The transform of a[0..R), in place. roots: exp(-2 pi i k / R).
template <int R>
inline void small_transform(Complex* a, [[maybe_unused]] const Complex* roots) {
  if constexpr (R == 2) {
    const Complex d = a[0] - a[1];
    a[0] = a[0] + a[1];
    a[1] = d;
  } else if constexpr (R == 4) {
    const Complex s = a[0] + a[2], d = a[0] - a[2], t = a[1] + a[3], e = a[1] - a[3];
    const Complex turned{e.im, -e.re};
    a[0] = s + t;
    a[1] = d + turned;
    a[2] = s - t;
    a[3] = d - turned;
  } else {
    // Odd R: sums and differences of a_k and a_(R-k) halve the products.
    Complex sum[R / 2 + 1], difference[R / 2 + 1];
    Complex all = a[0];
    for (int k = 1; k <= R / 2; ++k) {
      sum[k] = a[k] + a[R - k];
      difference[k] = a[k] - a[R - k];
      all = all + sum[k];
    }
    for (int j = 1; j <= R / 2; ++j) {
      Complex even = a[0], odd{0, 0};
      for (int k = 1; k <= R / 2; ++k) {
        const Complex w = roots[j * k % R];
        even = even + sum[k] * w.re;
        odd = odd + Complex{-difference[k].im * w.im, difference[k].re * w.im};
      }
      sum[0] = even + odd;  // Kept aside below: a[0] is still needed.
      a[j] = sum[0];
      a[R - j] = even - odd;
      // a[j] and a[R - j] are not read again: sum and difference hold them.
    }
    a[0] = all;
  }
}

/// One pass: y[q + s (R p + j)] = exp(-2 pi i p j / n) * transform over k of x[q + s (p + k m)], n = R m.
template <int R>
void pass(Complex* y, const Complex* x, int64_t m, int64_t s, const Complex* roots) {
  Complex small[R];
  for (int k = 0; k < R; ++k) small[k] = root_of_unity(k, R);
  for (int64_t p = 0; p < m; ++p) {
    Complex turn[R];
    for (int j = 0; j < R; ++j) turn[j] = roots[p * j * s];
    for (int64_t q = 0; q < s; ++q) {
      Complex a[R];
      for (int k = 0; k < R; ++k) a[k] = x[q + s * (p + k * m)];
      small_transform<R>(a, small);
      y[q + s * R * p] = a[0];
      for (int j = 1; j < R; ++j) y[q + s * (R * p + j)] = a[j] * turn[j];
    }
  }
}

using Pass = void (*)(Complex*, const Complex*, int64_t, int64_t, const Complex*);
Pass pass_of(int radix) {
  switch (radix) {
    case 2:
      return pass<2>;
    case 3:
      return pass<3>;
    case 4:
      return pass<4>;
    case 5:
      return pass<5>;
    case 7:
      return pass<7>;
    case 11:
      return pass<11>;
    default:
      return pass<13>;
  }
}

/// Factors of n, 4 first; the last entry is what is left, 1 if n is smooth.
std::vector<int64_t> factors_of(int64_t n) {
  std::vector<int64_t> factors;
  for (int64_t radix : {4, 2, 3, 5, 7, 11, largest_radix})
    for (; n % radix == 0; n /= radix) factors.push_back(radix);
  factors.push_back(n);
  return factors;
}

int64_t smooth_length(int64_t least) {
  int64_t n = 1;
  while (n < least) n *= 2;
  return n % 4 == 0 && n / 4 * 3 >= least ? n / 4 * 3 : n;
}

}  // namespace

std::shared_ptr<const FftPlan> FftPlan::of(int64_t n) {
  constexpr size_t most = 256;
  static std::mutex mutex;
  static auto& plans = *new std::unordered_map<int64_t, std::shared_ptr<const FftPlan>>;
  {
    const std::lock_guard lock(mutex);
    const auto found = plans.find(n);
    if (found != plans.end()) return found->second;
  }
  auto plan = std::make_shared<const FftPlan>(n);
  const std::lock_guard lock(mutex);
  if (plans.size() >= most) plans.clear();
  plans[n] = plan;
  return plan;
}

FftPlan::FftPlan(int64_t n) : n_(n) {
  const std::vector<int64_t> factors = factors_of(n);
  if (factors.back() == 1) {
    for (size_t i = 0; i + 1 < factors.size(); ++i) radices_.push_back(int(factors[i]));
    roots_.resize(size_t(n));
    for (int64_t k = 0; k < n; ++k) roots_[size_t(k)] = root_of_unity(k, n);
    return;
  }
  const int64_t length = smooth_length(2 * n - 1);
  long_plan_ = of(length);
  chirp_.resize(size_t(n));
  chirp_fourier_.assign(size_t(length), {0, 0});
  // k^2 mod 2n, step by step, so that it does not overflow.
  for (int64_t k = 0, square = 0; k < n; square = (square + 2 * k + 1) % (2 * n), ++k) {
    chirp_[size_t(k)] = root_of_unity(square, 2 * n);
    chirp_fourier_[size_t(k)] = conjugate(chirp_[size_t(k)]);
    if (k) chirp_fourier_[size_t(length - k)] = chirp_fourier_[size_t(k)];
  }
  std::vector<Complex> scratch(static_cast<size_t>(length));
  long_plan_->run(chirp_fourier_.data(), scratch.data());
}

void FftPlan::run(Complex* x, Complex* scratch) const {
  if (chirp_.empty())
    run_passes(x, scratch);
  else
    run_chirp(x, scratch);
}

void FftPlan::run_passes(Complex* x, Complex* scratch) const {
  Complex *from = x, *to = scratch;
  int64_t left = n_, stride = 1;
  for (int radix : radices_) {
    left /= radix;
    pass_of(radix)(to, from, left, stride, roots_.data());
    stride *= radix;
    std::swap(from, to);
  }
  if (from != x)
    for (int64_t i = 0; i < n_; ++i) x[i] = from[i];
}

void FftPlan::run_chirp(Complex* x, Complex* scratch) const {
  const int64_t length = long_plan_->n_;
  Complex *a = scratch, *spare = scratch + length;
  for (int64_t k = 0; k < n_; ++k) a[k] = x[k] * chirp_[size_t(k)];
  for (int64_t k = n_; k < length; ++k) a[k] = {0, 0};
  long_plan_->run(a, spare);
  // The inverse transform is the transform of the conjugate, conjugated.
  for (int64_t k = 0; k < length; ++k) a[k] = conjugate(a[k] * chirp_fourier_[size_t(k)]);
  long_plan_->run(a, spare);
  const double scale = 1.0 / double(length);
  for (int64_t k = 0; k < n_; ++k) x[k] = conjugate(a[k]) * scale * chirp_[size_t(k)];
}

}  // namespace hearth::cpu
