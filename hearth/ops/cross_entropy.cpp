// Linear cross-entropy: the tokens that have a target, chunk by chunk through the head.
#include "hearth/ops/cross_entropy.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "hearth/backend/kernels/cross_entropy.h"
#include "hearth/backend/kernels/matmul.h"
#include "hearth/core/node.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/low_rank.h"
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
  check<ShapeError>((targets.dim() == 1 || targets.dim() == 2) && targets.size(0) == hidden.size(0), name,
                    ": targets must be [tokens] or [tokens, candidates]: ", targets.shape(), " for hidden ",
                    hidden.shape());
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

/// The tokens that have a target, side by side, and the segments among them; `rows` is undefined when that is all.
struct Active {
  Tensor rows, hidden, targets;
  LoraSegments segments;
};

/// Segments of all rows as segments of the chosen ones (ascending).
LoraSegments among(const std::vector<int64_t>& rows, LoraSegments segments) {
  const auto before = [&](int64_t row) {
    return int64_t(std::lower_bound(rows.begin(), rows.end(), row) - rows.begin());
  };
  for (LoraSegment& s : segments) s.begin = before(s.begin), s.end = before(s.end);
  return segments;
}

/// Several targets a token: all must be there.
Active all_active(const char* name, const Tensor& hidden, const Tensor& targets, int64_t vocab,
                  const LoraSegments& segments) {
  for (int64_t target : to_vector<int64_t>(targets))
    check<IndexError>(target >= 0 && target < vocab, name, ": candidate ", target, " is outside the vocabulary of ",
                      vocab);
  return {{}, contiguous(hidden), contiguous(targets), segments};
}

Active find_active(const char* name, const Tensor& hidden, const Tensor& targets, int64_t vocab,
                   const LoraSegments& segments) {
  if (targets.dim() == 2) return all_active(name, hidden, targets, vocab, segments);
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
  if (rows.size() == all.size()) return {{}, contiguous(hidden), from_values<int64_t>(kept, shape), segments};
  Active active{from_values<int64_t>(rows, shape), {}, from_values<int64_t>(kept, shape), among(rows, segments)};
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

/// Which gradients of {hidden, weight, a, b, a, b, ...} a pass computes.
struct Wanted {
  bool hidden = false, weight = false;
  std::vector<bool> a, b;

  Wanted() = default;
  template <class F>
  Wanted(size_t segments, F&& needs) : hidden(needs(0)), weight(needs(1)) {
    for (size_t i = 0; i < segments; ++i) {
      a.push_back(needs(int(2 + 2 * i)));
      b.push_back(needs(int(3 + 2 * i)));
    }
  }
  bool low_rank() const { return hidden || std::find(a.begin(), a.end(), true) != a.end(); }
};

struct Pass {
  Tensor log_probs, dhidden, dweight;
  TensorList da, db;  ///< by segment

  /// Gradients in the order of the node's inputs, each the way `finished` has it.
  template <class F>
  Grads grads(F&& finished) const {
    Grads out = {finished(dhidden), finished(dweight)};
    for (size_t i = 0; i < da.size(); ++i) {
      out.push_back(finished(da[i]));
      out.push_back(finished(db[i]));
    }
    return out;
  }
};

/// Log-probabilities of the targets [rows] or candidates [rows, k] of logits [rows, vocab]. With coefficients (of the
/// targets' shape), logits become the gradient of sum(coefficient * log_prob).
void take_targets(const Tensor& log_probs, const Tensor& logits, const Tensor& targets, const Tensor& coefficients) {
  if (targets.dim() == 1) {
    kernels::token_log_probs(logits.device(), log_probs, logits, targets, coefficients);
    return;
  }
  copy_(log_probs, gather(log_softmax(to(logits, wide_type(logits)), -1), 1, targets));
  if (!coefficients.defined() || targets.size(1) == 0) return;
  // The kernel gives total * (onehot(first) - softmax); what belongs to the first candidate is taken back.
  const Tensor total = sum(coefficients, {1}), first = narrow(targets, 1, 0, 1);
  kernels::token_log_probs(logits.device(), empty_like(total), logits, contiguous(select(targets, 1, 0)), total);
  scatter_add_(logits, 1, cat({first, targets}, 1),
               to(cat({neg(unsqueeze(total, 1)), coefficients}, 1), logits.dtype()));
}

/// Log-probabilities and, with coefficients (of the active tokens), the gradients of sum(coefficient * log_prob).
Pass run(const char* name, const Active& active, const Head& head, const Tensor& coefficients, const Wanted& want) {
  const Tensor& weight = head.weight;
  const int64_t tokens = active.hidden.size(0), step = chunk_tokens(weight.size(0));
  const LowRank paths(name, active.segments, weight.shape(), tokens);
  Pass pass{Tensor::empty(active.targets.shape(), wide_type(active.hidden), active.hidden.device()), {}, {}, {}, {}};
  const Tensor h = paths.empty() ? Tensor() : paths.down(active.hidden);
  const Tensor dh = want.low_rank() && !paths.empty() ? paths.new_h() : Tensor();
  if (want.hidden) pass.dhidden = empty_like(active.hidden);
  if (want.weight) pass.dweight = zeros(weight.shape(), wide_type(active.hidden), weight.device());
  if (coefficients.defined()) pass.db = paths.new_b_sums(want.b);
  for (int64_t first = 0; first < tokens; first += step) {
    const int64_t count = std::min(step, tokens - first);
    const auto part = [&](const Tensor& x) { return narrow(x, 0, first, count); };
    const Tensor logits = Tensor::empty({count, weight.size(0)}, active.hidden.dtype(), weight.device());
    head.logits(logits, part(active.hidden));
    if (h.defined()) paths.up(logits, h, first);
    take_targets(part(pass.log_probs), logits, part(active.targets),
                 coefficients.defined() ? part(coefficients) : Tensor());
    if (want.hidden) head.dhidden(part(pass.dhidden), logits);
    if (want.weight) product(pass.dweight, transpose(logits, 0, 1), part(active.hidden), true);
    if (dh.defined()) paths.up_backward(dh, logits, first);
    if (!pass.db.empty()) paths.add_b_gradients(pass.db, h, logits, first);
  }
  if (want.hidden && dh.defined()) paths.down_backward(pass.dhidden, dh);
  if (!pass.db.empty())
    pass.da = dh.defined() ? paths.a_gradients(dh, active.hidden, want.a) : TensorList(pass.db.size());
  LowRank::finish_b_gradients(pass.db);
  return pass;
}

/// d sum(g * log_prob) / d logits in plain ops, so that it can be differentiated again. g: as targets.
Tensor composed_dlogits(const Tensor& logits, const Tensor& targets, const Tensor& g) {
  if (targets.dim() == 2) {
    const Tensor same = to(g, logits.dtype());
    return sub(scatter_add(zeros(logits.shape(), logits.dtype()), 1, targets, same),
               mul(softmax(logits, -1), sum(same, {1}, true)));
  }
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

Grads composed_backward(const Tensor& hidden, const Tensor& weight, const LoraSegments& segments, const Tensor& targets,
                        const Tensor& g) {
  const Tensor same = to(weight, hidden.dtype());
  Tensor logits = matmul(hidden, transpose(same, 0, 1));
  if (!segments.empty()) logits = add(logits, composed_low_rank(segments, hidden, weight.size(0)));
  const Tensor dlogits = composed_dlogits(logits, targets, g);
  Grads grads = {matmul(dlogits, same), to(matmul(transpose(dlogits, 0, 1), hidden), weight.dtype())};
  if (segments.empty()) return grads;
  Grads low = composed_low_rank_backward(segments, hidden, dlogits);
  grads[0] = add(grads[0], low[0]);
  grads.insert(grads.end(), low.begin() + 1, low.end());
  return grads;
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

/// What both ops keep for their backward besides gradients.
struct Kept {
  Saved hidden, weight;
  SavedSegments segments;
  Tensor targets;

  Grads composed(const GradContext& c, const Tensor& g) const {
    return composed_backward(hidden.get(c), weight.get(c), segments.get(c), targets, g);
  }
};

void check_segments(const char* name, const Tensor& hidden, const Tensor& weight, const LoraSegments& segments) {
  if (segments.empty()) return;
  check<DtypeError>(hidden.dtype() == Dtype::float32, name, ": low-rank paths need float32 hidden: ", hidden.dtype());
  LowRank(name, segments, weight.shape(), hidden.size(0));
}

Tensor head_log_probs(const Tensor& hidden, const Head& head, const Tensor& targets, const LoraSegments& segments) {
  const Tensor& weight = head.weight;
  constexpr const char* name = "linear_log_probs";
  check_arguments(name, hidden, weight, targets);
  check_segments(name, hidden, weight, segments);
  Tensor log_probs;
  {
    NoGrad guard;
    const Active active = find_active(name, hidden, targets, weight.size(0), segments);
    log_probs = spread(active, run(name, active, head, {}, {}).log_probs, hidden.size(0));
  }
  if (!needs_grad(hidden, weight) && !needs_grad(segments)) return log_probs;
  return record(name, log_probs, with_segments({hidden, weight}, segments),
                [kept = Kept{save(hidden), save(weight), SavedSegments(segments), clone(targets)},
                 packed = kept_pack(head)](const GradContext& c) -> Grads {
                  if (grad_enabled()) return kept.composed(c, c.dy());
                  const Tensor hidden = kept.hidden.get(c), weight = kept.weight.get(c);
                  const LoraSegments segments = kept.segments.get(c);
                  const Active active = find_active(name, hidden, kept.targets, weight.size(0), segments);
                  const Wanted want(segments.size(), [&](int i) { return c.needs(i); });
                  Pass pass = run(name, active, {weight, packed ? &*packed : nullptr}, selected(active, c.dy()), want);
                  if (want.hidden) pass.dhidden = spread(active, pass.dhidden, hidden.size(0));
                  if (want.weight) pass.dweight = to(pass.dweight, weight.dtype());
                  return pass.grads([](const Tensor& x) { return x; });
                });
}

/// Weights of the tokens, checked; ones when there are none.
Tensor loss_factors(const char* name, const Tensor& hidden, const Tensor& targets, const Tensor& token_weights) {
  const Tensor factors =
      token_weights.defined() ? token_weights.detach() : ones(targets.shape(), wide_type(hidden), hidden.device());
  check<ShapeError>(factors.shape() == targets.shape(), name, ": one weight per target is needed: ", factors.shape(),
                    " for targets ", targets.shape());
  check<DtypeError>(factors.dtype() == wide_type(hidden), name, ": token weights must be ", wide_type(hidden), ": ",
                    factors.dtype());
  return factors;
}

CrossEntropy head_cross_entropy(const Tensor& hidden, const Head& head, const Tensor& targets,
                                const Tensor& token_weights, const LoraSegments& segments) {
  const Tensor& weight = head.weight;
  constexpr const char* name = "linear_cross_entropy";
  check_arguments(name, hidden, weight, targets);
  check_segments(name, hidden, weight, segments);
  const Tensor factors = loss_factors(name, hidden, targets, token_weights);
  const bool train = needs_grad(hidden, weight) || needs_grad(segments);
  const TensorList inputs = with_segments({hidden, weight}, segments);
  Pass pass;
  CrossEntropy result;
  {
    NoGrad guard;
    const Active active = find_active(name, hidden, targets, weight.size(0), segments);
    const Wanted want(segments.size(), [&](int i) { return train && inputs[size_t(i)].requires_grad(); });
    pass = run(name, active, head, train ? neg(selected(active, factors)) : Tensor(), want);
    result.log_probs = spread(active, pass.log_probs, hidden.size(0));
    if (pass.dhidden.defined()) pass.dhidden = spread(active, pass.dhidden, hidden.size(0));
    result.loss = weighted_loss(result.log_probs, factors);
  }
  if (!train) return result;
  pass.log_probs = {};
  record(name, result.loss, inputs,
         [kept = Kept{save(hidden), save(weight), SavedSegments(segments), clone(targets)}, factors = clone(factors),
          pass = std::move(pass), weight_type = weight.dtype()](const GradContext& c) -> Grads {
           if (grad_enabled()) return kept.composed(c, neg(mul(factors, c.dy())));
           Grads grads =
               pass.grads([&](const Tensor& x) { return x.defined() ? mul(x, to(c.dy(), x.dtype())) : Tensor(); });
           if (grads[1].defined()) grads[1] = to(grads[1], weight_type);
           return grads;
         });
  return result;
}

}  // namespace

Tensor linear_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                        const LoraSegments& segments) {
  return head_log_probs(hidden, {weight}, targets, segments);
}

Tensor linear_log_probs(const Tensor& hidden, const PackedLinear& head, const Tensor& targets,
                        const LoraSegments& segments) {
  return head_log_probs(hidden, {head.weight(), &head}, targets, segments);
}

CrossEntropy linear_cross_entropy(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                  const Tensor& token_weights, const LoraSegments& segments) {
  return head_cross_entropy(hidden, {weight}, targets, token_weights, segments);
}

CrossEntropy linear_cross_entropy(const Tensor& hidden, const PackedLinear& head, const Tensor& targets,
                                  const Tensor& token_weights, const LoraSegments& segments) {
  return head_cross_entropy(hidden, {head.weight(), &head}, targets, token_weights, segments);
}

}  // namespace hearth
