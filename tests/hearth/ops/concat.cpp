// Joining and rearranging: PyTorch's values, derivatives, dtypes, wrong input.
#include "hearth/ops/concat.h"

#include <gtest/gtest.h>

#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

PadMode mode_of(const Keywords& k) {
  const std::string name = k.text("mode", "constant");
  return name == "reflect"     ? PadMode::reflect
         : name == "replicate" ? PadMode::replicate
         : name == "circular"  ? PadMode::circular
                               : PadMode::constant;
}

TEST(Concat, AgreesWithPyTorch) {
  frozen::check_op("cat",
                   [](const TensorList& x, const Keywords& k) { return TensorList{cat(x, k.integer("dim", 0))}; });
  frozen::check_op("stack",
                   [](const TensorList& x, const Keywords& k) { return TensorList{stack(x, k.integer("dim", 0))}; });
  frozen::check_op("flip",
                   [](const TensorList& x, const Keywords& k) { return TensorList{flip(x[0], k.integers("dims"))}; });
  frozen::check_op("roll", [](const TensorList& x, const Keywords& k) {
    return TensorList{roll(x[0], k.integers("shifts"), k.integers("dims"))};
  });
  frozen::check_op("repeat", [](const TensorList& x, const Keywords& k) {
    return TensorList{repeat(x[0], Shape(k.integers("repeats")))};
  });
  frozen::check_op("repeat_interleave", [](const TensorList& x, const Keywords& k) {
    return TensorList{repeat_interleave(x[0], k.integer("repeats", 1), k.integer("dim", 0))};
  });
  frozen::check_op(
      "tril", [](const TensorList& x, const Keywords& k) { return TensorList{tril(x[0], k.integer("diagonal", 0))}; });
  frozen::check_op(
      "triu", [](const TensorList& x, const Keywords& k) { return TensorList{triu(x[0], k.integer("diagonal", 0))}; });
  frozen::check_op("pad", [](const TensorList& x, const Keywords& k) {
    return TensorList{pad(x[0], k.integers("pad"), mode_of(k), k.number("value", 0))};
  });
  frozen::check_op("one_hot", [](const TensorList& x, const Keywords& k) {
    return TensorList{one_hot(x[0], k.integer("num_classes", -1))};
  });
}

TEST(Concat, Derivatives) {
  const Tensor x = fused_check::random({3, 4}, 1, Dtype::float64).set_requires_grad();
  const Tensor s = fused_check::random({3, 4}, 2, Dtype::float64).set_requires_grad();
  const Tensor counts = from_values<int64_t>({2, 0, 3});
  const std::vector<TensorFunction> functions = {
      [](const TensorList& v) {
        return TensorList{tanh(cat({v[0], v[1], v[0]}, 1))};
      },
      [](const TensorList& v) {
        return TensorList{tanh(stack({v[0], v[1]}, 0)) * v[0]};
      },
      [](const TensorList& v) {
        return TensorList{tanh(repeat(v[0] * v[1], {2, 1, 3}))};
      },
      [&](const TensorList& v) { return TensorList{tanh(repeat_interleave(v[0] * v[1], counts, 0))}; },
      [](const TensorList& v) {
        return TensorList{tanh(flip(v[0], {0, 1})) * v[1]};
      },
      [](const TensorList& v) {
        return TensorList{tanh(roll(v[0], {1, -6}, {0, 1})) * v[1]};
      },
      [](const TensorList& v) { return TensorList{tanh(tril(v[0], 1)) * triu(v[1], -1)}; },
      [](const TensorList& v) {
        return TensorList{tanh(pad(v[0] * v[1], {1, -2, -1, 2}, PadMode::constant, 0.5))};
      },
      [](const TensorList& v) {
        return TensorList{tanh(pad(v[0] * v[1], {2, 3, 1, 2}, PadMode::reflect))};
      },
      [](const TensorList& v) {
        return TensorList{tanh(pad(v[0] * v[1], {2, 3, 5, 0}, PadMode::replicate))};
      },
      [](const TensorList& v) {
        return TensorList{tanh(pad(v[0] * v[1], {4, 1, 0, 3}, PadMode::circular))};
      },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x, s}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x, s}), 1e-6) << i;
  }
}

TEST(Concat, PromotesAndLeavesOutEmpty) {
  const Tensor half = ones({2}, Dtype::float16).set_requires_grad();
  const Tensor y = cat({from_values<int64_t>({5}), half, zeros({0})});
  EXPECT_EQ(y.dtype(), Dtype::float32);
  EXPECT_EQ(to_vector<float>(y.detach()), (std::vector<float>{5, 1, 1}));
  backward(sum(y));
  EXPECT_EQ(half.grad().dtype(), Dtype::float16);
  for (Dtype dtype : {Dtype::boolean, Dtype::uint8, Dtype::int16, Dtype::bfloat16, Dtype::float64}) {
    const Tensor z = cat({ones({1, 2}, dtype), zeros({2, 2}, dtype)});
    EXPECT_EQ(z.dtype(), dtype);
    EXPECT_EQ(to_vector<int64_t>(flip(z, {0})), (std::vector<int64_t>{0, 0, 0, 0, 1, 1}));
  }
  EXPECT_EQ(cat({zeros({0}), zeros({0})}).shape(), (Shape{0}));
  EXPECT_EQ(cat({zeros({0, 3}), zeros({2, 3})}).shape(), (Shape{2, 3}));
}

TEST(Concat, Grids) {
  const TensorList ij = meshgrid({arange(0, 2), arange(0, 3)}), xy = meshgrid({arange(0, 2), arange(0, 3)}, "xy");
  EXPECT_EQ(to_vector<int64_t>(ij[0]), (std::vector<int64_t>{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(xy[0].shape(), (Shape{3, 2}));
  EXPECT_EQ(to_vector<int64_t>(xy[0]), (std::vector<int64_t>{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(to_vector<int64_t>(xy[1]), (std::vector<int64_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(to_vector<int64_t>(tile(arange(0, 2), {2, 2})), (std::vector<int64_t>{0, 1, 0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(one_hot(from_values<int64_t>({0, 2})).shape(), (Shape{2, 3}));
  EXPECT_EQ(to_vector<int64_t>(repeat_interleave(reshape(arange(0, 4), {2, 2}), 2)),
            (std::vector<int64_t>{0, 0, 1, 1, 2, 2, 3, 3}));
}

TEST(Concat, CopiesAreCopies) {
  const Tensor x = zeros({2});
  for (const Tensor& y : {repeat(x, {1}), roll(x, {0}, {0}), flip(x, {}), pad(x, {0, 0})})
    EXPECT_NE(y.storage(), x.storage());
}

TEST(Concat, RefusesWrongInput) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_THROW(repeat(zeros({2}), {most}), ValueError);
  EXPECT_THROW(repeat_interleave(zeros({2}), most, 0), ValueError);
  EXPECT_THROW(pad(zeros({2}), {most, 1}), ValueError);
  EXPECT_THROW(one_hot(from_values<int64_t>({most})), IndexError);
  EXPECT_EQ(to_vector<float>(tril(ones({1, 2}), -most)), (std::vector<float>{0, 0}));
  EXPECT_EQ(to_vector<float>(tril(ones({1, 2}), most)), (std::vector<float>{1, 1}));
  EXPECT_THROW(cat({}), ValueError);
  EXPECT_THROW(cat({zeros({2, 3}), zeros({2, 4})}, 0), ShapeError);
  EXPECT_THROW(cat({zeros({2}), zeros({2, 4})}, 0), ShapeError);
  EXPECT_THROW(cat({zeros({2})}, 1), IndexError);
  EXPECT_THROW(cat({scalar_tensor(1)}), ShapeError);
  EXPECT_THROW(stack({zeros({2}), zeros({3})}), ShapeError);
  EXPECT_THROW(repeat(zeros({2, 3}), {2}), ShapeError);
  EXPECT_THROW(repeat(zeros({2}), {-1}), ValueError);
  EXPECT_THROW(repeat_interleave(zeros({2}), from_values<int64_t>({1, -1}), 0), ValueError);
  EXPECT_THROW(flip(zeros({2, 3}), {0, -2}), ValueError);
  EXPECT_THROW(tril(zeros({3})), ShapeError);
  EXPECT_THROW(pad(zeros({3}), {3, 0}, PadMode::reflect), ShapeError);
  EXPECT_THROW(pad(zeros({3}), {4, 0}, PadMode::circular), ShapeError);
  EXPECT_THROW(pad(zeros({3}), {-4, 0}), ShapeError);
  EXPECT_THROW(pad(zeros({3}), {1, 1, 1, 1}), ShapeError);
  EXPECT_THROW(pad(zeros({3}), {1}), ShapeError);
  EXPECT_THROW(one_hot(from_values<int64_t>({3}), 3), IndexError);
  EXPECT_THROW(one_hot(from_values<int64_t>({-1})), IndexError);
  EXPECT_THROW(meshgrid({arange(0, 2)}, "yx"), ValueError);
}

}  // namespace
}  // namespace hearth
