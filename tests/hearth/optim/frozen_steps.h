// Runs an optimizer on PyTorch's frozen ten steps (tests/data/optim.*) in float64, float32 and through a state dict.
#pragma once

#include <memory>

#include "hearth/ops/frozen.h"
#include "hearth/optim/optimizer.h"

namespace hearth::optim_test {

using frozen::Keywords;
using Made = std::unique_ptr<optim::Optimizer>;
using Make = std::function<Made(const TensorList& params, const Keywords& settings)>;

struct Data {
  boost::json::value json;
  SafetensorsFile tensors;
  static const Data& get() {
    static const Data data{read_json(HEARTH_TEST_DATA "/optim.json"),
                           SafetensorsFile::open(HEARTH_TEST_DATA "/optim.safetensors")};
    return data;
  }
};

/// The parameters of a case as leaves.
inline TensorList initial(const std::vector<std::string>& names, Dtype dtype) {
  TensorList out;
  for (const std::string& name : names)
    out.push_back(clone(to(Data::get().tensors.tensor("initial/" + name), dtype)).set_requires_grad());
  return out;
}

inline void set_gradients(const TensorList& params, const std::vector<std::string>& names, int64_t step) {
  for (size_t i = 0; i < params.size(); ++i)
    params[i].set_grad(to(select(Data::get().tensors.tensor("gradients/" + names[i]), 0, step), params[i].dtype()));
}

/// Ten steps; after step 5 the run goes on in a new optimizer from the saved state.
inline void run_case(const boost::json::object& row, const Make& make, Dtype dtype, double tolerance) {
  const std::string id(row.at("id").as_string());
  std::vector<std::string> names;
  for (const boost::json::value& name : row.at("parameters").as_array()) names.emplace_back(name.as_string());
  const Keywords settings(row.at("settings").as_object());
  const TensorList params = initial(names, dtype);
  Made optimizer = make(params, settings);
  for (int64_t step = 0; step < 10; ++step) {
    set_gradients(params, names, step);
    optimizer->step();
    for (size_t i = 0; i < names.size(); ++i)
      frozen::expect_close(params[i].detach(), select(Data::get().tensors.tensor(id + "/" + names[i]), 0, step),
                           tolerance, id + " " + names[i] + " step " + std::to_string(step));
    if (::testing::Test::HasFatalFailure()) return;
    if (step != 5) continue;
    StateDict saved;
    for (const auto& [name, tensor] : optimizer->state_dict()) saved[name] = clone(tensor);
    optimizer = make(params, settings);
    optimizer->load_state_dict(saved);
  }
}

/// Every frozen case of PyTorch's optimizer `kind` for which `wanted(id)`. Fails when there is none.
inline void check_optimizer(const char* kind, const Make& make, double float32 = 2e-5, double float64 = 1e-6,
                            const std::function<bool(const std::string&)>& wanted = {}) {
  int found = 0;
  for (const boost::json::value& value : Data::get().json.at("optimizers").as_array()) {
    const boost::json::object& row = value.as_object();
    if (row.at("optimizer").as_string() != kind || (wanted && !wanted(std::string(row.at("id").as_string())))) continue;
    ++found;
    run_case(row, make, Dtype::float64, float64);
    run_case(row, make, Dtype::float32, float32);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(found, 0) << "no frozen case of " << kind;
}

/// A bfloat16 parameter with float32 state moves as its float32 twin does, rounded after each step.
inline void check_bfloat16(const Make& make) {
  static const boost::json::object none;
  const Tensor half = clone(to(Data::get().tensors.tensor("initial/tall"), Dtype::bfloat16)).set_requires_grad();
  const Tensor twin = clone(to(half.detach(), Dtype::float32)).set_requires_grad();
  const Made on_half = make({half}, Keywords(none)), on_twin = make({twin}, Keywords(none));
  for (int64_t step = 0; step < 10; ++step) {
    const Tensor g = to(select(Data::get().tensors.tensor("gradients/tall"), 0, step), Dtype::bfloat16);
    half.set_grad(g);
    twin.set_grad(to(g, Dtype::float32));
    on_half->step();
    on_twin->step();
    const Tensor rounded = to(twin.detach(), Dtype::bfloat16);
    ASSERT_EQ(to_vector<float>(half.detach()), to_vector<float>(rounded)) << "step " << step;
    std::vector<float> values = to_vector<float>(rounded);
    std::copy(values.begin(), values.end(), twin.detach().data<float>());
  }
}

}  // namespace hearth::optim_test
