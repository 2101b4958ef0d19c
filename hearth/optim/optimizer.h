// Optimizer: the base of all update rules: parameters in groups, their state by name.
#pragma once

#include "hearth/core/tensor.h"
#include "hearth/nn/module.h"

namespace hearth::optim {

/// Parameters that share a learning rate and a weight decay.
struct ParamGroup {
  TensorList params;
  double lr = 1e-3;
  double weight_decay = 0;
};

/// State is kept in float32 (float64 for float64 parameters), by the parameter's number over all groups.
class Optimizer {
 public:
  explicit Optimizer(std::vector<ParamGroup> groups);
  virtual ~Optimizer() = default;

  /// Updates every parameter that has a gradient.
  virtual void step() = 0;
  void zero_grad();
  std::vector<ParamGroup>& groups() { return groups_; }
  /// Sets the learning rate of every group.
  void set_lr(double lr);
  double lr() const { return groups_.front().lr; }

  /// "0.exp_avg", "0.step", ... and "lr.0", "weight_decay.0" of each group; shares memory with the optimizer.
  nn::StateDict state_dict() const;
  /// Raises ValueError for a name or shape that does not belong to these parameters.
  void load_state_dict(const nn::StateDict& state);

 protected:
  /// A state tensor of parameter number i, made (zeros, the parameter's shape) on first use.
  Tensor& state(size_t i, const char* name);
  /// The step counter of parameter number i, an int64 scalar.
  int64_t& step_of(size_t i);

  std::vector<ParamGroup> groups_;

 private:
  struct ParamState {
    int64_t step = 0;
    std::map<std::string, Tensor> tensors;
  };
  size_t param_count() const;
  const Tensor& param(size_t i) const;
  std::vector<ParamState> states_;
};

}  // namespace hearth::optim
