// Batch, group and instance normalisation: PyTorch's values, running statistics, derivatives, wrong input.
#include "hearth/ops/batch_norm.h"

#include <gtest/gtest.h>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;
using fused_check::random;

TEST(BatchNorm, AgreesWithPyTorch) {
  frozen::check_op("batch_norm", [](const TensorList& x, const Keywords& k) {
    const Tensor running_mean = clone(x[1]), running_var = clone(x[2]);
    const Tensor y = batch_norm(x[0], running_mean, running_var, x[3], x[4], k.flag("training", false),
                                k.number("momentum", 0.1), k.number("eps", 1e-5));
    return TensorList{y, running_mean, running_var};
  });
  frozen::check_op("group_norm", [](const TensorList& x, const Keywords& k) {
    return TensorList{group_norm(x[0], k.integer("num_groups", 1), x[1], x[2], k.number("eps", 1e-5))};
  });
  frozen::check_op("instance_norm", [](const TensorList& x, const Keywords& k) {
    return TensorList{instance_norm(x[0], {}, {}, {}, {}, true, 0.1, k.number("eps", 1e-5))};
  });
}

TEST(BatchNorm, Derivatives) {
  const Tensor x = random({3, 4, 2}, 1, Dtype::float64).set_requires_grad();
  const Tensor w = random({4}, 2, Dtype::float64).set_requires_grad();
  const Tensor b = random({4}, 3, Dtype::float64).set_requires_grad();
  const Tensor running_mean = random({4}, 4, Dtype::float64), running_var = ones({4}, Dtype::float64);
  const std::vector<TensorFunction> functions = {
      [](const TensorList& v) { return TensorList{tanh(batch_norm(v[0], {}, {}, v[1], v[2], true))}; },
      [&](const TensorList& v) { return TensorList{tanh(batch_norm(v[0], running_mean, running_var, v[1], v[2]))}; },
      [](const TensorList& v) { return TensorList{tanh(group_norm(v[0], 2, v[1], v[2]))}; },
      [](const TensorList& v) { return TensorList{tanh(instance_norm(v[0], {}, {}, v[1], v[2], true, 0.1, 0.1))}; },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x, w, b}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x, w, b}), 1e-6) << i;
  }
}

TEST(BatchNorm, RunningStatisticsOfInstances) {
  const Tensor x = from_values<double>({1, 3, 5, 9}, {2, 1, 2});
  const Tensor running_mean = zeros({1}, Dtype::float64), running_var = ones({1}, Dtype::float64);
  instance_norm(x, running_mean, running_var, {}, {}, true, 0.5);
  EXPECT_NEAR(running_mean.item(), 0.5 * 4.5, 1e-12);
  EXPECT_NEAR(running_var.item(), 0.5 + 0.5 * 5, 1e-12);
  const Tensor y = instance_norm(x, running_mean, running_var, {}, {}, false);
  EXPECT_NEAR(to_vector<double>(y)[0], (1 - 2.25) / std::sqrt(3 + 1e-5), 1e-12);
}

TEST(BatchNorm, HalfIsComputedInFloat32) {
  for (Dtype dtype : {Dtype::float16, Dtype::bfloat16}) {
    const Tensor x = random({64, 3}, 5, dtype, 10);
    const Tensor y = batch_norm(x, {}, {}, {}, {}, true),
                 exact = batch_norm(to(x, Dtype::float32), {}, {}, {}, {}, true);
    EXPECT_EQ(y.dtype(), dtype);
    EXPECT_TRUE(fused_check::same_bits(y, to(exact, dtype)));
  }
}

TEST(BatchNorm, RefusesWrongInput) {
  const Tensor x = zeros({2, 4, 3});
  EXPECT_THROW(batch_norm(x, {}, {}), ValueError);
  EXPECT_THROW(batch_norm(zeros({1, 4}), {}, {}, {}, {}, true), ValueError);
  EXPECT_THROW(batch_norm(zeros({4}), {}, {}, {}, {}, true), ShapeError);
  EXPECT_THROW(batch_norm(x, {}, {}, zeros({3}), {}, true), ShapeError);
  EXPECT_THROW(batch_norm(to(x, Dtype::int64), {}, {}, {}, {}, true), DtypeError);
  EXPECT_THROW(group_norm(x, 3), ValueError);
  EXPECT_THROW(group_norm(x, 0), ValueError);
  EXPECT_THROW(instance_norm(zeros({2, 4, 1})), ValueError);
}

}  // namespace
}  // namespace hearth
