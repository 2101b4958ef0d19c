// Optimizer: the base of all update rules: parameters in groups, their state by name.
#pragma once

#include <optional>
#include <string_view>

#include "hearth/core/state_dict.h"

namespace hearth::optim {

/// Parameters that share a learning rate and a weight decay.
struct ParamGroup {
  TensorList params;
  double lr = 1e-3;
  double weight_decay = 0;
};

/// State is kept in float32 (float64 for float64 parameters), by the parameter's number over all groups; a bfloat16 or
/// float16 parameter is updated in float32 and rounded once.
class Optimizer {
 public:
  /// Raises ValueError for no parameters, a parameter that is no leaf or is listed twice, a negative rate or decay;
  /// DtypeError for an integral parameter.
  explicit Optimizer(std::vector<ParamGroup> groups);
  virtual ~Optimizer() = default;

  /// Updates every parameter that has a gradient. Raises ShapeError when the gradient's shape differs.
  void step();
  void zero_grad();
  std::vector<ParamGroup>& groups() { return groups_; }
  const std::vector<ParamGroup>& groups() const { return groups_; }
  /// Sets the learning rate of every group.
  void set_lr(double lr);
  double lr() const { return groups_.front().lr; }

  /// "0.exp_avg", "0.step", ... and "lr.0", "weight_decay.0" of each group; shares memory with the optimizer.
  StateDict state_dict() const;
  /// Makes this optimizer's state what was saved. Raises ValueError for a name that is missing or unknown, ShapeError
  /// for a shape that does not fit; nothing is changed then.
  void load_state_dict(const StateDict& state);

 protected:
  /// A parameter that has a gradient, and its number.
  struct Ready {
    size_t number;
    const Tensor& param;
    Tensor grad;
  };
  /// Updates parameters of one group, with grad mode off; `step_of` counts this step already.
  virtual void step_group(const ParamGroup& group, const std::vector<Ready>& ready) = 0;
  /// The shape of a parameter's state tensor; nothing when the rule has no state of that name.
  virtual std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const;

  /// A state tensor of parameter number i, made on first use and filled with `initial`.
  Tensor& state(size_t i, const char* name, double initial = 0);
  /// The number of steps that parameter number i has taken.
  int64_t& step_of(size_t i) { return states_[i].step; }

  std::vector<ParamGroup> groups_;

 private:
  struct ParamState {
    int64_t step = 0;
    std::map<std::string, Tensor> tensors;
  };
  const Tensor& param(size_t i) const;
  void check_state_dict(const StateDict& state) const;

  std::vector<ParamState> states_;
};

/// A rule that is written with ops, one parameter after the other. One of one's own states `updated` and, if it keeps
/// state, `state_shape`.
/// Example:
///   struct SignDescent : optim::ComposedOptimizer {
///     using ComposedOptimizer::ComposedOptimizer;
///     Tensor updated(size_t, const optim::ParamGroup& group, const Tensor& p, const Tensor& g) override {
///       return p - sign(g) * group.lr;
///     }
///   };
class ComposedOptimizer : public Optimizer {
 public:
  using Optimizer::Optimizer;

 protected:
  /// The new value of parameter number i, from its value and gradient in the state's dtype.
  virtual Tensor updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) = 0;
  void step_group(const ParamGroup& group, const std::vector<Ready>& ready) final;
};

/// The dtype that the state of a parameter is kept in.
inline Dtype state_dtype(const Tensor& p) { return p.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32; }

}  // namespace hearth::optim
