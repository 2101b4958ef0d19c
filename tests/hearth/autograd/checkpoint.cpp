// Activation checkpointing, custom functions and gradcheck itself.
#include "hearth/autograd/checkpoint.h"

#include <gtest/gtest.h>

#include "hearth/autograd/function.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/hearth.h"

namespace hearth {
namespace {

Tensor values(std::initializer_list<double> v, const Shape& shape) {
  return from_values<double>(v, shape).set_requires_grad();
}

struct Cube {
  static TensorList forward(FunctionContext& context, const TensorList& inputs) {
    context.save_for_backward(inputs);
    return {inputs[0] * inputs[0] * inputs[0]};
  }
  static TensorList backward(FunctionContext& context, const TensorList& gradients) {
    const Tensor x = context.saved()[0];
    return {gradients[0] * x * x * 3};
  }
};

struct WrongCube : Cube {
  static TensorList backward(FunctionContext& context, const TensorList& gradients) {
    return {gradients[0] * context.saved()[0] * 3};
  }
};

TEST(Function, FirstAndSecondDerivative) {
  const Tensor x = values({0.5, -1.2, 2}, {3});
  const TensorFunction f = [](const TensorList& in) { return apply_function<Cube>(in); };
  EXPECT_LT(gradcheck(f, {x}), 1e-8);
  EXPECT_LT(gradgradcheck(f, {x}), 1e-8);
}

TEST(Gradcheck, SeesAWrongGradient) {
  const Tensor x = values({0.5, -1.2, 2}, {3});
  EXPECT_GT(gradcheck([](const TensorList& in) { return apply_function<WrongCube>(in); }, {x}), 0.1);
}

TEST(Checkpoint, SameBitsAsWithout) {
  const Tensor x = values({0.5, -1.2, 2, 0.1}, {2, 2}), w = values({0.3, 0.2, -0.7, 1.1}, {2, 2});
  const auto block = [&](const TensorList& in) { return TensorList{tanh(matmul(in[0], w)), in[0] * w}; };
  const auto loss = [](const TensorList& y) { return sum(exp(y[0]) * y[1]); };
  const TensorList plain = grad({loss(block({x * 2}))}, {x, w});
  const TensorList again = grad({loss(checkpoint(block, {x * 2}, {w}))}, {x, w});
  EXPECT_EQ(to_vector<double>(plain[0]), to_vector<double>(again[0]));
  EXPECT_EQ(to_vector<double>(plain[1]), to_vector<double>(again[1]));
}

TEST(Checkpoint, SecondDerivative) {
  const Tensor x = values({0.5, -1.2, 2, 0.1}, {2, 2}), w = values({0.3, 0.2, -0.7, 1.1}, {2, 2});
  const TensorFunction f = [](const TensorList& in) {
    const Tensor weight = in[1];
    return checkpoint([weight](const TensorList& x) { return TensorList{tanh(matmul(x[0], weight))}; }, {in[0] * in[0]},
                      {weight});
  };
  EXPECT_LT(gradcheck(f, {x, w}), 1e-7);
  EXPECT_LT(gradgradcheck(f, {x, w}), 1e-6);
}

}  // namespace
}  // namespace hearth
