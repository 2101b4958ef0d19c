// Activation functions: PyTorch's values and gradients, kinks, fused against composed gradients, second derivatives.
#include "hearth/ops/activation.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

struct Named {
  const char* name;
  std::function<Tensor(const Tensor&, const Keywords&)> f;
};

const Named all_of_them[] = {
    {"relu", [](const Tensor& x, const Keywords&) { return relu(x); }},
    {"relu6", [](const Tensor& x, const Keywords&) { return relu6(x); }},
    {"leaky_relu", [](const Tensor& x, const Keywords& k) { return leaky_relu(x, k.number("negative_slope", 0.01)); }},
    {"elu", [](const Tensor& x, const Keywords& k) { return elu(x, k.number("alpha", 1)); }},
    {"selu", [](const Tensor& x, const Keywords&) { return selu(x); }},
    {"celu", [](const Tensor& x, const Keywords& k) { return celu(x, k.number("alpha", 1)); }},
    {"gelu",
     [](const Tensor& x, const Keywords& k) {
       return gelu(x, k.text("approximate", "none") == "tanh" ? Gelu::tanh : Gelu::none);
     }},
    {"silu", [](const Tensor& x, const Keywords&) { return silu(x); }},
    {"mish", [](const Tensor& x, const Keywords&) { return mish(x); }},
    {"softplus",
     [](const Tensor& x, const Keywords& k) { return softplus(x, k.number("beta", 1), k.number("threshold", 20)); }},
    {"logsigmoid", [](const Tensor& x, const Keywords&) { return logsigmoid(x); }},
    {"hardtanh", [](const Tensor& x, const Keywords&) { return hardtanh(x); }},
    {"hardsigmoid", [](const Tensor& x, const Keywords&) { return hardsigmoid(x); }},
    {"hardswish", [](const Tensor& x, const Keywords&) { return hardswish(x); }},
    {"tanhshrink", [](const Tensor& x, const Keywords&) { return tanhshrink(x); }},
    {"softsign", [](const Tensor& x, const Keywords&) { return softsign(x); }},
    {"softshrink", [](const Tensor& x, const Keywords&) { return softshrink(x); }},
    {"hardshrink", [](const Tensor& x, const Keywords&) { return hardshrink(x); }},
};

TEST(Activation, FrozenValuesAndGradients) {
  for (const Named& n : all_of_them) {
    SCOPED_TRACE(n.name);
    frozen::check_op(n.name, [&](const TensorList& x, const Keywords& k) { return TensorList{n.f(x[0], k)}; });
  }
  frozen::check_op("glu",
                   [](const TensorList& x, const Keywords& k) { return TensorList{glu(x[0], k.integer("dim", -1))}; });
  frozen::check_op("prelu", [](const TensorList& x, const Keywords&) { return TensorList{prelu(x[0], x[1])}; });
}

TEST(Activation, FirstAndSecondDerivatives) {
  const boost::json::object none;
  const Tensor x =
      from_values<double>({-4.1, -2.3, -1.2, -0.7, -0.2, 0.15, 0.8, 1.7, 2.6, 4.3, 6.7}).set_requires_grad();
  for (const Named& n : all_of_them) {
    const auto f = [&](const TensorList& in) { return TensorList{n.f(in[0], Keywords(none))}; };
    EXPECT_LT(gradcheck(f, {x}), 1e-6) << n.name;
    EXPECT_LT(gradgradcheck(f, {x}), 1e-6) << n.name;
  }
  const auto t = [](const TensorList& in) { return TensorList{gelu(in[0], Gelu::tanh)}; };
  EXPECT_LT(gradcheck(t, {x}), 1e-6);
  EXPECT_LT(gradgradcheck(t, {x}), 1e-6);
}

TEST(Activation, FusedGradientEqualsComposed) {
  const boost::json::object none;
  const Tensor x = linspace(-6, 6, 101).set_requires_grad();
  for (const char* name : {"relu", "silu", "gelu"})
    for (const Named& n : all_of_them) {
      if (std::string(n.name) != name) continue;
      const Tensor fused = grad({sum(n.f(x, Keywords(none)))}, {x})[0];
      const Tensor composed = grad({sum(n.f(x, Keywords(none)))}, {x}, {}, {.create_graph = true})[0];
      const std::vector<float> a = to_vector<float>(fused), b = to_vector<float>(composed.detach());
      for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6) << name << " at " << i;
    }
}

TEST(Activation, Errors) {
  EXPECT_THROW(relu(zeros({2}, Dtype::boolean)), DtypeError);
  EXPECT_THROW(celu(zeros({2}), 0), ValueError);
  EXPECT_THROW(hardtanh(zeros({2}), 1, -1), ValueError);
  EXPECT_THROW(glu(zeros({3})), ShapeError);
  EXPECT_THROW(prelu(zeros({2, 3}), zeros({2})), ShapeError);
  EXPECT_THROW(softshrink(zeros({2}), -1), ValueError);
  EXPECT_EQ(relu(from_values<int32_t>({-3, 4})).dtype(), Dtype::int32);
}

}  // namespace
}  // namespace hearth
