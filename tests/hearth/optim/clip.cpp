// Clipping against PyTorch's frozen norms, and its edges.
#include "hearth/optim/clip.h"

#include <limits>

#include "hearth/optim/frozen_steps.h"

namespace hearth {
namespace {

const std::vector<std::string> names{"wide", "tall", "vector"};

TEST(Clip, NormAgreesWithPyTorch) {
  for (const boost::json::value& value : optim_test::Data::get().json.at("clip").as_array()) {
    const std::string id(value.at("id").as_string()), order(value.at("norm_type").as_string());
    const TensorList params = optim_test::initial(names, Dtype::float32);
    optim_test::set_gradients(params, names, 0);
    for (const Tensor& p : params) p.set_grad(clone(p.grad()));
    const double norm = optim::clip_grad_norm(params, value.at("max_norm").to_number<double>(), std::stod(order));
    const SafetensorsFile& tensors = optim_test::Data::get().tensors;
    EXPECT_NEAR(norm, tensors.tensor(id + "/total").item(), 1e-6 * norm) << id;
    for (size_t i = 0; i < names.size(); ++i)
      frozen::expect_close(params[i].grad(), tensors.tensor(id + "/" + names[i]), 1e-6, id + " " + names[i]);
  }
}

TEST(Clip, AnInfiniteBoundOnlyMeasures) {
  const Tensor p = ones({2}).set_requires_grad();
  p.set_grad(from_values<float>({3e30f, 4e30f}));
  EXPECT_NEAR(optim::clip_grad_norm({p}, std::numeric_limits<double>::infinity()), 5e30, 1e24);
  EXPECT_EQ(to_vector<float>(p.grad()), (std::vector<float>{3e30f, 4e30f}));
}

TEST(Clip, GradientsThatAreNotFiniteStayAndAreReported) {
  const Tensor p = ones({2}).set_requires_grad();
  p.set_grad(from_values<float>({std::numeric_limits<float>::quiet_NaN(), 4}));
  EXPECT_TRUE(std::isnan(optim::clip_grad_norm({p}, 1)));
  EXPECT_TRUE(std::isnan(optim::clip_grad_norm({p}, 1, std::numeric_limits<double>::infinity())));
  EXPECT_EQ(to_vector<float>(p.grad())[1], 4);
}

TEST(Clip, BoundsValues) {
  const Tensor p = ones({3}).set_requires_grad(), unused = ones({3}).set_requires_grad();
  p.set_grad(from_values<float>({-3, 0.25, 4}));
  optim::clip_grad_value({p, unused}, 0.5);
  EXPECT_EQ(to_vector<float>(p.grad()), (std::vector<float>{-0.5, 0.25, 0.5}));
}

TEST(Clip, RefusesBoundsWithoutAMeaning) {
  const TensorList params{ones({2}).set_requires_grad()};
  EXPECT_THROW(optim::clip_grad_norm(params, 0), ValueError);
  EXPECT_THROW(optim::clip_grad_norm(params, 1, 0), ValueError);
  EXPECT_THROW(optim::clip_grad_value(params, -1), ValueError);
}

}  // namespace
}  // namespace hearth
