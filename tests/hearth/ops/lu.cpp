// LU and LDL factors: products, solving, derivatives for every shape, foreign pivots.
#include "hearth/ops/lu.h"

#include "hearth/autograd/engine.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

TEST(Lu, TakesMatricesApart) {
  for (Dtype dtype : dtypes)
    for (const Shape& shape : {Shape{2, 3, 3}, Shape{4, 3}, Shape{3, 5}}) {
      const Tensor a = random(shape, 1, dtype);
      const Plu f = lu(a);
      EXPECT_LT(difference(matmul(f.p, matmul(f.l, f.u)), a), tolerance(dtype));
    }
}

TEST(Lu, Solves) {
  for (Dtype dtype : dtypes) {
    const Tensor a = random({2, 4, 4}, 2, dtype), b = random({4, 3}, 3, dtype), c = random({3, 4}, 4, dtype);
    const LuFactors f = lu_factor(a);
    const Tensor wide = contiguous(expand(b, {2, 4, 3})), flat = contiguous(expand(c, {2, 3, 4}));
    EXPECT_LT(difference(matmul(a, lu_solve(f.lu, f.pivots, b)), wide), 20 * tolerance(dtype));
    EXPECT_LT(difference(matmul(mH(a), lu_solve(f.lu, f.pivots, b, true, true)), wide), 20 * tolerance(dtype));
    EXPECT_LT(difference(matmul(lu_solve(f.lu, f.pivots, c, false), a), flat), 20 * tolerance(dtype));
    EXPECT_LT(difference(matmul(lu_solve(f.lu, f.pivots, c, false, true), mH(a)), flat), 20 * tolerance(dtype));
  }
}

TEST(Lu, Derivatives) {
  for (const Shape& shape : {Shape{2, 3, 3}, Shape{4, 2}, Shape{2, 4}}) {
    const auto make = [&](Dtype dtype) { return random(shape, 5, dtype); };
    expect_derivatives(
        "lu",
        [](const Tensor& x) {
          const Plu f = lu(x);
          return TensorList{f.l, f.u};
        },
        make);
  }
  const auto square = [](Dtype dtype) { return add(random({3, 3}, 6, dtype), mul(eye(3, 3, dtype), 2)); };
  for (bool left : {false, true})
    for (bool adjoint : {false, true})
      expect_derivatives(
          "lu_solve",
          [=](const Tensor& x) {
            const LuFactors f = lu_factor_ex(x);
            return TensorList{lu_solve(f.lu, f.pivots, mul(x, x), left, adjoint)};
          },
          square);
}

TEST(Lu, SymmetricFactorsSolve) {
  for (Dtype dtype : dtypes)
    for (bool hermitian : {false, true}) {
      const Tensor x = random({2, 4, 4}, 7, dtype), b = random({2, 4, 3}, 8, dtype);
      const Tensor a = add(x, hermitian ? mH(x) : mT(x));
      const LdlFactors f = ldl_factor(a, hermitian);
      EXPECT_LT(difference(matmul(a, ldl_solve(f.ld, f.pivots, b, hermitian)), b), 100 * tolerance(dtype));
    }
}

TEST(Lu, SymmetricFactorsSayThatTheyHaveNoDerivative) {
  const Tensor a = leaf(positive({2, 2}, 9)), b = leaf(random({2, 1}, 10));
  const LdlFactors f = ldl_factor(a), constant = ldl_factor(a.detach());
  EXPECT_THROW(backward(sum(f.ld)), NotImplementedError);
  EXPECT_THROW(backward(sum(ldl_solve(f.ld, f.pivots, b))), NotImplementedError);
  backward(sum(ldl_solve(constant.ld, constant.pivots, b)));
  EXPECT_LT(difference(matmul(a.detach(), b.grad()), ones({2, 1}, Dtype::float64)), 1e-12);
}

TEST(Lu, RefusesPivotsThatLeaveTheMatrix) {
  const Tensor a = eye(2, 2, Dtype::float32), b = ones({2, 1});
  for (const int32_t bad : {0, 3, -1, 1 << 30}) {
    const Tensor pivots = from_values<int32_t>({1, bad});
    EXPECT_THROW(lu_solve(a, pivots, b), ValueError);
    EXPECT_THROW(lu_unpack(a, pivots), ValueError);
    EXPECT_THROW(ldl_solve(a, pivots, b), ValueError);
  }
  EXPECT_THROW(lu_solve(a, from_values<int64_t>({1, 2}), b), DtypeError);
  EXPECT_THROW(lu_solve(a, from_values<int32_t>({1}), b), ShapeError);
  EXPECT_THROW(lu_factor(zeros({2, 2})), ValueError);
  EXPECT_EQ(lu_factor_ex(zeros({2, 2})).info.item_int(), 1);
  EXPECT_THROW(lu(ones({2, 2}), false), NotImplementedError);
}

TEST(Lu, OfNothing) {
  EXPECT_EQ(lu(ones({2, 0, 3})).u.shape(), (Shape{2, 0, 3}));
  EXPECT_EQ(lu(ones({3, 0})).p.shape(), (Shape{3, 3}));
  EXPECT_EQ(lu(ones({0, 3, 3})).l.shape(), (Shape{0, 3, 3}));
}

}  // namespace
}  // namespace hearth
