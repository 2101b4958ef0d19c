// Runs a layer on PyTorch's frozen values (tests/data/nn.*): outputs, gradients of inputs and parameters, buffers.
#pragma once

#include "hearth/nn/module.h"
#include "hearth/ops/frozen.h"

namespace hearth::nn_test {

inline const SafetensorsFile& tensors() {
  static const SafetensorsFile file = SafetensorsFile::open(HEARTH_TEST_DATA "/nn.safetensors");
  return file;
}

inline Tensor stored(const std::string& key, Dtype dtype) {
  const Tensor x = tensors().tensor(key);
  return clone(is_floating(x.dtype()) ? to(x, dtype) : x);
}

/// The state that a case begins with.
inline StateDict state_of(const std::string& id) {
  const std::string prefix = id + "/state.";
  StateDict state;
  for (const std::string& name : tensors().names())
    if (name.compare(0, prefix.size(), prefix) == 0) state[name.substr(prefix.size())] = tensors().tensor(name);
  return state;
}

inline void check_gradients(const std::string& id, nn::Module& module, const TensorList& inputs, double tolerance) {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad())
      frozen::expect_close(inputs[i].grad(), tensors().tensor(id + "/gin" + std::to_string(i)), tolerance,
                           id + " gradient of input " + std::to_string(i));
  for (const auto& [name, parameter] : module.named_parameters())
    frozen::expect_close(parameter.grad(), tensors().tensor(id + "/grad." + name), tolerance, id + " grad." + name);
  for (const auto& [name, buffer] : module.named_buffers())
    frozen::expect_close(buffer, tensors().tensor(id + "/after." + name), tolerance, id + " after." + name);
}

/// `call(module, inputs)` gives the outputs that are compared with the case's.
template <class M, class Call>
void check_module_in(const std::string& id, M& module, const Call& call, Dtype dtype, double tolerance) {
  module.to(dtype);
  module.load_state_dict(state_of(id));
  module.zero_grad();
  TensorList inputs;
  for (int i = 0; tensors().contains(id + "/in" + std::to_string(i)); ++i) {
    inputs.push_back(stored(id + "/in" + std::to_string(i), dtype));
    if (is_floating(inputs.back().dtype())) inputs.back().set_requires_grad();
  }
  const TensorList outputs = call(module, inputs);
  TensorList upstream;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string number = std::to_string(i);
    frozen::expect_close(outputs[i], tensors().tensor(id + "/out" + number), tolerance, id + " output " + number);
    upstream.push_back(stored(id + "/gout" + number, dtype));
  }
  ASSERT_FALSE(tensors().contains(id + "/out" + std::to_string(outputs.size()))) << id;
  if (::testing::Test::HasFatalFailure()) return;
  backward(outputs, upstream);
  check_gradients(id, module, inputs, 5 * tolerance);
}

/// Compares in float64, then in float32.
template <class M, class Call>
void check_module(const std::string& id, M& module, const Call& call) {
  try {
    check_module_in(id, module, call, Dtype::float64, 1e-6);
    check_module_in(id, module, call, Dtype::float32, 2e-5);
  } catch (const Error& error) {
    FAIL() << id << ": " << error.what();
  }
}

/// A module that maps one tensor to one.
template <class M>
void check_layer(const std::string& id, M& module) {
  check_module(id, module, [](M& m, const TensorList& x) { return TensorList{m(x[0])}; });
}

}  // namespace hearth::nn_test
