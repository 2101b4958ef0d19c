// Linear systems: residuals, sides, vectors, broadcasting, derivatives, singular matrices.
#include "hearth/ops/solve.h"

#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

Tensor regular(const Shape& shape, uint64_t seed, Dtype dtype) {
  return add(random(shape, seed, dtype), mul(eye(shape.back(), shape.back(), dtype), 3));
}

TEST(Solve, SystemsFromBothSides) {
  for (Dtype dtype : dtypes) {
    const Tensor a = regular({2, 1, 4, 4}, 1, dtype), b = random({3, 4, 2}, 2, dtype), c = random({3, 2, 4}, 3, dtype);
    EXPECT_LT(difference(matmul(a, solve(a, b)), contiguous(expand(b, {2, 3, 4, 2}))), tolerance(dtype));
    EXPECT_LT(difference(matmul(solve(a, c, false), a), contiguous(expand(c, {2, 3, 2, 4}))), tolerance(dtype));
    const Tensor v = random({4}, 4, dtype), one = regular({4, 4}, 5, dtype), batch = random({2, 1, 4}, 6, dtype);
    EXPECT_LT(difference(matmul(one, solve(one, v)), v), tolerance(dtype));
    EXPECT_LT(difference(squeeze(matmul(a, unsqueeze(solve(a, batch), -1)), -1), batch), tolerance(dtype));
    EXPECT_LT(difference(matmul(one, inv(one)), eye(4, 4, dtype)), tolerance(dtype));
  }
}

TEST(Solve, TrianglesReadOneHalf) {
  for (Dtype dtype : dtypes)
    for (bool upper : {false, true})
      for (bool left : {false, true})
        for (bool unit : {false, true}) {
          const Tensor a = regular({2, 3, 3}, 1, dtype), b = random({2, 3, 3}, 2, dtype);
          Tensor half = upper ? triu(a, unit) : tril(a, unit ? -1 : 0);
          if (unit) half = add(half, eye(3, 3, dtype));
          const Tensor x = solve_triangular(a, b, upper, left, unit);
          EXPECT_LT(difference(left ? matmul(half, x) : matmul(x, half), b), tolerance(dtype));
        }
}

TEST(Solve, Tensors) {
  const Tensor a = reshape(regular({6, 6}, 1, Dtype::float64), {2, 3, 6}), b = random({2, 3}, 2);
  EXPECT_LT(difference(tensordot(a, tensorsolve(a, b), 1), b), 1e-12);
  const Tensor moved = movedim(a, 2, 0);
  EXPECT_LT(difference(tensorsolve(moved, b, {0}), tensorsolve(a, b)), 1e-12);
  EXPECT_LT(difference(tensordot(tensorinv(a, 2), b, 2), tensorsolve(a, b)), 1e-12);
  EXPECT_THROW(tensorinv(a, 1), ShapeError);
  EXPECT_THROW(tensorinv(a, 0), ValueError);
  EXPECT_THROW(tensorsolve(ones({2, 3, 5}), ones({2, 3})), ShapeError);
}

TEST(Solve, Derivatives) {
  const auto make = [](Dtype dtype) { return regular({2, 3, 3}, 7, dtype); };
  expect_derivatives(
      "solve", [](const Tensor& x) { return TensorList{solve(x, mul(x, x))}; }, make);
  expect_derivatives(
      "right", [](const Tensor& x) { return TensorList{solve(x, mul(x, x), false)}; }, make);
  expect_derivatives(
      "inv", [](const Tensor& x) { return TensorList{inv(x)}; }, make);
  for (bool upper : {false, true})
    expect_derivatives(
        "triangular",
        [=](const Tensor& x) {
          return TensorList{solve_triangular(x, mul(x, x), upper, upper), solve_triangular(x, x, upper, true, true)};
        },
        make);
}

TEST(Solve, RefusesWhatHasNoSolution) {
  EXPECT_THROW(solve(zeros({2, 2}), ones({2})), LinAlgError);
  EXPECT_THROW(inv(ones({2, 2})), LinAlgError);
  EXPECT_EQ(inv_ex(zeros({2, 2})).info.item_int(), 1);
  EXPECT_THROW(solve(ones({2, 3}), ones({2})), ShapeError);
  EXPECT_THROW(solve(ones({2, 2}), ones({3})), ShapeError);
  EXPECT_THROW(solve(ones({2, 2}), ones({2}), false), ShapeError);
  EXPECT_THROW(solve(ones({2, 2}), ones({2}, Dtype::float64)), DtypeError);
  EXPECT_TRUE(isinf(solve_triangular(zeros({1, 1}), ones({1, 1}), true)).item() != 0);
  EXPECT_EQ(solve(ones({0, 2, 2}), ones({0, 2, 3})).shape(), (Shape{0, 2, 3}));
  EXPECT_EQ(inv(ones({2, 0, 0})).shape(), (Shape{2, 0, 0}));
}

TEST(Solve, OneMatrixOfABatchIsSolvedAsIfAlone) {
  const Tensor a = regular({40, 5, 5}, 8, Dtype::float32), b = random({40, 5, 3}, 9, Dtype::float32);
  const Tensor x = solve(a, b);
  EXPECT_TRUE(fused_check::same_bits(select(x, 0, 17), solve(select(a, 0, 17), select(b, 0, 17))));
}

}  // namespace
}  // namespace hearth
