// Module: the base of layers and models; knows its parameters, buffers and children by name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hearth/core/state_dict.h"

namespace hearth::nn {

using hearth::NamedTensors;
using hearth::StateDict;

/// Tensors are registered by the address of the member that holds them, so a module cannot be copied or moved.
/// Example:
///   struct Net : nn::Module {
///     nn::Linear first{4, 8}, second{8, 1};
///     Net() { add_module("first", first); add_module("second", second); }
///     Tensor operator()(const Tensor& x) { return second(relu(first(x))); }
///   };
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Parameters of this module and its children, named by their path ("layers.0.weight"), in order of registration.
  /// A tensor that is reachable by two names (tied) is listed once, by the first.
  NamedTensors named_parameters() const;
  TensorList parameters() const;
  NamedTensors named_buffers() const;
  std::vector<std::pair<std::string, Module*>> named_modules();

  /// Parameters and persistent buffers by name, tied ones under each of their names; shares memory with the module.
  StateDict state_dict() const;

  /// Copies values in, or with `assign` takes the given tensors themselves (their dtype too) in place of the module's.
  /// With `strict`, raises ValueError that lists missing and unexpected names; always ShapeError for a shape that
  /// differs.
  void load_state_dict(const StateDict& state, bool strict = true, bool assign = false);

  Module& train(bool mode = true);
  Module& eval() { return train(false); }
  bool is_training() const { return training_; }
  void zero_grad();
  Module& requires_grad_(bool value = true);
  /// Converts floating parameters and buffers.
  Module& to(Dtype dtype);

 protected:
  void add_parameter(std::string name, Tensor& slot);
  void add_buffer(std::string name, Tensor& slot, bool persistent = true);
  void add_module(std::string name, Module& child);
  /// Memory for a parameter, float32 and not yet filled.
  static Tensor new_parameter(const Shape& shape);

 private:
  struct Slot {
    std::string name;
    Tensor* tensor;
    bool is_buffer, persistent;
  };
  using Visit = std::function<void(const std::string& name, const Slot& slot)>;
  void visit(const std::string& prefix, const Visit& visitor) const;
  void collect_modules(const std::string& prefix, std::vector<std::pair<std::string, Module*>>& out);
  /// Called on each module of the tree after its tensors were exchanged or its mode changed.
  virtual void on_change() {}

  std::vector<Slot> slots_;
  std::vector<std::pair<std::string, Module*>> children_;
  bool training_ = true;
};

/// A list of modules of one type, named "0", "1", ...
template <class M>
class ModuleList : public Module {
 public:
  template <class... Args>
  M& append(Args&&... args) {
    items_.push_back(std::make_unique<M>(std::forward<Args>(args)...));
    add_module(std::to_string(items_.size() - 1), *items_.back());
    return *items_.back();
  }
  size_t size() const { return items_.size(); }
  M& operator[](size_t i) { return *items_[i]; }
  const M& operator[](size_t i) const { return *items_[i]; }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }

 private:
  std::vector<std::unique_ptr<M>> items_;
};

}  // namespace hearth::nn
