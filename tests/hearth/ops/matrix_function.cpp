// Functions of matrices: identities, known values, derivatives.
#include "hearth/ops/matrix_function.h"

#include "hearth/ops/solve.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

TEST(MatrixFunction, Exponential) {
  const Tensor turn = from_values<double>({0, -30, 30, 0}, {2, 2});
  const Tensor expected = from_values<double>({std::cos(30), -std::sin(30), std::sin(30), std::cos(30)}, {2, 2});
  EXPECT_LT(difference(matrix_exp(turn), expected), 1e-12);
  for (Dtype dtype : dtypes) {
    const Tensor a = random({3, 4, 4}, 1, dtype), one = contiguous(expand(eye(4, 4, dtype), a.shape()));
    EXPECT_LT(difference(matmul(matrix_exp(a), matrix_exp(neg(a))), one), 10 * tolerance(dtype));
  }
  // A large neighbour changes nothing.
  const Tensor a = random({2, 2}, 2, Dtype::float32), pair = matrix_exp(stack({a, mul(a, 50)}));
  EXPECT_TRUE(fused_check::same_bits(select(pair, 0, 0), matrix_exp(a)));
  EXPECT_EQ(matrix_exp(ones({2, 0, 0})).shape(), (Shape{2, 0, 0}));
  EXPECT_TRUE(all(isnan(matrix_exp(full({2, 2}, NAN)))).item() != 0);
}

TEST(MatrixFunction, Powers) {
  const Tensor a = random({2, 3, 3}, 3);
  EXPECT_LT(difference(matrix_power(a, 5), matmul(a, matmul(a, matmul(a, matmul(a, a))))), 1e-12);
  EXPECT_LT(difference(matrix_power(a, -2), matmul(inv(a), inv(a))), 1e-8);
  EXPECT_LT(difference(matrix_power(a, 0), contiguous(expand(eye(3, 3, Dtype::float64), a.shape()))), 1e-15);
  EXPECT_THROW(matrix_power(ones({2, 2}), -1), LinAlgError);
  EXPECT_THROW(matrix_power(ones({2, 3}), 2), ShapeError);
}

TEST(MatrixFunction, RootsAndPolarForm) {
  for (Dtype dtype : dtypes) {
    const Tensor a = positive({2, 3, 3}, 4, dtype), root = matrix_sqrth(a);
    EXPECT_LT(difference(matmul(root, root), a), 10 * tolerance(dtype));
    const Tensor b = random({2, 4, 3}, 5, dtype);
    const Polar f = polar_decomposition(b);
    EXPECT_LT(difference(matmul(f.u, f.h), b), tolerance(dtype));
    EXPECT_LT(difference(mH(f.h), f.h), tolerance(dtype));
  }
  EXPECT_THROW(polar_decomposition(ones({2, 3})), ShapeError);
}

TEST(MatrixFunction, Derivatives) {
  const auto make = [](Dtype dtype) { return random({2, 3, 3}, 6, dtype); };
  expect_derivatives(
      "exp", [](const Tensor& x) { return TensorList{matrix_exp(x)}; }, make);
  expect_derivatives(
      "power",
      [](const Tensor& x) {
        return TensorList{matrix_power(x, 3), matrix_power(x, -1)};
      },
      make);
  const auto hermitian = [](const Tensor& x) { return add(matmul(x, mH(x)), eye(3, 3, x.dtype())); };
  expect_derivatives(
      "sqrth", [&](const Tensor& x) { return TensorList{matrix_sqrth(hermitian(x))}; }, make);
  for (const Shape& shape : {Shape{3, 3}, Shape{4, 2}})
    expect_derivatives(
        "polar",
        [](const Tensor& x) {
          const Polar f = polar_decomposition(x);
          return TensorList{f.u, f.h};
        },
        [&](Dtype dtype) { return random(shape, 7, dtype); });
  expect_derivatives(
      "vander", [](const Tensor& x) { return TensorList{vander(x, 4)}; }, make);
  expect_derivatives(
      "vecdot", [](const Tensor& x) { return TensorList{vecdot(x, mul(x, x), 1)}; }, make);
}

TEST(MatrixFunction, ProductsOfSeveral) {
  const Tensor a = random({2, 30}, 8), b = random({30, 3}, 9), c = random({3, 40}, 10), v = random({40}, 11);
  const Tensor expected = matmul(matmul(matmul(a, b), c), v);
  EXPECT_LT(difference(multi_dot({a, b, c, v}), expected), 1e-12);
  EXPECT_LT(difference(multi_dot({select(a, 0, 1), b, c, v}), select(expected, 0, 1)), 1e-12);
  EXPECT_THROW(multi_dot({a}), ValueError);
  EXPECT_THROW(multi_dot({a, c}), ShapeError);
  EXPECT_EQ(to_vector<int64_t>(vander(from_values<int64_t>({2, 3}), 3)), (std::vector<int64_t>{1, 2, 4, 1, 3, 9}));
}

}  // namespace
}  // namespace hearth
