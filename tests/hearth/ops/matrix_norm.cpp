// Norms and condition numbers: known values, dimensions, derivatives, orders that do not exist.
#include "hearth/ops/matrix_norm.h"

#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

Tensor matrix() { return from_values<double>({3, 0, -4, 0, 5, 0}, {2, 3}); }

double of(const NormOrder& order) { return matrix_norm(matrix(), order, {0, 1}).item(); }

TEST(MatrixNorm, KnownValues) {
  EXPECT_DOUBLE_EQ(of(std::string("fro")), std::sqrt(50));
  EXPECT_DOUBLE_EQ(of(std::string("nuc")), 10);
  EXPECT_DOUBLE_EQ(of(2.0), 5);
  EXPECT_DOUBLE_EQ(of(-2.0), 5);
  EXPECT_DOUBLE_EQ(of(1.0), 5);
  EXPECT_DOUBLE_EQ(of(-1.0), 3);
  EXPECT_DOUBLE_EQ(of(INFINITY), 7);
  EXPECT_DOUBLE_EQ(of(-INFINITY), 5);
  EXPECT_THROW(of(3.0), ValueError);
  EXPECT_THROW(of(std::string("max")), ValueError);
  EXPECT_EQ(matrix_norm(matrix(), 1.0, {1, 0}).item(), 7);
  EXPECT_EQ(matrix_norm(ones({2, 3, 4}), 2.0, {0, 2}, true).shape(), (Shape{1, 3, 1}));
  EXPECT_THROW(matrix_norm(matrix(), 1.0, {0, 0}), ValueError);
}

TEST(MatrixNorm, OfVectors) {
  EXPECT_DOUBLE_EQ(vector_norm(matrix(), 1).item(), 12);
  EXPECT_DOUBLE_EQ(vector_norm(matrix(), 0).item(), 3);
  EXPECT_EQ(to_vector<double>(vector_norm(matrix(), INFINITY, {1})), (std::vector<double>{4, 5}));
  EXPECT_EQ(vector_norm(ones({2}), 2, {}, false, Dtype::float64).dtype(), Dtype::float64);
  EXPECT_THROW(vector_norm(ones({2}, Dtype::float64), 2, {}, false, Dtype::float32), DtypeError);
  EXPECT_THROW(vector_norm(ones({2}, Dtype::int64)), DtypeError);
  EXPECT_THROW(vector_norm(ones({0}), INFINITY), ShapeError);
  EXPECT_EQ(vector_norm(ones({0})).item(), 0);
}

TEST(MatrixNorm, Condition) {
  const Tensor a = from_values<double>({2, 0, 0, -8}, {2, 2});
  EXPECT_DOUBLE_EQ(cond(a).item(), 4);
  EXPECT_DOUBLE_EQ(cond(a, NormOrder(-2.0)).item(), 0.25);
  EXPECT_DOUBLE_EQ(cond(a, NormOrder(1.0)).item(), 4);
  EXPECT_EQ(cond(zeros({2, 2}), NormOrder(1.0)).item(), INFINITY);
  EXPECT_EQ(cond(zeros({0, 0})).item(), 0);
}

TEST(MatrixNorm, Derivatives) {
  const auto make = [](Dtype dtype) { return random({3, 3}, 1, dtype); };
  for (const NormOrder& order : {NormOrder(std::string("nuc")), NormOrder(2.0), NormOrder(-2.0), NormOrder(1.0),
                                 NormOrder(-INFINITY), NormOrder(std::string("fro"))}) {
    expect_derivatives(
        "norm",
        [&](const Tensor& x) {
          return TensorList{matrix_norm(x, order, {0, 1})};
        },
        make);
    expect_derivatives(
        "cond", [&](const Tensor& x) { return TensorList{cond(x, order)}; }, make);
  }
}

}  // namespace
}  // namespace hearth
