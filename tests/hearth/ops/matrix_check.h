// Checks that the tests of matrix functions share: random matrices of every kind, closeness, gradients of both kinds.
#pragma once

#include <gtest/gtest.h>

#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/core/linalg_error.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/matmul.h"

namespace hearth::matrix_check {

inline const std::vector<Dtype> dtypes = {Dtype::float32, Dtype::float64, Dtype::complex64, Dtype::complex128};

inline double tolerance(Dtype dtype) { return real_type(dtype) == Dtype::float32 ? 2e-5 : 1e-12; }

/// Numbers within the unit square, the same for the same seed.
inline Tensor random(const Shape& shape, uint64_t seed, Dtype dtype = Dtype::float64) {
  const Tensor re = fused_check::random(shape, seed, real_type(dtype));
  return is_complex(dtype) ? complex(re, fused_check::random(shape, seed + 1000, real_type(dtype))) : re;
}

/// Hermitian and positive definite.
inline Tensor positive(const Shape& shape, uint64_t seed, Dtype dtype = Dtype::float64) {
  const Tensor x = random(shape, seed, dtype);
  return add(matmul(x, mH(x)), eye(shape.back(), shape.back(), dtype));
}

/// The largest difference, NaN counting as infinite.
inline double difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  EXPECT_EQ(a.dtype(), b.dtype());
  if (a.shape() != b.shape() || a.numel() == 0) return 0;
  const double worst = amax(abs(sub(a.detach(), b.detach()))).item();
  return worst == worst ? worst : INFINITY;
}

inline Tensor leaf(const Tensor& x) { return x.detach().set_requires_grad(); }

/// First and second derivatives for real and for complex matrices that `make` makes.
template <class F, class Make>
void expect_derivatives(const char* what, F f, Make make, bool second = true) {
  for (Dtype dtype : {Dtype::float64, Dtype::complex128}) {
    const TensorFunction function = [&](const TensorList& x) { return f(x[0]); };
    const Tensor x = leaf(make(dtype));
    EXPECT_LT(gradcheck(function, {x}), 1e-5) << what << " " << dtype;
    if (second) EXPECT_LT(gradgradcheck(function, {x}), 1e-4) << what << " " << dtype;
  }
}

}  // namespace hearth::matrix_check
