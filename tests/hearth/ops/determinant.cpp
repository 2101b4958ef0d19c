// Determinants: known values, agreement of the forms, derivatives, singular matrices.
#include "hearth/ops/determinant.h"

#include "hearth/autograd/engine.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

TEST(Determinant, KnownValues) {
  EXPECT_DOUBLE_EQ(det(from_values<double>({0, 2, 3, 4}, {2, 2})).item(), -6);
  EXPECT_DOUBLE_EQ(slogdet(from_values<double>({0, 2, 3, 4}, {2, 2})).sign.item(), -1);
  EXPECT_EQ(to_vector<float>(det(ones({2, 0, 0}))), (std::vector<float>{1, 1}));
}

TEST(Determinant, FormsAgree) {
  for (Dtype dtype : dtypes) {
    const Tensor a = random({3, 4, 4}, 1, dtype);
    const SignLogDet parts = slogdet(a);
    EXPECT_LT(difference(mul(parts.sign, exp(parts.logabs)), det(a)), tolerance(dtype));
    const Tensor p = positive({3, 4, 4}, 2, dtype);
    EXPECT_LT(difference(exp(logdet(p)), det(p)), 1e3 * tolerance(dtype));
  }
  EXPECT_TRUE(isnan(logdet(neg(eye(1, 1, Dtype::float32)))).item() != 0);
}

TEST(Determinant, Derivatives) {
  const auto make = [](Dtype dtype) { return random({2, 3, 3}, 3, dtype); };
  expect_derivatives(
      "det", [](const Tensor& x) { return TensorList{det(x)}; }, make);
  expect_derivatives(
      "slogdet",
      [](const Tensor& x) {
        const SignLogDet y = slogdet(x);
        return TensorList{y.sign, y.logabs};
      },
      make);
  expect_derivatives(
      "logdet", [](const Tensor& x) { return TensorList{logdet(matmul(x, mH(x)))}; }, make);
}

TEST(Determinant, TheGradientOfASingularMatrixIsItsAdjugate) {
  const Tensor a = leaf(from_values<double>({1, 2, 2, 4}, {2, 2}));
  backward(det(a));
  EXPECT_LT(difference(a.grad(), from_values<double>({4, -2, -2, 1}, {2, 2})), 1e-12);
  EXPECT_EQ(slogdet(zeros({2, 2})).sign.item(), 0);
  EXPECT_EQ(slogdet(zeros({2, 2})).logabs.item(), -INFINITY);
}

}  // namespace
}  // namespace hearth
