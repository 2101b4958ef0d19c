// Node: recording, saved tensors, views, and freeing deep graphs by a loop.
#include "hearth/core/node.h"

#include <atomic>

namespace hearth {

namespace {

std::atomic<uint64_t> next_sequence{1};
std::atomic<int64_t> next_hook_id{1};
std::atomic<ReplayView> replay_view{nullptr};

/// Nodes whose last reference is gone, waiting for the outermost `destroy` of this thread to delete them.
struct DeletionQueue {
  std::vector<Node*> nodes;
  bool draining = false;
};
thread_local DeletionQueue deletion_queue;

thread_local std::vector<std::shared_ptr<SavedHooks>> saved_hooks;
std::atomic<DescribeCaller> describe_caller{nullptr};

}  // namespace

void push_saved_hooks(std::shared_ptr<SavedHooks> hooks) { saved_hooks.push_back(std::move(hooks)); }
void pop_saved_hooks() { saved_hooks.pop_back(); }
void set_anomaly_mode(DescribeCaller describe) { describe_caller.store(describe); }
bool anomaly_mode() { return describe_caller.load(std::memory_order_relaxed) != nullptr; }

Node::Node(const char* name) : name_(name), sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)) {
  if (const DescribeCaller describe = describe_caller.load(std::memory_order_relaxed)) [[unlikely]]
    make_hooks().origin = describe();
}

void Node::destroy() {
  deletion_queue.nodes.push_back(this);
  if (deletion_queue.draining) return;
  deletion_queue.draining = true;
  while (!deletion_queue.nodes.empty()) {
    Node* node = deletion_queue.nodes.back();
    deletion_queue.nodes.pop_back();
    delete node;
  }
  deletion_queue.draining = false;
}

bool GradContext::needs(int i) const { return node.inputs[size_t(i)].valid(); }

bool needs_grad(const TensorList& xs) {
  if (!grad_enabled()) return false;
  for (const Tensor& x : xs)
    if (x.defined() && x.requires_grad()) return true;
  return false;
}

Edge gradient_edge(const Tensor& x) {
  Edge edge;
  if (!x.defined() || !x.requires_grad()) return edge;
  edge.node = x.grad_fn();
  if (edge.node)
    edge.index = x.impl()->meta->output_index;
  else
    edge.leaf = x.ref();
  return edge;
}

Saved::Saved(const Tensor& tensor, bool is_output, uint32_t output_index)
    : output_index_(output_index), is_output_(is_output) {
  if (!tensor.defined()) return;
  version_ = tensor.version();
  if (!saved_hooks.empty()) [[unlikely]] {
    const std::shared_ptr<SavedHooks> hooks = saved_hooks.back();
    packed_ = std::make_shared<PackedTensor>(PackedTensor{hooks, hooks->pack(is_output ? tensor.detach() : tensor)});
    return;
  }
  const AutogradMeta* meta = tensor.impl()->meta.get();
  const Ref<Node> node = is_output ? nullptr : tensor.grad_fn();
  if (!is_output && meta && meta->requires_grad && !node) {
    tensor_ = tensor;
    return;
  }
  tensor_ = tensor.detach();
  if (!node) return;
  AutogradMeta& kept = tensor_.impl()->autograd();
  kept.grad_fn = node;
  kept.output_index = meta->output_index;
}

Tensor Saved::get(const GradContext& context) const {
  if (!defined()) return tensor_;
  if (!packed_ && tensor_.version() != version_)
    fail<ValueError>(context.node.name(), ": a tensor needed for backward was written in place: shape ",
                     tensor_.shape(), " is at version ", tensor_.version(), ", expected ", version_);
  const Tensor kept = packed_ ? packed_->hooks->unpack(packed_->value) : tensor_;
  if (!is_output_) return kept;
  Tensor output = kept.detach();
  AutogradMeta& meta = output.impl()->autograd();
  meta.grad_fn = Ref<Node>(&context.node);
  meta.output_index = output_index_;
  return output;
}

namespace detail {

namespace {

template <class Outputs>
void attach_all(const Ref<Node>& node, const TensorList& inputs, const Outputs& outputs) {
  node->inputs.reserve(inputs.size());
  for (const Tensor& input : inputs) node->inputs.push_back(gradient_edge(input));
  uint32_t index = 0;
  for (const Tensor& output : outputs) {
    node->outputs.push_back({output.shape(), output.dtype(), output.device()});
    if (is_differentiable(output.dtype())) {
      AutogradMeta& meta = output.impl()->autograd();
      meta.grad_fn = node;
      meta.output_index = index;
      if (meta.view) meta.view->base_history = meta.view->base.impl()->meta->history;
    }
    ++index;
  }
}

}  // namespace

void attach(const Ref<Node>& node, const TensorList& inputs, std::initializer_list<Tensor> outputs) {
  attach_all(node, inputs, outputs);
}
void attach(const Ref<Node>& node, const TensorList& inputs, const TensorList& outputs) {
  attach_all(node, inputs, outputs);
}

}  // namespace detail

void note_view(const Tensor& view, const Tensor& x) {
  AutogradMeta& source = x.impl()->autograd();
  Tensor base = source.view ? source.view->base : x;
  AutogradMeta& meta = view.impl()->autograd();
  meta.view = std::make_unique<ViewInfo>();
  meta.view->base_history = base.impl()->autograd().history;
  meta.view->base = std::move(base);
}

void set_replay_view(ReplayView replay) { replay_view.store(replay); }

namespace {

/// After an in-place write into its base, a view's history is a new view of the base's new history.
void refresh_view(TensorImpl& impl) {
  if (!impl.meta || !impl.meta->view) return;
  const AutogradMeta* base = impl.meta->view->base.impl()->meta.get();
  if (base->history == impl.meta->view->base_history) return;
  impl.meta->view->base_history = base->history;
  if (ReplayView replay = replay_view.load()) replay(impl);
}

}  // namespace

bool Tensor::requires_grad() const {
  if (!impl_->meta) return false;
  refresh_view(*impl_);
  return impl_->meta->requires_grad || impl_->meta->grad_fn;
}

Ref<Node> Tensor::grad_fn() const {
  if (!impl_->meta) return nullptr;
  refresh_view(*impl_);
  return impl_->meta->grad_fn;
}

const Tensor& Tensor::set_requires_grad(bool value) const {
  check<DtypeError>(!value || is_differentiable(dtype()),
                    "set_requires_grad: only floating and complex tensors have gradients: ", dtype());
  check<ValueError>(is_leaf(), "set_requires_grad: only a leaf can be changed; this tensor comes from ",
                    is_leaf() ? "" : grad_fn()->name(), "; use detach()");
  if (value || impl_->meta) impl_->autograd().requires_grad = value;
  return *this;
}

bool Tensor::is_leaf() const { return !grad_fn(); }
Tensor Tensor::grad() const { return impl_->meta ? impl_->meta->grad : Tensor(); }

void Tensor::set_grad(const Tensor& grad) const {
  check<ShapeError>(!grad.defined() || grad.shape() == shape(), "set_grad: shape differs: gradient ",
                    grad.defined() ? grad.shape() : Shape{}, ", tensor ", shape());
  impl_->autograd().grad = grad;
}

void Tensor::retain_grad() const {
  check<ValueError>(requires_grad(), "retain_grad: tensor does not require grad: shape ", shape());
  const Ref<Node> node = grad_fn();
  if (!node || impl_->meta->retain_grad) return;
  impl_->meta->retain_grad = true;
  // The hook must not own the tensor, which owns the node, which owns the hook.
  if (!impl_->meta->self) impl_->meta->self = std::make_shared<TensorImpl*>(impl_.get());
  register_hook([self = impl_->meta->self](const Tensor& g) {
    if (*self) (*self)->autograd().grad = g;
    return Tensor();
  });
}

int64_t Tensor::register_hook(std::function<Tensor(const Tensor&)> hook) const {
  check<ValueError>(requires_grad(), "register_hook: tensor does not require grad: shape ", shape());
  const int64_t id = next_hook_id++;
  if (const Ref<Node> node = grad_fn()) {
    node->make_hooks().outputs.push_back({id, impl_->meta->output_index, std::move(hook)});
  } else {
    impl_->autograd().hooks.emplace_back(id, std::move(hook));
  }
  return id;
}

void Tensor::remove_hook(int64_t id) const {
  if (!impl_->meta) return;
  std::erase_if(impl_->meta->hooks, [id](const auto& entry) { return entry.first == id; });
  if (const Ref<Node> node = grad_fn(); node && node->hooks)
    std::erase_if(node->hooks->outputs, [id](const OutputHook& hook) { return hook.id == id; });
}

}  // namespace hearth
