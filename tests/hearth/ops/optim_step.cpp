// Optimizer steps: PyTorch's frozen parameters after each of ten steps, dtypes, layouts, bits and errors.
#include "hearth/ops/optim_step.h"

#include <boost/json.hpp>

#include "hearth/io/json.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/fused_check.h"

namespace hearth {
namespace {

using namespace fused_check;

class OptimStep : public Machine {};

struct Frozen {
  boost::json::value json = read_json(HEARTH_TEST_DATA "/optim.json");
  SafetensorsFile tensors = SafetensorsFile::open(HEARTH_TEST_DATA "/optim.safetensors");
  static const Frozen& get() {
    static const Frozen data;
    return data;
  }
};

double number(const boost::json::object& settings, const char* name, double otherwise) {
  return settings.contains(name) ? settings.at(name).to_number<double>() : otherwise;
}
bool flag(const boost::json::object& settings, const char* name) {
  return settings.contains(name) && settings.at(name).as_bool();
}

AdamSettings adam_settings(const boost::json::object& s, bool decoupled) {
  AdamSettings settings{.lr = number(s, "lr", 1e-3),
                        .eps = number(s, "eps", 1e-8),
                        .weight_decay = number(s, "weight_decay", decoupled ? 0.01 : 0),
                        .decoupled = decoupled,
                        .amsgrad = flag(s, "amsgrad"),
                        .maximize = flag(s, "maximize")};
  if (s.contains("betas")) {
    settings.beta1 = s.at("betas").as_array()[0].to_number<double>();
    settings.beta2 = s.at("betas").as_array()[1].to_number<double>();
  }
  return settings;
}

SgdSettings sgd_settings(const boost::json::object& s) {
  return {number(s, "lr", 1e-3),        number(s, "momentum", 0), number(s, "dampening", 0),
          number(s, "weight_decay", 0), flag(s, "nesterov"),      flag(s, "maximize")};
}

/// Parameters with their state, and one step of either optimizer.
struct Model {
  std::vector<AdamItem> adam;
  explicit Model(const TensorList& params) {
    for (const Tensor& p : params) {
      const Dtype wide = p.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32;
      const auto state = [&] { return zeros(p.shape(), wide); };
      adam.push_back({p, {}, state(), state(), state(), 0});
    }
  }
  void step(const TensorList& grads, const AdamSettings& settings) {
    for (size_t i = 0; i < adam.size(); ++i) {
      adam[i].grad = grads[i];
      ++adam[i].step;
    }
    adam_step(adam, settings);
  }
  void step(const TensorList& grads, const SgdSettings& settings) {
    std::vector<SgdItem> items;
    for (size_t i = 0; i < adam.size(); ++i)
      items.push_back({adam[i].param, grads[i], adam[i].exp_avg, ++adam[i].step == 1});
    sgd_step(items, settings);
  }
};

TEST_F(OptimStep, TenStepsOfPyTorch) {
  const Frozen& data = Frozen::get();
  int cases = 0;
  for (const boost::json::value& value : data.json.at("optimizers").as_array()) {
    const boost::json::object& row = value.as_object();
    const std::string kind(row.at("optimizer").as_string()), id(row.at("id").as_string());
    if (kind != "SGD" && kind != "Adam" && kind != "AdamW") continue;
    ++cases;
    const boost::json::object& settings = row.at("settings").as_object();
    each_isa([&] {
      for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
        std::vector<std::string> names;
        TensorList params;
        for (const boost::json::value& name : row.at("parameters").as_array()) {
          names.emplace_back(name.as_string());
          params.push_back(clone(to(data.tensors.tensor("initial/" + names.back()), dtype)));
        }
        Model model(params);
        for (int64_t t = 0; t < 10; ++t) {
          TensorList grads;
          for (const std::string& name : names)
            grads.push_back(to(contiguous(hearth::select(data.tensors.tensor("gradients/" + name), 0, t)), dtype));
          if (kind == "SGD")
            model.step(grads, sgd_settings(settings));
          else
            model.step(grads, adam_settings(settings, kind == "AdamW"));
          for (size_t i = 0; i < names.size(); ++i)
            expect_close(params[i], hearth::select(data.tensors.tensor(id + "/" + names[i]), 0, t), 1e-6, 1e-6,
                         (id + "/" + names[i] + " step " + std::to_string(t)).c_str());
        }
      }
    });
  }
  EXPECT_GE(cases, 11);
}

TEST_F(OptimStep, GradientNormAndScalingClipAsPyTorchDoes) {
  const Frozen& data = Frozen::get();
  TensorList grads;
  for (const char* name : {"wide", "tall", "vector"})
    grads.push_back(clone(hearth::select(data.tensors.tensor(std::string("gradients/") + name), 0, 0)));
  each_isa([&] {
    EXPECT_NEAR(grad_norm(grads), data.tensors.tensor("clip_norm.two/total").item(), 1e-6);
    TensorList clipped;
    for (const Tensor& g : grads) clipped.push_back(clone(g));
    scale_(clipped, std::min(1.0, 1.5 / (grad_norm(clipped) + 1e-6)));
    size_t i = 0;
    for (const char* name : {"wide", "tall", "vector"})
      expect_close(clipped[i++], data.tensors.tensor(std::string("clip_norm.two/") + name), 1e-6, 1e-7);
  });
  EXPECT_EQ(grad_norm({}), 0);
  EXPECT_EQ(grad_norm({Tensor(), zeros({0})}), 0);
  EXPECT_TRUE(std::isnan(grad_norm({full({3}, NAN)})));
  EXPECT_NEAR(grad_norm({full({4}, 1e30)}), 2e30, 1e24);  // the squares overflow float32
  for (Dtype dtype : {Dtype::bfloat16, Dtype::float16, Dtype::float64}) {
    const Tensor x = random({1001}, 3, dtype);
    double total = 0;
    for (double v : to_vector<double>(x)) total += v * v;
    each_isa([&] { EXPECT_NEAR(grad_norm({x}), std::sqrt(total), 1e-10); });
  }
}

TEST_F(OptimStep, Bfloat16ParametersWithFloat32State) {
  const AdamSettings settings{.lr = 1e-2, .weight_decay = 0.1, .decoupled = true};
  const Tensor narrow_param = random({50}, 4, Dtype::bfloat16), wide_param = to(narrow_param, Dtype::float32);
  const Tensor grad = random({50}, 5, Dtype::bfloat16);
  Model narrow({narrow_param}), wide({wide_param});
  narrow.step({grad}, settings);
  wide.step({to(grad, Dtype::float32)}, settings);
  EXPECT_TRUE(same_bits(narrow_param, to(wide_param, Dtype::bfloat16)));  // rounded once, at the end
  EXPECT_TRUE(same_bits(narrow.adam[0].exp_avg_sq, wide.adam[0].exp_avg_sq));
}

TEST_F(OptimStep, ElementsDoNotDependOnPlaceOrThreads) {
  const TensorList params = {random({40000}, 6), random({3, 7}, 7), random({129, 65}, 8)};
  const TensorList grads = {random({40000}, 9), random({3, 7}, 10), random({129, 65}, 11)};
  const auto run = [&](auto settings) -> TensorList {
    TensorList copies;
    for (const Tensor& p : params) copies.push_back(clone(p));
    Model model(copies);
    for (int t = 0; t < 3; ++t) model.step(grads, settings);
    copies.push_back(model.adam[0].exp_avg);
    copies.push_back(scalar_tensor(grad_norm(copies), Dtype::float64));
    return copies;
  };
  const AdamSettings adam{.lr = 0.01, .weight_decay = 0.1, .decoupled = true, .amsgrad = true};
  const SgdSettings sgd{.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true};
  expect_thread_invariant([&] { return run(adam); });
  expect_thread_invariant([&] { return run(sgd); });
  each_isa([&] {
    const TensorList all = run(adam);
    for (int64_t i : {0, 17, 39999}) {
      const Tensor one = clone(narrow(params[0], 0, i, 1));
      Model model({one});
      for (int t = 0; t < 3; ++t) model.step({clone(narrow(grads[0], 0, i, 1))}, adam);
      ASSERT_TRUE(same_bits(one, narrow(all[0], 0, i, 1)));
    }
  });
}

TEST_F(OptimStep, StridedParametersAndVersions) {
  const Tensor base = random({5, 4}, 12), dense = clone(transpose(base, 0, 1)), grad = random({4, 5}, 13);
  const uint32_t before = base.version();
  scale_({transpose(base, 0, 1)}, 2);
  scale_({dense}, 2);
  EXPECT_TRUE(same_bits(transpose(base, 0, 1), dense));
  EXPECT_GT(base.version(), before);
  sgd_step({{transpose(base, 0, 1), grad, {}, true}}, {.lr = 0.5});
  sgd_step({{dense, transpose(clone(transpose(grad, 0, 1)), 0, 1), {}, true}}, {.lr = 0.5});
  EXPECT_TRUE(same_bits(transpose(base, 0, 1), dense));
  const Tensor leaf = clone(dense).set_requires_grad();
  const uint32_t version = leaf.version();
  sgd_step({{leaf, grad, {}, true}}, {.lr = 0.5});
  EXPECT_GT(leaf.version(), version);
  EXPECT_TRUE(leaf.is_leaf() && leaf.requires_grad());
}

TEST_F(OptimStep, EmptyAndWrong) {
  const Tensor p = zeros({3}), g = zeros({3});
  EXPECT_NO_THROW(adam_step({}, {}));
  EXPECT_NO_THROW(sgd_step({{zeros({0}), zeros({0}), {}, true}}, {}));
  EXPECT_THROW(sgd_step({{p, zeros({4}), {}, true}}, {}), ShapeError);
  EXPECT_THROW(sgd_step({{p, zeros({3}, Dtype::float64), {}, true}}, {}), DtypeError);
  EXPECT_THROW(sgd_step({{p, {}, {}, true}}, {}), ValueError);
  EXPECT_THROW(sgd_step({{p, g, {}, true}}, {.momentum = 0.9}), ValueError);
  EXPECT_THROW(sgd_step({{p, g, zeros({4}), true}}, {.momentum = 0.9}), ShapeError);
  EXPECT_THROW(sgd_step({{p, g, {}, true}}, {.nesterov = true}), ValueError);
  EXPECT_THROW(adam_step({{p, g, zeros({3}), zeros({3}, Dtype::float64), {}, 1}}, {}), DtypeError);
  EXPECT_THROW(adam_step({{p, g, zeros({3}), zeros({3}), {}, 1}}, {.amsgrad = true}), ValueError);
  EXPECT_THROW(adam_step({{p, g, zeros({3}), zeros({3}), {}, 0}}, {}), ValueError);
  EXPECT_THROW(grad_norm({zeros({3}, Dtype::int64)}), DtypeError);
  EXPECT_THROW(scale_({expand(zeros({1}), {3})}, 2), ValueError);
}

}  // namespace
}  // namespace hearth
