// Pseudo-inverses, ranks, least squares: Penrose's conditions, tolerances, drivers, derivatives.
#include "hearth/ops/pseudo_inverse.h"

#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

/// [m, n] of rank r.
Tensor of_rank(int64_t m, int64_t n, int64_t r, Dtype dtype) {
  return matmul(random({m, r}, 1, dtype), random({r, n}, 2, dtype));
}

TEST(PseudoInverse, PenrosesConditions) {
  for (Dtype dtype : dtypes)
    for (const Tensor& a : {of_rank(4, 3, 2, dtype), of_rank(3, 5, 3, dtype), random({2, 3, 3}, 3, dtype)}) {
      const Tensor p = pinv(a), ap = matmul(a, p), pa = matmul(p, a);
      const double limit = 50 * tolerance(dtype);
      EXPECT_LT(difference(matmul(ap, a), a), limit);
      EXPECT_LT(difference(matmul(pa, p), p), 20 * limit);
      EXPECT_LT(difference(mH(ap), ap), limit);
      EXPECT_LT(difference(mH(pa), pa), limit);
    }
  const Tensor a = positive({3, 3}, 4, Dtype::complex128);
  EXPECT_LT(difference(pinv(a, {{}, {}, true}), pinv(a)), 1e-11);
  EXPECT_EQ(pinv(ones({2, 0, 3})).shape(), (Shape{2, 3, 0}));
}

TEST(PseudoInverse, Rank) {
  for (Dtype dtype : dtypes) EXPECT_EQ(matrix_rank(of_rank(4, 5, 2, dtype)).item_int(), 2) << dtype;
  const Tensor a = from_values<double>({10, 0, 0, 0, 1, 0, 0, 0, -0.1}, {3, 3});
  const auto number = [](double value) { return scalar_tensor(value, Dtype::float64); };
  EXPECT_EQ(matrix_rank(a).item_int(), 3);
  EXPECT_EQ(matrix_rank(a, {number(0.5), {}}).item_int(), 2);
  EXPECT_EQ(matrix_rank(a, {{}, number(0.05)}).item_int(), 2);
  EXPECT_EQ(matrix_rank(a, {number(0.5), number(0.5)}).item_int(), 1);
  EXPECT_EQ(matrix_rank(a, {number(0.5), {}, true}).item_int(), 2);
  EXPECT_EQ(matrix_rank(zeros({2, 0, 3})).numel(), 2);
}

TEST(PseudoInverse, LeastSquares) {
  for (Dtype dtype : dtypes)
    for (const char* driver : {"gels", "gelsy", "gelsd", "gelss"}) {
      const Tensor a = random({2, 5, 3}, 5, dtype), b = random({2, 5, 2}, 6, dtype);
      const Lstsq y = lstsq(a, b, {}, driver);
      EXPECT_LT(difference(y.solution, matmul(pinv(a), b)), 50 * tolerance(dtype)) << driver;
      const Tensor rest = sum(square(abs(sub(matmul(a, y.solution), b))), {-2});
      if (std::string_view(driver) != "gelsy") EXPECT_LT(difference(y.residuals, rest), 50 * tolerance(dtype));
      if (std::string_view(driver) != "gels") EXPECT_EQ(to_vector<int64_t>(y.rank), (std::vector<int64_t>{3, 3}));
    }
  const Tensor wide = random({2, 4}, 7), v = random({2}, 8);
  EXPECT_LT(difference(lstsq(wide, v).solution, matmul(pinv(wide), v)), 1e-11);
  EXPECT_THROW(lstsq(ones({2, 2}), ones({2, 1}), {}, "gelsx"), ValueError);
  EXPECT_THROW(lstsq(ones({2, 2}), ones({3, 1})), ShapeError);
  EXPECT_THROW(lstsq(full({2, 2}, NAN), ones({2, 1}), {}, "gelsd"), LinAlgError);
  EXPECT_THROW(lstsq(from_values<float>({1, 0, 0, 0}, {2, 2}), ones({2, 1}), {}, "gels"), LinAlgError);
  EXPECT_EQ(lstsq(ones({0, 3}), ones({0, 2})).solution.shape(), (Shape{3, 2}));
}

TEST(PseudoInverse, Derivatives) {
  for (const Shape& shape : {Shape{2, 4, 2}, Shape{2, 3}, Shape{3, 3}}) {
    const auto make = [&](Dtype dtype) { return random(shape, 9, dtype); };
    expect_derivatives(
        "pinv", [](const Tensor& x) { return TensorList{pinv(x)}; }, make);
    expect_derivatives(
        "lstsq",
        [](const Tensor& x) {
          const Lstsq y = lstsq(x, mul(x, x), {}, "gels");
          return TensorList{y.solution, y.residuals};
        },
        make);
  }
  // Of constant rank below both sizes, where singular vectors have no derivative.
  expect_derivatives(
      "singular", [](const Tensor& x) { return TensorList{pinv(matmul(x, mH(x)))}; },
      [](Dtype dtype) {
        return random({4, 2}, 10, dtype);
      });
}

}  // namespace
}  // namespace hearth
