// The backward engine: counts how often each node is reached, then runs nodes whose gradients are complete.
#include "hearth/autograd/engine.h"

#include <queue>
#include <unordered_map>

#include "hearth/core/long_work.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"

namespace hearth {

namespace {

struct Task {
  Node* node;
  int64_t pending = 0;   ///< consumers that have not run yet
  TensorList gradients;  ///< of the node's outputs, so far
};

struct BySequence {
  bool operator()(const Node* a, const Node* b) const { return a->sequence() < b->sequence(); }
};

/// What `grad` asks for: either an output of a node or a leaf.
struct Capture {
  Edge edge;
  Tensor value;
};

class Run {
 public:
  Run(BackwardOptions options, std::vector<Capture>* captures) : options_(options), captures_(captures) {
    if (!captures_) return;
    for (Capture& capture : *captures_) {
      if (capture.edge.node)
        captured_nodes_[capture.edge.node.get()].push_back(&capture);
      else
        captured_leaves_[capture.edge.leaf.get()].push_back(&capture);
    }
  }

  ~Run() {
    for (Task& t : tasks_)
      if (t.node->run.load(std::memory_order_relaxed) == this) t.node->run.store(nullptr, std::memory_order_release);
  }

  void start(const std::vector<Edge>& roots, const TensorList& gradients) {
    count(roots);
    for (size_t i = 0; i < roots.size(); ++i) send(roots[i], gradients[i]);
    for (const Edge& root : roots)
      if (root.node) finish_consumer(root.node.get());
    while (!ready_.empty()) {
      check_interrupt();
      Node* node = ready_.top();
      ready_.pop();
      step(node);
    }
    for (auto& [leaf, gradient] : leaf_gradients_order_) flush_leaf(leaf, gradient);
  }

 private:
  /// The node's task, made when there is none. Another backward may be at work on a node of a shared graph: it then
  /// keeps the place in the node, and this run remembers its own in a map.
  Task& task(Node* node, bool* fresh = nullptr) {
    if (node->run.load(std::memory_order_acquire) == this) return tasks_[node->place];
    if (!shared_.empty())
      if (auto at = shared_.find(node); at != shared_.end()) return tasks_[at->second];
    const void* nobody = nullptr;
    if (node->run.compare_exchange_strong(nobody, this))
      node->place = uint32_t(tasks_.size());
    else
      shared_[node] = uint32_t(tasks_.size());
    if (fresh) *fresh = true;
    Task made{node};
    made.gradients.resize(node->outputs.size());
    tasks_.push_back(std::move(made));
    return tasks_.back();
  }

  /// Walks the graph once without recursion; every node learns how many gradients it has to wait for.
  void count(const std::vector<Edge>& roots) {
    std::vector<Node*> stack;
    const auto reach = [&](Node* node) {
      bool fresh = false;
      ++task(node, &fresh).pending;
      if (fresh) stack.push_back(node);
    };
    for (const Edge& root : roots)
      if (root.node) reach(root.node.get());
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      for (const Edge& edge : node->inputs)
        if (edge.node) reach(edge.node.get());
    }
  }

  void finish_consumer(Node* node) {
    if (--task(node).pending == 0) ready_.push(node);
  }

  static void accumulate(Tensor& total, const Tensor& gradient) {
    total = total.defined() ? add(total, gradient) : gradient;
  }

  void send(const Edge& edge, const Tensor& raw) {
    if (!raw.defined() || !edge.valid()) return;
    // A gradient has its tensor's dtype: what belongs to a real tensor is the real part of a complex gradient.
    const Tensor gradient = to(raw, edge.node ? edge.node->outputs[edge.index].dtype : edge.leaf->dtype);
    if (edge.node) {
      accumulate(task(edge.node.get()).gradients[edge.index], gradient);
    } else if (edge.leaf) {
      auto [at, fresh] = leaf_index_.try_emplace(edge.leaf.get(), leaf_gradients_order_.size());
      if (fresh) leaf_gradients_order_.emplace_back(edge.leaf, Tensor());
      accumulate(leaf_gradients_order_[at->second].second, gradient);
    }
  }

  /// Hooks on a node's outputs, then what `grad` asked for.
  void before(Node* node, TensorList& gradients) {
    if (node->hooks) {
      for (const OutputHook& hook : node->hooks->outputs) {
        Tensor& g = gradients[hook.output];
        if (!g.defined()) continue;
        if (Tensor changed = hook.run(g); changed.defined()) g = changed;
      }
      for (const auto& [id, hook] : node->hooks->before) hook(gradients);
    }
    if (captured_nodes_.empty()) return;
    if (auto at = captured_nodes_.find(node); at != captured_nodes_.end())
      for (Capture* capture : at->second)
        if (gradients[capture->edge.index].defined()) capture->value = gradients[capture->edge.index];
  }

  static void refuse_nan(const Node& node, const Grads& results) {
    for (size_t i = 0; i < results.size(); ++i) {
      if (!results[i].defined() || !is_differentiable(results[i].dtype())) continue;
      const NoGrad guard;
      check<ValueError>(any(isnan(results[i])).item() == 0, node.name(), ": backward returned nan values in its ", i,
                        "th output; the op was called at\n", node.hooks ? node.hooks->origin : "");
    }
  }

  void step(Node* node) {
    TensorList gradients = std::move(task(node).gradients);
    bool any = false;
    for (const Tensor& g : gradients) any = any || g.defined();
    Grads results;
    if (any) {
      before(node, gradients);
      // A node with one output always sees a gradient; formulas of several outputs look for undefined ones.
      results = node->backward(GradContext{gradients, *node});
      check<ValueError>(results.size() == node->inputs.size(), node->name(), ": backward returned ", results.size(),
                        " gradients for ", node->inputs.size(), " inputs");
      if (anomaly_mode()) refuse_nan(*node, results);
      if (node->hooks)
        for (const auto& [id, hook] : node->hooks->after) hook(results, gradients);
      if (!options_.retain_graph && !options_.create_graph) node->release_saved();
    }
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const Edge& edge = node->inputs[i];
      if (any) send(edge, results[i]);
      if (edge.node) finish_consumer(edge.node.get());
    }
  }

  void flush_leaf(const Ref<TensorImpl>& leaf, Tensor gradient) {
    AutogradMeta& meta = leaf->autograd();
    for (auto& [id, hook] : meta.hooks)
      if (Tensor changed = hook(gradient); changed.defined()) gradient = changed;
    if (captures_) {
      if (auto at = captured_leaves_.find(leaf.get()); at != captured_leaves_.end())
        for (Capture* capture : at->second) capture->value = gradient;
      return;
    }
    if (meta.grad.defined()) {
      // Adding in place would change a gradient that the caller may hold when graphs are built.
      if (options_.create_graph)
        meta.grad = add(meta.grad, gradient);
      else
        add_(meta.grad, gradient);
    } else {
      const bool own = gradient.is_contiguous() && gradient.storage()->use_count() == 1;
      meta.grad = options_.create_graph ? gradient : own ? gradient.detach() : clone(gradient.detach());
    }
    for (const auto& [id, hook] : meta.accumulate_hooks) hook(Tensor(leaf));
  }

  BackwardOptions options_;
  std::vector<Capture>* captures_;
  std::unordered_map<Node*, std::vector<Capture*>> captured_nodes_;
  std::unordered_map<TensorImpl*, std::vector<Capture*>> captured_leaves_;
  std::vector<Task> tasks_;
  std::unordered_map<Node*, uint32_t> shared_;  ///< places of nodes that another backward works on
  std::unordered_map<TensorImpl*, size_t> leaf_index_;
  std::vector<std::pair<Ref<TensorImpl>, Tensor>> leaf_gradients_order_;
  std::priority_queue<Node*, std::vector<Node*>, BySequence> ready_;
};

void prepare(const char* op, const TensorList& outputs, const TensorList& gradients, std::vector<Edge>& roots,
             TensorList& starts) {
  check<ValueError>(gradients.empty() || gradients.size() == outputs.size(), op, ": ", outputs.size(), " outputs but ",
                    gradients.size(), " gradients");
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    check<ValueError>(y.requires_grad(), op, ": output does not require grad and has no history: shape ", y.shape());
    roots.push_back(gradient_edge(y));
    Tensor start = gradients.empty() ? Tensor() : gradients[i];
    if (!start.defined()) {
      check<ValueError>(y.numel() == 1, op, ": a gradient must be given for an output of several elements: shape ",
                        y.shape());
      check<DtypeError>(!is_complex(y.dtype()), op, ": a gradient must be given for a complex output: ", y.dtype());
      start = ones_like(y);
    }
    check<ShapeError>(start.shape() == y.shape(), op, ": gradient has shape ", start.shape(), ", output ", y.shape());
    starts.push_back(to(start, y.dtype()));
  }
}

}  // namespace

void backward(const TensorList& outputs, const TensorList& gradients, BackwardOptions options) {
  GradMode mode(options.create_graph);
  std::vector<Edge> roots;
  TensorList starts;
  prepare("backward", outputs, gradients, roots, starts);
  Run(options, nullptr).start(roots, starts);
}

void backward(const Tensor& output, const Tensor& gradient, BackwardOptions options) {
  backward(TensorList{output}, gradient.defined() ? TensorList{gradient} : TensorList{}, options);
}

TensorList grad(const TensorList& outputs, const TensorList& inputs, const TensorList& gradients,
                BackwardOptions options, bool allow_unused) {
  GradMode mode(options.create_graph);
  std::vector<Edge> roots;
  TensorList starts;
  prepare("grad", outputs, gradients, roots, starts);
  std::vector<Capture> captures;
  for (const Tensor& x : inputs) {
    check<ValueError>(x.requires_grad(), "grad: input does not require grad: shape ", x.shape());
    captures.push_back({gradient_edge(x), {}});
  }
  Run(options, &captures).start(roots, starts);
  TensorList result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    check<ValueError>(allow_unused || captures[i].value.defined(), "grad: input ", i,
                      " was not used in the graph; set allow_unused for an undefined gradient");
    result.push_back(captures[i].value);
  }
  return result;
}

}  // namespace hearth
