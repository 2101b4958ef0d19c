// Module: walking the tree, state dicts.
#include "hearth/nn/module.h"

#include <map>
#include <unordered_set>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"

namespace hearth::nn {

void Module::add_parameter(std::string name, Tensor& slot) { slots_.push_back({std::move(name), &slot, false, true}); }
void Module::add_buffer(std::string name, Tensor& slot, bool persistent) {
  slots_.push_back({std::move(name), &slot, true, persistent});
}
void Module::add_module(std::string name, Module& child) { children_.emplace_back(std::move(name), &child); }

Tensor Module::new_parameter(const Shape& shape) {
  Tensor made = empty(shape);
  made.set_requires_grad();
  return made;
}

void Module::visit(const std::string& prefix, const Visit& visitor) const {
  for (const Slot& slot : slots_)
    if (slot.tensor->defined()) visitor(prefix + slot.name, slot);
  for (const auto& [name, child] : children_) child->visit(prefix + name + ".", visitor);
}

NamedTensors Module::named_parameters() const {
  NamedTensors out;
  std::unordered_set<const TensorImpl*> seen;
  visit("", [&](const std::string& name, const Slot& slot) {
    if (!slot.is_buffer && seen.insert(slot.tensor->impl()).second) out.emplace_back(name, *slot.tensor);
  });
  return out;
}

TensorList Module::parameters() const {
  TensorList out;
  for (auto& [name, tensor] : named_parameters()) out.push_back(tensor);
  return out;
}

NamedTensors Module::named_buffers() const {
  NamedTensors out;
  visit("", [&](const std::string& name, const Slot& slot) {
    if (slot.is_buffer) out.emplace_back(name, *slot.tensor);
  });
  return out;
}

void Module::collect_modules(const std::string& prefix, std::vector<std::pair<std::string, Module*>>& out) {
  out.emplace_back(prefix, this);
  for (auto& [name, child] : children_) child->collect_modules(prefix.empty() ? name : prefix + "." + name, out);
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  std::vector<std::pair<std::string, Module*>> out;
  collect_modules("", out);
  return out;
}

StateDict Module::state_dict() const {
  StateDict state;
  visit("", [&](const std::string& name, const Slot& slot) {
    if (slot.persistent) state[name] = slot.tensor->detach();
  });
  return state;
}

void Module::load_state_dict(const StateDict& state, bool strict, bool assign) {
  std::string missing, shapes;
  std::unordered_set<std::string> used;
  visit("", [&](const std::string& name, const Slot& slot) {
    if (!slot.persistent) return;
    const auto found = state.find(name);
    if (found == state.end()) {
      missing += " " + name;
      return;
    }
    used.insert(name);
    check<ShapeError>(found->second.shape() == slot.tensor->shape(), "load_state_dict: shape differs: ", name, " is ",
                      slot.tensor->shape(), ", given ", found->second.shape());
  });
  std::string unexpected;
  for (const auto& [name, tensor] : state)
    if (!used.count(name)) unexpected += " " + name;
  check<ValueError>(!strict || (missing.empty() && unexpected.empty()),
                    "load_state_dict: names do not match: missing:", missing.empty() ? " none" : missing,
                    "; unexpected:", unexpected.empty() ? " none" : unexpected);
  NoGrad guard;
  visit("", [&](const std::string& name, const Slot& slot) {
    if (!used.count(name)) return;
    if (!assign) {
      copy_(*slot.tensor, state.at(name));
      return;
    }
    const bool requires_grad = slot.tensor->requires_grad();
    *slot.tensor = state.at(name).detach();
    if (!slot.is_buffer) slot.tensor->set_requires_grad(requires_grad);
  });
  for (auto& [name, module] : named_modules()) module->on_change();
}

Module& Module::train(bool mode) {
  for (auto& [name, module] : named_modules()) {
    module->training_ = mode;
    module->on_change();
  }
  return *this;
}

void Module::zero_grad() {
  for (auto& [name, tensor] : named_parameters()) tensor.set_grad({});
}

Module& Module::requires_grad_(bool value) {
  for (auto& [name, tensor] : named_parameters()) tensor.set_requires_grad(value);
  for (auto& [name, module] : named_modules()) module->on_change();
  return *this;
}

Module& Module::to(Dtype dtype) {
  std::map<const TensorImpl*, Tensor> converted;  // tied tensors stay tied
  visit("", [&](const std::string&, const Slot& slot) {
    if (!is_floating(slot.tensor->dtype()) || slot.tensor->dtype() == dtype) return;
    Tensor& made = converted[slot.tensor->impl()];
    if (!made.defined()) {
      NoGrad guard;
      made = hearth::to(slot.tensor->detach(), dtype);
      made.set_requires_grad(slot.tensor->requires_grad());
      converted[made.impl()] = made;
    }
    *slot.tensor = made;
  });
  for (auto& [name, module] : named_modules()) module->on_change();
  return *this;
}

}  // namespace hearth::nn
