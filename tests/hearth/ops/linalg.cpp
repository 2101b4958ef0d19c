// Products and small matrix functions: PyTorch's values, derivatives, wrong input.
#include "hearth/ops/linalg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;
using fused_check::random;

TEST(Linalg, AgreesWithPyTorch) {
  frozen::check_op("bmm", [](const TensorList& x, const Keywords&) { return TensorList{bmm(x[0], x[1])}; });
  frozen::check_op("dot", [](const TensorList& x, const Keywords&) { return TensorList{dot(x[0], x[1])}; });
  frozen::check_op("outer", [](const TensorList& x, const Keywords&) { return TensorList{outer(x[0], x[1])}; });
  frozen::check_op("kron", [](const TensorList& x, const Keywords&) { return TensorList{kron(x[0], x[1])}; });
  frozen::check_op("addmm", [](const TensorList& x, const Keywords& k) {
    return TensorList{addmm(x[0], x[1], x[2], k.number("beta", 1), k.number("alpha", 1))};
  });
  frozen::check_op("addmv", [](const TensorList& x, const Keywords& k) {
    return TensorList{addmv(x[0], x[1], x[2], k.number("beta", 1), k.number("alpha", 1))};
  });
  frozen::check_op("baddbmm", [](const TensorList& x, const Keywords& k) {
    return TensorList{baddbmm(x[0], x[1], x[2], k.number("beta", 1), k.number("alpha", 1))};
  });
  frozen::check_op("tensordot", [](const TensorList& x, const Keywords& k) {
    const auto& dims = k.raw("dims").as_array();
    return TensorList{tensordot(x[0], x[1], Keywords::list(dims[0]), Keywords::list(dims[1]))};
  });
  frozen::check_op(
      "cdist", [](const TensorList& x, const Keywords& k) { return TensorList{cdist(x[0], x[1], k.number("p", 2))}; });
  frozen::check_op("cosine_similarity", [](const TensorList& x, const Keywords& k) {
    return TensorList{cosine_similarity(x[0], x[1], k.integer("dim", 1))};
  });
  frozen::check_op(
      "diag", [](const TensorList& x, const Keywords& k) { return TensorList{diag(x[0], k.integer("diagonal", 0))}; });
}

TEST(Linalg, Derivatives) {
  const Tensor a = random({3, 3}, 1, Dtype::float64).set_requires_grad();
  const Tensor b = random({3, 3}, 2, Dtype::float64).set_requires_grad();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<TensorFunction> functions = {
      [](const TensorList& v) { return TensorList{addmm(v[0], v[0], v[1], 0.5, 2) * v[1]}; },
      [](const TensorList& v) { return TensorList{tensordot(v[0] * v[1], v[1], 1)}; },
      [](const TensorList& v) { return TensorList{trace(v[0] * v[1]) * v[0]}; },
      [](const TensorList& v) { return TensorList{tanh(diag_embed(v[0] * v[1], 1, 0, 2))}; },
      [](const TensorList& v) { return TensorList{kron(v[0], v[1])}; },
      [](const TensorList& v) { return TensorList{cross(v[0], v[1], 0) * v[0]}; },
      [](const TensorList& v) { return TensorList{cdist(v[0], v[1])}; },
      [](const TensorList& v) { return TensorList{cdist(v[0], v[1], 1) * v[0]}; },
      [](const TensorList& v) { return TensorList{cdist(v[0], v[1], 2, true)}; },
      [](const TensorList& v) { return TensorList{cdist(v[0], v[1], 3)}; },
      [=](const TensorList& v) { return TensorList{cdist(v[0], v[1], infinity) * v[0]}; },
      [](const TensorList& v) { return TensorList{cosine_similarity(v[0], v[1], 0)}; },
      [](const TensorList& v) { return TensorList{matrix_norm(v[0]) * v[1]}; },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {a, b}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {a, b}), 1e-6) << i;
  }
}

TEST(Linalg, Values) {
  const Tensor a = from_values<double>({1, 0, 0}), b = from_values<double>({0, 1, 0});
  EXPECT_EQ(to_vector<double>(cross(a, b)), (std::vector<double>{0, 0, 1}));
  const Tensor x = from_values<double>({0, 0, 3, 4}, {2, 2});
  EXPECT_EQ(to_vector<double>(cdist(x, x)), (std::vector<double>{0, 5, 5, 0}));
  EXPECT_EQ(to_vector<double>(cdist(x, x, 1)), (std::vector<double>{0, 7, 7, 0}));
  EXPECT_EQ(to_vector<double>(cdist(x, x, 0)), (std::vector<double>{0, 2, 2, 0}));
  EXPECT_EQ(to_vector<double>(cdist(x, x, std::numeric_limits<double>::infinity())), (std::vector<double>{0, 4, 4, 0}));
  EXPECT_EQ(matrix_norm(x).item(), 5);
  EXPECT_EQ(diag_embed(ones({2, 3}), -1, 0, -1).shape(), (Shape{4, 2, 4}));
  EXPECT_EQ(to_vector<double>(diag(x)), (std::vector<double>{0, 4}));
  const double nan = std::nan("");
  EXPECT_EQ(to_vector<double>(addmm(full({2, 2}, nan, Dtype::float64), x, x, 0)), (std::vector<double>{0, 0, 12, 16}));
}

TEST(Linalg, GradientAtZeroDistanceIsZero) {
  const Tensor x = from_values<double>({1, 2, 1, 2}, {2, 2}).set_requires_grad();
  for (double p : {2.0, 3.0}) {
    const Tensor g = grad({sum(cdist(x, x, p))}, {x})[0];
    EXPECT_EQ(to_vector<double>(g), (std::vector<double>{0, 0, 0, 0}));
  }
}

TEST(Linalg, RefusesWrongInput) {
  const Tensor m = zeros({2, 3}), v = zeros({3});
  EXPECT_THROW(dot(m, v), ShapeError);
  EXPECT_THROW(dot(v, zeros({4})), ShapeError);
  EXPECT_THROW(mm(m, m), ShapeError);
  EXPECT_THROW(mv(m, m), ShapeError);
  EXPECT_THROW(bmm(zeros({2, 1, 1}), zeros({1, 1, 1})), ShapeError);
  EXPECT_THROW(addmm(zeros({3}), m, zeros({3, 2})), ShapeError);
  EXPECT_THROW(addmm(zeros({2}, Dtype::float64), m, zeros({3, 2})), DtypeError);
  EXPECT_THROW(tensordot(m, m, 1), ShapeError);
  EXPECT_THROW(tensordot(m, m, 3), ShapeError);
  EXPECT_THROW(trace(v), ShapeError);
  EXPECT_THROW(cross(m, m, 0), ShapeError);
  EXPECT_THROW(cdist(m, zeros({2, 2})), ShapeError);
  EXPECT_THROW(cdist(m, m, -1), ValueError);
  EXPECT_THROW(diag_embed(v, 0, 1, 1), ValueError);
  EXPECT_THROW(diag_embed(v, std::numeric_limits<int64_t>::min()), ValueError);
}

}  // namespace
}  // namespace hearth
