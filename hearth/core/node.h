// Node: what a tensor remembers about the op that made it; `record` writes it down, autograd/engine runs it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Where a gradient goes: an output of a node, or a leaf tensor, or nowhere.
struct Edge {
  Ref<Node> node;
  uint32_t index = 0;
  Ref<TensorImpl> leaf;
  bool valid() const { return node || leaf; }
};

/// Gradients of a node's inputs, in order; an undefined Tensor stands for zero.
using Grads = TensorList;

/// What a backward formula sees. `dy` is the gradient of the first output; formulas are written with ops, so that
/// running them with grad mode on gives higher derivatives.
struct GradContext {
  const TensorList& dys;
  Node& node;
  const Tensor& dy() const { return dys[0]; }
  /// Whether the gradient of input i is wanted; a formula may leave out what is not.
  bool needs(int i) const;
};

struct OutputInfo {
  Shape shape;
  Dtype dtype = Dtype::float32;
  Device device;
};

/// A tensor hook, kept on the node that made the tensor.
struct OutputHook {
  int64_t id;
  uint32_t output;
  std::function<Tensor(const Tensor&)> run;
};

/// What is called around a node's backward, in the order of registration.
struct NodeHooks {
  /// May replace the gradients of the outputs before backward, and those of the inputs after it.
  std::vector<std::pair<int64_t, std::function<void(TensorList& outputs)>>> before;
  std::vector<std::pair<int64_t, std::function<void(Grads& inputs, const TensorList& outputs)>>> after;
  std::vector<OutputHook> outputs;  ///< tensor hooks
  std::string origin;               ///< in anomaly mode: where the op was called
};

class Node : public RefCounted {
 public:
  explicit Node(const char* name);

  virtual Grads backward(const GradContext& context) = 0;
  /// Drops what was saved for backward; a second backward through this node then raises ValueError.
  virtual void release_saved() = 0;

  const char* name() const { return name_; }
  uint64_t sequence() const { return sequence_; }

  std::vector<Edge> inputs;
  std::vector<OutputInfo> outputs;
  std::unique_ptr<NodeHooks> hooks;  ///< null for nearly every node

  // Which backward is working on this node, and its place there; see autograd/engine.
  std::atomic<const void*> run{nullptr};
  uint32_t place = 0;

  NodeHooks& make_hooks() {
    if (!hooks) hooks = std::make_unique<NodeHooks>();
    return *hooks;
  }

 protected:
  ~Node() override = default;
  /// Deep graphs are freed by a loop, not by recursion.
  void destroy() final;
  /// For a node whose name is its own; `name` must live as long as the node.
  void rename(const char* name) { name_ = name; }

 private:
  const char* name_;
  uint64_t sequence_;
};

/// Geometry of a view inside its base, enough to replay it after the base was written in place.
struct ViewInfo {
  Tensor base;
  uint32_t base_history = 0;  ///< the base's history counter when grad_fn was last derived
};

struct AutogradMeta {
  ~AutogradMeta() {
    if (self) *self = nullptr;
  }

  Tensor grad;
  Ref<Node> grad_fn;
  uint32_t output_index = 0;
  bool requires_grad = false;
  bool retain_grad = false;
  uint32_t history = 0;  ///< bumped when an in-place write gives the tensor another grad_fn
  std::unique_ptr<ViewInfo> view;
  std::shared_ptr<TensorImpl*> self;  ///< null once the tensor is gone; made by retain_grad
  std::vector<std::pair<int64_t, std::function<Tensor(const Tensor&)>>> hooks;           ///< of a leaf
  std::vector<std::pair<int64_t, std::function<void(const Tensor&)>>> accumulate_hooks;  ///< after grad was added to
};

/// True when grad mode is on and some input takes part in differentiation.
inline bool needs_grad(const Tensor& x) { return grad_enabled() && x.defined() && x.requires_grad(); }
template <class... Rest>
inline bool needs_grad(const Tensor& x, const Rest&... rest) {
  return needs_grad(x) || needs_grad(rest...);
}
bool needs_grad(const TensorList& xs);

/// The edge that a consumer of `x` sends its gradient along.
Edge gradient_edge(const Tensor& x);

/// A tensor kept for backward, with its version, which is checked when it is used again. What is kept is an alias of
/// the data plus the edge of its history, never the user's handle: an in-place write gives that handle a new history,
/// and a node that kept it would keep itself alive. Only a leaf that requires grad is kept as it is. An output
/// (`save_output`) is kept without its node and gets it back when it is unpacked.
/// Takes over what is kept for backward, per thread (torch.autograd.graph.saved_tensors_hooks): `pack` is called when a
/// tensor is saved, `unpack` when it is used.
struct SavedHooks {
  std::function<std::shared_ptr<void>(const Tensor&)> pack;
  std::function<Tensor(const std::shared_ptr<void>&)> unpack;
};
struct PackedTensor {
  std::shared_ptr<SavedHooks> hooks;
  std::shared_ptr<void> value;
};
void push_saved_hooks(std::shared_ptr<SavedHooks> hooks);
void pop_saved_hooks();

/// Anomaly mode: every node remembers what `describe_caller` says, and backward refuses NaN. Null switches it off.
using DescribeCaller = std::string (*)();
void set_anomaly_mode(DescribeCaller describe_caller);
bool anomaly_mode();

class Saved {
 public:
  Saved() = default;
  Saved(const Tensor& tensor, bool is_output, uint32_t output_index = 0);

  bool defined() const { return packed_ || tensor_.defined(); }
  /// Raises ValueError when the tensor was written in place since.
  Tensor get(const GradContext& context) const;

 private:
  Tensor tensor_;
  uint32_t version_ = 0;
  uint32_t output_index_ = 0;
  bool is_output_ = false;
  std::shared_ptr<PackedTensor> packed_;  ///< instead of the tensor, when hooks were on
};

inline Saved save(const Tensor& input) { return {input, false}; }
inline Saved save_output(const Tensor& output, uint32_t index = 0) { return {output, true, index}; }

namespace detail {

template <class F>
class LambdaNode final : public Node {
 public:
  LambdaNode(const char* name, F formula) : Node(name), formula_(std::move(formula)) {}
  Grads backward(const GradContext& context) override {
    check<ValueError>(formula_.has_value(), name(),
                      ": backward through a graph that was freed: call backward with retain_graph the first time");
    return (*formula_)(context);
  }
  void release_saved() override { formula_.reset(); }

 private:
  std::optional<F> formula_;
};

void attach(const Ref<Node>& node, const TensorList& inputs, std::initializer_list<Tensor> outputs);
void attach(const Ref<Node>& node, const TensorList& inputs, const TensorList& outputs);

}  // namespace detail

/// Records that `output` came from `inputs` and how to go back. Call it only when needs_grad(inputs...) holds.
/// Example:
///   if (!needs_grad(x)) return y;
///   return record("exp", y, {x}, [y = save_output(y)](const GradContext& c) -> Grads { return {mul(c.dy(), y.get(c))};
///   });
template <class F>
Tensor record(const char* name, const Tensor& output, const TensorList& inputs, F formula) {
  detail::attach(Ref<Node>(new detail::LambdaNode<F>(name, std::move(formula))), inputs, {output});
  return output;
}

/// The same for an op with several outputs; `c.dys[i]` is undefined where output i got no gradient.
template <class F>
void record_many(const char* name, const TensorList& outputs, const TensorList& inputs, F formula) {
  detail::attach(Ref<Node>(new detail::LambdaNode<F>(name, std::move(formula))), inputs, outputs);
}

/// Makes `view` (fresh, no history) a view of x in autograd's eyes: a later in-place write into either reaches the
/// other. Every view op calls it, with grad mode on or off.
void note_view(const Tensor& view, const Tensor& x);

/// Hook for ops/inplace: derives a view's grad_fn again after its base was written. Set once at start-up.
using ReplayView = void (*)(TensorImpl& view);
void set_replay_view(ReplayView replay);

}  // namespace hearth
