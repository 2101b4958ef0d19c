// Linear cross-entropy: the tokens that have a target, chunk by chunk through the head.
#include "hearth/ops/cross_entropy.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "hearth/backend/kernels/cross_entropy.h"
#include "hearth/backend/kernels/matmul.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"

namespace hearth {
namespace {

/// Logits of a chunk: at most 128 MB of float32 (but 16 rows always). A product reads the whole head once a chunk, so
/// small chunks of large vocabularies would wait for memory.
int64_t chunk_tokens(int64_t vocab) { return std::clamp<int64_t>((int64_t(32) << 20) / vocab / 16 * 16, 16, 1024); }

/// out = a b, or out += a b; matrices.
void product(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate = false) {
  kernels::matmul(out.device(), unsqueeze(out, 0), unsqueeze(a, 0), unsqueeze(b, 0), accumulate);
}

Dtype wide_type(const Tensor& hidden) { return hidden.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32; }

void check_arguments(const char* name, const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  check<ShapeError>(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1), name,
                    ": hidden must be [tokens, dim], weight [vocab, dim]: ", hidden.shape(), " and ", weight.shape());
  check<ShapeError>(targets.dim() == 1 && targets.size(0) == hidden.size(0), name,
                    ": one target per token is needed: ", targets.shape(), " for hidden ", hidden.shape());
  const bool mixed =
      hidden.dtype() == Dtype::float32 && is_floating(weight.dtype()) && weight.dtype() != Dtype::float64;
  check<DtypeError>(is_floating(hidden.dtype()) && (hidden.dtype() == weight.dtype() || mixed), name,
                    ": hidden and weight must have one floating dtype, or hidden be float32 and weight 16 bits: ",
                    hidden.dtype(), " and ", weight.dtype());
  check<DtypeError>(targets.dtype() == Dtype::int64, name, ": targets must be int64: ", targets.dtype());
  check<DeviceError>(hidden.device() == weight.device() && hidden.device() == targets.device(), name,
                     ": operands are on different devices: ", hidden.device(), ", ", weight.device(), ", ",
                     targets.device());
}

/// The tokens that have a target, side by side; `rows` is undefined when that is all of them.
struct Active {
  Tensor rows, hidden, targets;
};

Active find_active(const char* name, const Tensor& hidden, const Tensor& targets, int64_t vocab) {
  const std::vector<int64_t> all = to_vector<int64_t>(targets);
  std::vector<int64_t> rows, kept;
  for (size_t t = 0; t < all.size(); ++t) {
    if (all[t] == ignored_token) continue;
    check<IndexError>(all[t] >= 0 && all[t] < vocab, name, ": target ", all[t], " of token ", t,
                      " is outside the vocabulary of ", vocab);
    rows.push_back(int64_t(t));
    kept.push_back(all[t]);
  }
  const Shape shape = {int64_t(rows.size())};
  if (rows.size() == all.size()) return {{}, contiguous(hidden), from_values<int64_t>(kept, shape)};
  Active active{from_values<int64_t>(rows, shape), {}, from_values<int64_t>(kept, shape)};
  active.hidden = index_select(hidden, 0, active.rows);
  return active;
}

/// Back to all tokens, zeros where there is no target.
Tensor spread(const Active& active, const Tensor& x, int64_t tokens) {
  if (!active.rows.defined()) return x;
  Shape shape = x.shape();
  shape[0] = tokens;
  return index_copy(zeros(shape, x.dtype(), x.device()), 0, active.rows, x);
}

/// The output layer: a weight, and its packed form where there is one.
struct Head {
  Tensor weight;
  const PackedLinear* packed = nullptr;

  void logits(const Tensor& out, const Tensor& hidden) const {
    packed ? packed->forward(out, hidden) : product(out, hidden, transpose(weight, 0, 1));
  }
  void dhidden(const Tensor& out, const Tensor& dlogits) const {
    packed ? packed->backward(out, dlogits) : product(out, dlogits, weight);
  }
};

struct Pass {
  Tensor log_probs, dhidden, dweight;
};

/// Log-probabilities and, with coefficients (of the active tokens), the gradients of sum(coefficient * log_prob).
Pass run(const Active& active, const Head& head, const Tensor& coefficients, bool need_hidden, bool need_weight) {
  const Tensor& weight = head.weight;
  const int64_t tokens = active.hidden.size(0), step = chunk_tokens(weight.size(0));
  Pass pass{Tensor::empty({tokens}, wide_type(active.hidden), active.hidden.device()), {}, {}};
  if (need_hidden) pass.dhidden = empty_like(active.hidden);
  if (need_weight) pass.dweight = zeros(weight.shape(), wide_type(active.hidden), weight.device());
  for (int64_t first = 0; first < tokens; first += step) {
    const int64_t count = std::min(step, tokens - first);
    const auto part = [&](const Tensor& x) { return narrow(x, 0, first, count); };
    const Tensor logits = Tensor::empty({count, weight.size(0)}, active.hidden.dtype(), weight.device());
    head.logits(logits, part(active.hidden));
    kernels::token_log_probs(logits.device(), part(pass.log_probs), logits, part(active.targets),
                             coefficients.defined() ? part(coefficients) : Tensor());
    if (need_hidden) head.dhidden(part(pass.dhidden), logits);
    if (need_weight) product(pass.dweight, transpose(logits, 0, 1), part(active.hidden), true);
  }
  return pass;
}

/// d sum(g * log_prob) / d logits in plain ops, so that it can be differentiated again. g: [tokens].
Tensor composed_dlogits(const Tensor& logits, const Tensor& targets, const Tensor& g) {
  const Tensor onehot = zeros(logits.shape(), logits.dtype());
  const Tensor active = zeros({logits.size(0), 1}, logits.dtype());
  const std::vector<int64_t> target = to_vector<int64_t>(targets);
  for (size_t t = 0; t < target.size(); ++t)
    if (target[t] != ignored_token) {
      fill_(narrow(narrow(onehot, 0, int64_t(t), 1), 1, target[t], 1), 1);
      fill_(narrow(active, 0, int64_t(t), 1), 1);
    }
  return mul(sub(onehot, softmax(logits, -1)), mul(unsqueeze(to(g, logits.dtype()), 1), active));
}

Grads composed_backward(const Tensor& hidden, const Tensor& weight, const Tensor& targets, const Tensor& g) {
  const Tensor same = to(weight, hidden.dtype());
  const Tensor dlogits = composed_dlogits(matmul(hidden, transpose(same, 0, 1)), targets, g);
  return {matmul(dlogits, same), to(matmul(transpose(dlogits, 0, 1), hidden), weight.dtype())};
}

Tensor selected(const Active& active, const Tensor& x) {
  return active.rows.defined() ? index_select(x, 0, active.rows) : contiguous(x);
}

/// -sum(weight * log_prob) in double, in the order of the tokens.
Tensor weighted_loss(const Tensor& log_probs, const Tensor& token_weights) {
  const std::vector<double> l = to_vector<double>(log_probs);
  const std::vector<double> w = token_weights.defined() ? to_vector<double>(token_weights) : std::vector<double>();
  double total = 0;
  for (size_t t = 0; t < l.size(); ++t) total -= w.empty() ? l[t] : w[t] * l[t];
  return scalar_tensor(total, log_probs.dtype());
}

}  // namespace

Tensor token_log_probs(const Tensor& logits, const Tensor& targets) {
  constexpr const char* name = "token_log_probs";
  check<ShapeError>(logits.dim() == 2 && targets.dim() == 1 && targets.size(0) == logits.size(0), name,
                    ": logits must be [tokens, vocab], targets [tokens]: ", logits.shape(), " and ", targets.shape());
  check<DtypeError>(is_floating(logits.dtype()) && targets.dtype() == Dtype::int64, name,
                    ": logits must be floating, targets int64: ", logits.dtype(), " and ", targets.dtype());
  for (int64_t target : to_vector<int64_t>(targets))
    check<IndexError>(target == ignored_token || (target >= 0 && target < logits.size(1)), name, ": target ", target,
                      " is outside the vocabulary of ", logits.size(1));
  const Tensor log_probs = Tensor::empty(targets.shape(), wide_type(logits), logits.device());
  const Tensor kept = contiguous(targets.detach());
  {
    NoGrad guard;
    kernels::token_log_probs(logits.device(), log_probs, contiguous(logits), kept, {});
  }
  if (!needs_grad(logits)) return log_probs;
  return record(name, log_probs, {logits}, [logits = save(logits), kept](const GradContext& c) -> Grads {
    const Tensor x = logits.get(c);
    if (grad_enabled()) return {composed_dlogits(x, kept, c.dy())};
    const Tensor dlogits = clone(x);
    kernels::token_log_probs(x.device(), empty_like(c.dy()), dlogits, kept, contiguous(c.dy()));
    return {dlogits};
  });
}

namespace {

/// A copy of the packed head (shared content) for a closure, or none.
std::optional<PackedLinear> kept_pack(const Head& head) {
  return head.packed ? std::optional<PackedLinear>(*head.packed) : std::nullopt;
}

Tensor head_log_probs(const Tensor& hidden, const Head& head, const Tensor& targets) {
  const Tensor& weight = head.weight;
  constexpr const char* name = "linear_log_probs";
  check_arguments(name, hidden, weight, targets);
  Tensor log_probs;
  {
    NoGrad guard;
    const Active active = find_active(name, hidden, targets, weight.size(0));
    log_probs = spread(active, run(active, head, {}, false, false).log_probs, hidden.size(0));
  }
  if (!needs_grad(hidden, weight)) return log_probs;
  return record(name, log_probs, {hidden, weight},
                [hidden = save(hidden), weight = save(weight), targets = clone(targets),
                 packed = kept_pack(head)](const GradContext& c) -> Grads {
                  const Tensor h = hidden.get(c), w = weight.get(c);
                  if (grad_enabled()) return composed_backward(h, w, targets, c.dy());
                  const Active active = find_active("linear_log_probs", h, targets, w.size(0));
                  const Pass pass =
                      run(active, {w, packed ? &*packed : nullptr}, selected(active, c.dy()), c.needs(0), c.needs(1));
                  return {c.needs(0) ? spread(active, pass.dhidden, h.size(0)) : Tensor(),
                          c.needs(1) ? to(pass.dweight, w.dtype()) : Tensor()};
                });
}

CrossEntropy head_cross_entropy(const Tensor& hidden, const Head& head, const Tensor& targets,
                                const Tensor& token_weights) {
  const Tensor& weight = head.weight;
  constexpr const char* name = "linear_cross_entropy";
  check_arguments(name, hidden, weight, targets);
  const Tensor factors =
      token_weights.defined() ? token_weights.detach() : ones({hidden.size(0)}, wide_type(hidden), hidden.device());
  check<ShapeError>(factors.shape() == targets.shape(), name, ": one weight per token is needed: ", factors.shape(),
                    " for hidden ", hidden.shape());
  check<DtypeError>(factors.dtype() == wide_type(hidden), name, ": token weights must be ", wide_type(hidden), ": ",
                    factors.dtype());
  const bool train = needs_grad(hidden, weight);
  Pass pass;
  CrossEntropy result;
  {
    NoGrad guard;
    const Active active = find_active(name, hidden, targets, weight.size(0));
    pass = run(active, head, train ? neg(selected(active, factors)) : Tensor(), train && hidden.requires_grad(),
               train && weight.requires_grad());
    result.log_probs = spread(active, pass.log_probs, hidden.size(0));
    if (pass.dhidden.defined()) pass.dhidden = spread(active, pass.dhidden, hidden.size(0));
    result.loss = weighted_loss(result.log_probs, factors);
  }
  if (!train) return result;
  record(name, result.loss, {hidden, weight},
         [hidden = save(hidden), weight = save(weight), targets = clone(targets), factors = clone(factors),
          dhidden = pass.dhidden, dweight = pass.dweight, hidden_type = hidden.dtype(),
          weight_type = weight.dtype()](const GradContext& c) -> Grads {
           if (grad_enabled())
             return composed_backward(hidden.get(c), weight.get(c), targets, neg(mul(factors, c.dy())));
           const auto scaled = [&](const Tensor& x, Dtype dtype) {
             return x.defined() ? to(mul(x, to(c.dy(), x.dtype())), dtype) : Tensor();
           };
           return {scaled(dhidden, hidden_type), scaled(dweight, weight_type)};
         });
  return result;
}

}  // namespace

Tensor linear_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  return head_log_probs(hidden, {weight}, targets);
}

Tensor linear_log_probs(const Tensor& hidden, const PackedLinear& head, const Tensor& targets) {
  return head_log_probs(hidden, {head.weight(), &head}, targets);
}

CrossEntropy linear_cross_entropy(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                  const Tensor& token_weights) {
  return head_cross_entropy(hidden, {weight}, targets, token_weights);
}

CrossEntropy linear_cross_entropy(const Tensor& hidden, const PackedLinear& head, const Tensor& targets,
                                  const Tensor& token_weights) {
  return head_cross_entropy(hidden, {head.weight(), &head}, targets, token_weights);
}

}  // namespace hearth
