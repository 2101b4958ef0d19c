// Eigenvalues: residuals, order, derivatives that do not depend on phases, matrices that are not numbers.
#include "hearth/ops/eig.h"

#include "hearth/autograd/engine.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

Tensor hermitian(const Tensor& x) { return mul(add(x, mH(x)), 0.5); }

TEST(Eig, Hermitian) {
  for (Dtype dtype : dtypes)
    for (bool upper : {false, true}) {
      const Tensor a = hermitian(random({2, 4, 4}, 1, dtype));
      const Eigen f = eigh(upper ? triu(a) : tril(a), upper);
      EXPECT_EQ(f.values.dtype(), real_type(dtype));
      EXPECT_LT(difference(matmul(scale_columns(f.vectors, f.values), mH(f.vectors)), a), tolerance(dtype));
      EXPECT_TRUE(all(le(narrow(f.values, -1, 0, 3), narrow(f.values, -1, 1, 3))).item() != 0);
      EXPECT_LT(difference(eigvalsh(a), f.values), tolerance(dtype));
    }
}

TEST(Eig, General) {
  for (Dtype dtype : dtypes) {
    const Tensor a = random({3, 4, 4}, 2, dtype);
    const Eigen f = eig(a);
    EXPECT_EQ(f.values.dtype(), complex_type(dtype));
    EXPECT_LT(difference(matmul(to(a, complex_type(dtype)), f.vectors), scale_columns(f.vectors, f.values)),
              tolerance(dtype));
    EXPECT_LT(difference(sum(eigvals(a), {-1}), sum(to(main_diagonal(a), complex_type(dtype)), {-1})),
              tolerance(dtype));
    const Tensor lengths = sum(square(abs(f.vectors)), {-2});
    EXPECT_LT(difference(lengths, ones_like(lengths)), tolerance(dtype));
  }
}

TEST(Eig, Derivatives) {
  const auto make = [](Dtype dtype) { return random({2, 3, 3}, 3, dtype); };
  expect_derivatives(
      "eigh",
      [](const Tensor& x) {
        const Eigen f = eigh(hermitian(x));
        const Tensor of = matmul(scale_columns(f.vectors, exp(f.values)), mH(f.vectors));
        return TensorList{f.values, abs(f.vectors), of};
      },
      make);
  expect_derivatives(
      "eig",
      [](const Tensor& x) {
        const Eigen f = eig(x);
        return TensorList{f.values, abs(f.vectors)};
      },
      make);
  expect_derivatives(
      "eigvalsh", [](const Tensor& x) { return TensorList{eigvalsh(hermitian(x))}; }, make);
  expect_derivatives(
      "eigvals", [](const Tensor& x) { return TensorList{eigvals(x)}; }, make);
}

TEST(Eig, RefusesLossesOfThePhase) {
  const Tensor a = leaf(hermitian(random({3, 3}, 4, Dtype::complex128)));
  EXPECT_THROW(backward(sum(imag(eigh(a).vectors))), ValueError);
}

TEST(Eig, RefusesWhatIsNotFiniteOrSquare) {
  EXPECT_THROW(eig(full({2, 2}, NAN)), LinAlgError);
  EXPECT_THROW(eig(full({2, 2}, INFINITY)), LinAlgError);
  EXPECT_THROW(eigh(ones({2, 3})), ShapeError);
  EXPECT_EQ(eigh(ones({2, 0, 0})).vectors.shape(), (Shape{2, 0, 0}));
  EXPECT_EQ(eig(ones({0, 2, 2})).values.shape(), (Shape{0, 2}));
}

}  // namespace
}  // namespace hearth
