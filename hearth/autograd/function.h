// Custom functions: a forward and a backward of one's own, as a struct with two static members.
#pragma once

#include <any>

#include "hearth/core/node.h"

namespace hearth {

/// What a custom function passes from its forward to its backward.
class FunctionContext {
 public:
  /// Keeps tensors for backward; their versions are checked when they are used.
  void save_for_backward(const TensorList& inputs);
  /// The same for outputs of this very function, in the order that forward returns them.
  void save_outputs(const TensorList& outputs);
  TensorList saved() const;

  /// Anything else, by name of one's own type. Example: context.set(scale); double s = context.get<double>();
  void set(std::any value) { value_ = std::move(value); }
  template <class T>
  T get() const {
    return std::any_cast<T>(value_);
  }
  bool needs_input_grad(int i) const { return running_->needs(i); }

 private:
  friend class FunctionRunner;
  std::vector<Saved> saved_;
  std::any value_;
  const GradContext* running_ = nullptr;
};

/// Runs F::forward without recording and attaches F::backward.
/// F has `static TensorList forward(FunctionContext&, const TensorList& inputs)` and
/// `static TensorList backward(FunctionContext&, const TensorList& gradients)`; backward returns one gradient (or an
/// undefined tensor) per input and is itself differentiable when it is written with ops.
/// Example: TensorList y = apply_function<Cube>({x});
class FunctionRunner {
 public:
  using Backward = TensorList (*)(FunctionContext&, const TensorList&);
  static void attach(const char* name, std::shared_ptr<FunctionContext> context, const TensorList& inputs,
                     const TensorList& outputs, Backward backward);
};

template <class F>
TensorList apply_function(const TensorList& inputs, const char* name = "custom function") {
  auto context = std::make_shared<FunctionContext>();
  TensorList outputs;
  {
    NoGrad guard;
    outputs = F::forward(*context, inputs);
  }
  if (needs_grad(inputs)) FunctionRunner::attach(name, std::move(context), inputs, outputs, F::backward);
  return outputs;
}

}  // namespace hearth
