// Scatter with a reduction: PyTorch's values and derivatives, zeros in products, wrong input.
#include "hearth/ops/scatter_reduce.h"

#include <gtest/gtest.h>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

constexpr ScatterReduce all[] = {ScatterReduce::sum, ScatterReduce::prod, ScatterReduce::mean, ScatterReduce::amax,
                                 ScatterReduce::amin};

ScatterReduce named(const std::string& name) {
  return name == "sum"    ? ScatterReduce::sum
         : name == "prod" ? ScatterReduce::prod
         : name == "mean" ? ScatterReduce::mean
         : name == "amax" ? ScatterReduce::amax
                          : ScatterReduce::amin;
}

TEST(ScatterReduce, AgreesWithPyTorch) {
  frozen::check_op("scatter_reduce", [](const TensorList& x, const frozen::Keywords& k) {
    return TensorList{scatter_reduce(x[0], k.integer("dim", 0), x[1], x[2], named(k.text("reduce", "")),
                                     k.flag("include_self", true))};
  });
}

TEST(ScatterReduce, Derivatives) {
  const Tensor x = fused_check::random({3, 2}, 1, Dtype::float64).set_requires_grad();
  const Tensor s = fused_check::random({4, 2}, 2, Dtype::float64).set_requires_grad();
  const Tensor at = from_values<int64_t>({0, 2, 0, 0, 2, 2, 0, 2}, {4, 2});
  for (ScatterReduce reduce : all)
    for (bool include : {true, false}) {
      const TensorFunction f = [&](const TensorList& v) {
        return TensorList{tanh(scatter_reduce(v[0], 0, at, v[1], reduce, include))};
      };
      EXPECT_LT(gradcheck(f, {x, s}), 1e-6) << int(reduce) << include;
      EXPECT_LT(gradgradcheck(f, {x, s}), 1e-6) << int(reduce) << include;
    }
}

TEST(ScatterReduce, ProductWithALoneZero) {
  const Tensor x = from_values<double>({2, 3}).set_requires_grad();
  const Tensor s = from_values<double>({0, 5, 7, 0}).set_requires_grad();
  const Tensor at = from_values<int64_t>({0, 0, 1, 1});
  const TensorFunction f = [&](const TensorList& v) {
    return TensorList{scatter_reduce(v[0], 0, at, v[1], ScatterReduce::prod)};
  };
  EXPECT_LT(gradcheck(f, {x, s}), 1e-6);
}

TEST(ScatterReduce, IntegersAndHalves) {
  const Tensor at = from_values<int64_t>({1, 1, 1});
  const Tensor x = from_values<int32_t>({4, 5}), s = from_values<int32_t>({9, -3, 2});
  EXPECT_EQ(to_vector<int64_t>(scatter_reduce(x, 0, at, s, ScatterReduce::amax)), (std::vector<int64_t>{4, 9}));
  EXPECT_EQ(to_vector<int64_t>(scatter_reduce(x, 0, at, s, ScatterReduce::amin, false)), (std::vector<int64_t>{4, -3}));
  EXPECT_EQ(to_vector<int64_t>(scatter_reduce(x, 0, at, s, ScatterReduce::mean)), (std::vector<int64_t>{4, 3}));
  const Tensor down = scatter_reduce(x, 0, at, neg(s), ScatterReduce::mean, false);
  EXPECT_EQ(to_vector<int64_t>(down), (std::vector<int64_t>{4, -3}));
  const Tensor half = scatter_reduce(to(x, Dtype::float16), 0, at, to(s, Dtype::float16), ScatterReduce::prod, false);
  EXPECT_EQ(to_vector<float>(half), (std::vector<float>{4, -54}));
}

TEST(ScatterReduce, RefusesWrongInput) {
  const Tensor x = zeros({3}), at = from_values<int64_t>({0, 1});
  EXPECT_THROW(scatter_reduce(x, 0, at, zeros({1}), ScatterReduce::sum), ShapeError);
  EXPECT_THROW(scatter_reduce(x, 0, from_values<int64_t>({3}), zeros({1}), ScatterReduce::amax), IndexError);
  EXPECT_THROW(scatter_reduce(x, 0, at, zeros({2}, Dtype::float64), ScatterReduce::sum), DtypeError);
}

}  // namespace
}  // namespace hearth
