// Optimizer: groups and state.
#include "hearth/optim/optimizer.h"

#include <charconv>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"

namespace hearth::optim {

Optimizer::Optimizer(std::vector<ParamGroup> groups) : groups_(std::move(groups)) {
  check<ValueError>(param_count() > 0, "optimizer: got no parameters");
  for (const ParamGroup& group : groups_) {
    check<ValueError>(group.lr >= 0, "optimizer: learning rate must not be negative: ", group.lr);
    for (const Tensor& p : group.params)
      check<ValueError>(p.defined() && p.is_leaf(), "optimizer: can only optimize leaf tensors");
  }
  states_.resize(param_count());
}

size_t Optimizer::param_count() const {
  size_t n = 0;
  for (const ParamGroup& group : groups_) n += group.params.size();
  return n;
}

const Tensor& Optimizer::param(size_t i) const {
  for (const ParamGroup& group : groups_) {
    if (i < group.params.size()) return group.params[i];
    i -= group.params.size();
  }
  fail<IndexError>("optimizer: no such parameter: ", i);
}

void Optimizer::zero_grad() {
  for (const ParamGroup& group : groups_)
    for (const Tensor& p : group.params) p.set_grad({});
}

void Optimizer::set_lr(double lr) {
  for (ParamGroup& group : groups_) group.lr = lr;
}

Tensor& Optimizer::state(size_t i, const char* name) {
  Tensor& tensor = states_[i].tensors[name];
  if (!tensor.defined()) {
    const Tensor& p = param(i);
    tensor = zeros(p.shape(), p.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32, p.device());
  }
  return tensor;
}

int64_t& Optimizer::step_of(size_t i) { return states_[i].step; }

nn::StateDict Optimizer::state_dict() const {
  nn::StateDict out;
  for (size_t i = 0; i < states_.size(); ++i) {
    const std::string prefix = std::to_string(i) + ".";
    out[prefix + "step"] = scalar_tensor(states_[i].step);
    for (const auto& [name, tensor] : states_[i].tensors) out[prefix + name] = tensor;
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    out["lr." + std::to_string(g)] = scalar_tensor(groups_[g].lr, Dtype::float64);
    out["weight_decay." + std::to_string(g)] = scalar_tensor(groups_[g].weight_decay, Dtype::float64);
  }
  return out;
}

void Optimizer::load_state_dict(const nn::StateDict& state) {
  NoGrad guard;
  for (const auto& [name, tensor] : state) {
    const size_t dot = name.find('.');
    check<ValueError>(dot != std::string::npos, "load_state_dict: unexpected name: ", name);
    const std::string head = name.substr(0, dot), tail = name.substr(dot + 1);
    const std::string& digits = head == "lr" || head == "weight_decay" ? tail : head;
    size_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const bool group = &digits == &tail;
    check<ValueError>(error == std::errc() && end == digits.data() + digits.size() &&
                          index < (group ? groups_.size() : states_.size()),
                      "load_state_dict: name belongs to no parameter or group: ", name);
    if (head == "lr")
      groups_[index].lr = tensor.item();
    else if (head == "weight_decay")
      groups_[index].weight_decay = tensor.item();
    else if (tail == "step")
      states_[index].step = tensor.item_int();
    else {
      check<ShapeError>(tensor.shape() == param(index).shape(), "load_state_dict: shape differs: ", name, " is ",
                        tensor.shape(), ", parameter ", param(index).shape());
      copy_(this->state(index, tail.c_str()), tensor);
    }
  }
}

}  // namespace hearth::optim
