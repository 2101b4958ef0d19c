// Optimizer: groups, the loop over parameters, and state dicts.
#include "hearth/optim/optimizer.h"

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"

namespace hearth::optim {
namespace {

/// "12.exp_avg" is parameter 12's "exp_avg"; "lr.0" is group 0's "lr".
struct StateName {
  bool of_group = false;
  size_t index = 0;
  std::string_view field;
};

StateName parse_name(std::string_view name) {
  const size_t dot = name.find('.');
  check<ValueError>(dot != std::string_view::npos, "load_state_dict: unexpected name: ", name);
  const std::string_view head = name.substr(0, dot), tail = name.substr(dot + 1);
  StateName out;
  out.of_group = head == "lr" || head == "weight_decay";
  out.field = out.of_group ? head : tail;
  const std::string_view digits = out.of_group ? tail : head;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.index);
  check<ValueError>(error == std::errc() && end == digits.data() + digits.size(),
                    "load_state_dict: unexpected name: ", name);
  return out;
}

void check_scalar(const std::string& name, const Tensor& value) {
  check<ShapeError>(value.defined() && value.numel() == 1, "load_state_dict: ", name, " must be one number");
  check<ValueError>(value.item() >= 0 && std::isfinite(value.item()), "load_state_dict: ", name,
                    " must be finite and not negative: ", value.item());
}

}  // namespace

Optimizer::Optimizer(std::vector<ParamGroup> groups) : groups_(std::move(groups)) {
  std::unordered_set<const TensorImpl*> seen;
  for (const ParamGroup& group : groups_) {
    check<ValueError>(group.lr >= 0, "optimizer: learning rate must not be negative: ", group.lr);
    check<ValueError>(group.weight_decay >= 0, "optimizer: weight decay must not be negative: ", group.weight_decay);
    for (const Tensor& p : group.params) {
      check<ValueError>(p.defined() && p.is_leaf(), "optimizer: can only optimize leaf tensors");
      check<DtypeError>(is_floating(p.dtype()), "optimizer: parameters must be floating, seen: ", p.dtype());
      check<ValueError>(seen.insert(p.impl()).second, "optimizer: a parameter is listed twice; its shape: ", p.shape());
    }
  }
  check<ValueError>(!seen.empty(), "optimizer: got no parameters");
  states_.resize(seen.size());
}

const Tensor& Optimizer::param(size_t i) const {
  for (const ParamGroup& group : groups_) {
    if (i < group.params.size()) return group.params[i];
    i -= group.params.size();
  }
  fail<IndexError>("optimizer: no such parameter: ", i);
}

void Optimizer::step() {
  NoGrad guard;
  std::vector<std::vector<Ready>> ready(groups_.size());
  size_t number = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const Tensor& p : groups_[g].params) {
      const size_t i = number++;
      const Tensor grad = p.grad();
      if (!grad.defined()) continue;
      check<ShapeError>(grad.shape() == p.shape(), "optimizer: gradient does not fit: ", grad.shape(),
                        " for a parameter of ", p.shape());
      ready[g].push_back({i, p, to(grad, p.dtype())});
    }
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (const Ready& one : ready[g]) ++states_[one.number].step;
    if (!ready[g].empty()) step_group(groups_[g], ready[g]);
  }
}

void ComposedOptimizer::step_group(const ParamGroup& group, const std::vector<Ready>& ready) {
  for (const auto& [i, p, grad] : ready)
    copy_(p, updated(i, group, to(p.detach(), state_dtype(p)), to(grad, state_dtype(p))));
}

void Optimizer::zero_grad() {
  for (const ParamGroup& group : groups_)
    for (const Tensor& p : group.params) p.set_grad({});
}

void Optimizer::set_lr(double lr) {
  check<ValueError>(lr >= 0, "optimizer: learning rate must not be negative: ", lr);
  for (ParamGroup& group : groups_) group.lr = lr;
}

std::optional<Shape> Optimizer::state_shape(const Tensor&, std::string_view) const { return {}; }

Tensor& Optimizer::state(size_t i, const char* name, double initial) {
  Tensor& tensor = states_[i].tensors[name];
  if (!tensor.defined()) {
    const Tensor& p = param(i);
    tensor = full(state_shape(p, name).value(), initial, state_dtype(p), p.device());
  }
  return tensor;
}

StateDict Optimizer::state_dict() const {
  StateDict out;
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

void Optimizer::check_state_dict(const StateDict& state) const {
  size_t numbers = 0;
  for (const auto& [name, tensor] : state) {
    const StateName parsed = parse_name(name);
    check<ValueError>(parsed.index < (parsed.of_group ? groups_.size() : states_.size()),
                      "load_state_dict: name belongs to no parameter or group: ", name);
    if (parsed.of_group || parsed.field == "step") {
      check_scalar(name, tensor);
      ++numbers;
      continue;
    }
    const std::optional<Shape> shape = state_shape(param(parsed.index), parsed.field);
    check<ValueError>(shape.has_value(), "load_state_dict: this optimizer keeps no such state: ", name);
    check<ShapeError>(tensor.defined() && tensor.shape() == *shape, "load_state_dict: shape differs: ", name, " is ",
                      tensor.defined() ? tensor.shape() : Shape{}, ", expected ", *shape);
  }
  check<ValueError>(numbers == states_.size() + 2 * groups_.size(), "load_state_dict: steps, rates and decays of ",
                    states_.size(), " parameters and ", groups_.size(), " groups are expected, found ", numbers, " of ",
                    states_.size() + 2 * groups_.size());
}

void Optimizer::load_state_dict(const StateDict& state) {
  NoGrad guard;
  check_state_dict(state);
  std::vector<ParamState> loaded(states_.size());
  for (const auto& [name, tensor] : state) {
    const StateName parsed = parse_name(name);
    if (parsed.field == "lr")
      groups_[parsed.index].lr = tensor.item();
    else if (parsed.field == "weight_decay")
      groups_[parsed.index].weight_decay = tensor.item();
    else if (parsed.field == "step")
      loaded[parsed.index].step = tensor.item_int();
    else
      loaded[parsed.index].tensors[std::string(parsed.field)] =
          clone(to(tensor.detach(), state_dtype(param(parsed.index))));
  }
  states_ = std::move(loaded);
}

}  // namespace hearth::optim
