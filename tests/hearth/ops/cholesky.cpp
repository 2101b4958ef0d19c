// Cholesky factors: products, both triangles, batches, derivatives, matrices that have none.
#include "hearth/ops/cholesky.h"

#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

TEST(Cholesky, FactorsAndSolves) {
  for (Dtype dtype : dtypes) {
    const Tensor a = positive({2, 3, 4, 4}, 1, dtype), b = random({3, 4, 2}, 2, dtype);
    const Tensor l = cholesky(a), u = cholesky(a, true);
    EXPECT_LT(difference(matmul(l, mH(l)), a), tolerance(dtype));
    EXPECT_LT(difference(u, mH(l)), tolerance(dtype));
    EXPECT_EQ(difference(tril(l), l), 0);
    const Tensor side = expand(b, {2, 3, 4, 2});
    EXPECT_LT(difference(matmul(a, cholesky_solve(b, l)), contiguous(side)), 10 * tolerance(dtype));
    EXPECT_LT(difference(cholesky_solve(b, u, true), cholesky_solve(b, l)), 10 * tolerance(dtype));
    const Tensor one = contiguous(expand(eye(4, 4, dtype), a.shape()));
    EXPECT_LT(difference(matmul(a, cholesky_inverse(l)), one), 10 * tolerance(dtype));
    EXPECT_LT(difference(cholesky_inverse(u, true), cholesky_inverse(l)), 10 * tolerance(dtype));
  }
}

TEST(Cholesky, Derivatives) {
  const auto hermitian = [](const Tensor& x) { return add(matmul(x, mH(x)), eye(3, 3, x.dtype())); };
  const auto make = [](Dtype dtype) { return random({2, 3, 3}, 3, dtype); };
  expect_derivatives(
      "cholesky", [&](const Tensor& x) { return TensorList{cholesky(hermitian(x))}; }, make);
  expect_derivatives(
      "upper", [&](const Tensor& x) { return TensorList{cholesky(hermitian(x), true)}; }, make);
  const auto factor = [](const Tensor& x) { return add(tril(x, -1), mul(eye(3, 3, x.dtype()), 3)); };
  expect_derivatives(
      "inverse", [&](const Tensor& x) { return TensorList{cholesky_inverse(factor(x))}; }, make);
  expect_derivatives(
      "solve", [&](const Tensor& x) { return TensorList{cholesky_solve(x, factor(x))}; }, make);
}

TEST(Cholesky, SaysWhereAMatrixHasNone) {
  const Tensor bad = from_values<double>({1, 0, 0, -1}, {2, 2});
  EXPECT_EQ(cholesky_ex(bad).info.item_int(), 2);
  EXPECT_THROW(cholesky(bad), LinAlgError);
  try {
    cholesky(stack({eye(2, 2, Dtype::float64), bad}));
    FAIL();
  } catch (const LinAlgError& error) {
    EXPECT_STREQ(error.what(), "cholesky (batch element 1): the leading minor of order 2 is not positive definite");
  }
  EXPECT_THROW(cholesky_inverse(zeros({2, 2})), LinAlgError);
  EXPECT_THROW(cholesky(full({2, 2}, NAN)), LinAlgError);
  EXPECT_THROW(cholesky(ones({2, 3})), ShapeError);
  EXPECT_THROW(cholesky(ones({3})), ShapeError);
  EXPECT_THROW(cholesky(ones({2, 2}, Dtype::int64)), NotImplementedError);
}

TEST(Cholesky, OfNothing) {
  EXPECT_EQ(cholesky(ones({2, 0, 0})).shape(), (Shape{2, 0, 0}));
  EXPECT_EQ(cholesky(ones({0, 3, 3})).shape(), (Shape{0, 3, 3}));
  EXPECT_EQ(cholesky_solve(ones({3, 0}), eye(3, 3, Dtype::float32)).shape(), (Shape{3, 0}));
}

}  // namespace
}  // namespace hearth
