// Layer: a module that maps one tensor to one tensor, so that it can stand in a Sequential.
#pragma once

#include <tuple>
#include <type_traits>

#include "hearth/nn/module.h"

namespace hearth::nn {

/// Example:
///   struct Square : nn::Layer {
///     Tensor forward(const Tensor& x) const override { return x * x; }
///   };
class Layer : public Module {
 public:
  virtual Tensor forward(const Tensor& x) const = 0;
  Tensor operator()(const Tensor& x) const { return forward(x); }
};

/// How to make a layer, for Sequential, which makes its layers from left to right (C++ would call constructors in
/// parentheses in any order, and then the same seed gives other weights). Example: nn::layer<nn::Linear>(784, 10)
template <class L, class... Args>
auto layer(Args... args) {
  return [args = std::make_tuple(std::move(args)...)]() -> std::unique_ptr<Layer> {
    return std::apply([](const Args&... each) { return std::make_unique<L>(each...); }, args);
  };
}

/// Layers that run one after the other, named "0", "1", ...
/// Example: nn::Sequential net(nn::layer<nn::Linear>(784, 128), nn::layer<nn::ReLU>(), nn::layer<nn::Linear>(128, 10));
class Sequential : public Layer {
 public:
  template <class... Makers>
  requires(std::is_invocable_r_v<std::unique_ptr<Layer>, const Makers&>&&...) explicit Sequential(
      const Makers&... makers) {
    (push_back(makers()), ...);
  }
  /// Adds a layer made of these arguments. Example: net.append<nn::Linear>(128, 10);
  template <class L, class... Args>
  L& append(Args&&... args) {
    auto made = std::make_unique<L>(std::forward<Args>(args)...);
    L& out = *made;
    push_back(std::move(made));
    return out;
  }
  /// Raises ValueError for an empty pointer.
  void push_back(std::unique_ptr<Layer> layer);
  Tensor forward(const Tensor& x) const override;
  size_t size() const { return layers_.size(); }
  Layer& operator[](size_t i) { return *layers_.at(i); }

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

/// Gives back what it gets.
class Identity : public Layer {
 public:
  Tensor forward(const Tensor& x) const override { return x; }
};

/// Merges dimensions start to end into one, by default all but the first.
class Flatten : public Layer {
 public:
  explicit Flatten(int64_t start_dim = 1, int64_t end_dim = -1) : start_(start_dim), end_(end_dim) {}
  Tensor forward(const Tensor& x) const override;

 private:
  int64_t start_, end_;
};

}  // namespace hearth::nn
