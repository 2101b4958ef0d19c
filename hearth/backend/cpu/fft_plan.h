// FftPlan: what a Fourier transform of one length needs, computed once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace hearth::cpu {

/// A complex number whose product is the plain formula, without the standard's detour for infinities.
struct Complex {
  double re, im;
};
inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
inline Complex operator*(Complex a, Complex b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
inline Complex operator*(Complex a, double b) { return {a.re * b, a.im * b}; }
inline Complex conjugate(Complex a) { return {a.re, -a.im}; }

/// exp(-2 pi i k / n), to the last bit or nearly so, for 0 <= k < n.
Complex root_of_unity(int64_t k, int64_t n);

/// Lengths without a prime factor above 13 go through passes of small transforms (Stockham's self-sorting form, Cochran
/// et al. 1967); others are a convolution with a chirp of a longer such length (Bluestein 1970).
class FftPlan {
 public:
  /// The plan for length n >= 1; a few hundred are kept, so that most calls find theirs.
  static std::shared_ptr<const FftPlan> of(int64_t n);
  explicit FftPlan(int64_t n);

  /// Numbers of scratch memory that `run` needs.
  int64_t scratch() const { return chirp_.empty() ? n_ : 2 * long_plan_->n_; }
  /// x[n] becomes its transform. `scratch` and x do not overlap.
  void run(Complex* x, Complex* scratch) const;

 private:
  void run_passes(Complex* x, Complex* scratch) const;
  void run_chirp(Complex* x, Complex* scratch) const;

  int64_t n_;
  std::vector<int> radices_;
  std::vector<Complex> roots_;  ///< exp(-2 pi i k / n)
  std::shared_ptr<const FftPlan> long_plan_;
  std::vector<Complex> chirp_;          ///< exp(-pi i k^2 / n)
  std::vector<Complex> chirp_fourier_;  ///< transform of its conjugate, over the long length
};

}  // namespace hearth::cpu
