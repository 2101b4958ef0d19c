// Forward and backward of many requests to LoRA trainers, unit by unit.
#include <algorithm>
#include <cmath>
#include <deque>
#include <tuple>

#include "hearth/autograd/engine.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/optim_step.h"
#include "llm/tune/lora_trainer_state.h"

namespace hearth::llm {

namespace {

/// Tokens that are in flight at once, and rows of the output layer that are computed at once.
constexpr int64_t pass_tokens = 2048, head_rows = 8192;

/// A request while it is computed.
struct Running {
  PassRequest request;
  std::unique_ptr<TokenLoss> loss;
  LossSums sums;
  std::vector<std::vector<float>> log_probs;
  TensorList gradient;  ///< the trainer's and what was added so far
  bool begun = false;   ///< `gradient` is set
  size_t units_left = 0;
  std::exception_ptr error;
};

/// Datums [first, last) of a request, computed as one.
struct Unit {
  Running* running;
  size_t first, last;
  int64_t tokens = 0;
};

/// The adapter's own memory under new leaves, so that a unit's gradient is its own.
std::unique_ptr<LoraAdapter> alias_of(const LoraAdapter& adapter, bool with_gradient) {
  std::vector<LoraWeights> weights(adapter.layers().size());
  for (size_t i = 0; i < weights.size(); ++i)
    if (const LoraWeights* w = adapter.at(i)) weights[i] = {w->a.detach(), w->b.detach(), w->scale};
  auto alias = std::make_unique<LoraAdapter>(adapter.config(), adapter.layers(), std::move(weights));
  if (with_gradient) alias->requires_grad_(true);
  return alias;
}

LossInputs inputs_of(const TrainDatum& datum, const TokenLoss& loss, std::span<const float> log_probs) {
  LossInputs in;
  in.log_probs = log_probs;
  for (const auto& names : {loss.required(), loss.optional()})
    for (std::string_view name : names)
      if (const auto at = datum.inputs.find(std::string(name)); at != datum.inputs.end())
        *find_input(in, name) = at->second;
  return in;
}

template <class T>
Tensor vector_of(const std::vector<T>& values) {
  return from_values<T>(std::span<const T>(values), {int64_t(values.size())});
}

std::exception_ptr loss_not_finite(size_t datum, double loss) {
  try {
    fail<ValueError>("forward_backward: datum ", datum, ": the loss is not finite: ", loss);
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

/// Units that are computed in one pass. All of one base, and all with gradient or all without.
class RequestPass {
 public:
  RequestPass(std::span<const Unit> units) : units_(units), train_(!units[0].running->request.forward_only) {}

  /// Adds losses to the units' requests and gradients to those that want them.
  void run() {
    GradMode mode(train_);
    lay_out();
    hidden_ = base().hidden(pack(sequences_), adapters_of(token_ends_, 0, token_rows_));
    // Coefficients that are known beforehand are taken in the very pass that computes log-probabilities; targets
    // without one, or with one that depends on the log-probability, come first.
    for (const Unit& unit : units_)
      if (train_ && unit.running->loss->gradient_is_fixed()) add_losses(unit, true);
    compute_log_probs();
    for (const Unit& unit : units_)
      if (!train_ || !unit.running->loss->gradient_is_fixed()) add_losses(unit, false);
    if (!train_) return;
    const TensorList losses = compute_coefficients();
    for (const Unit& unit : units_)
      if (unit.running->loss->gradient_is_fixed()) add_losses(unit, false);
    hidden_ = {};
    if (!losses.empty()) backward(losses, TensorList(losses.size()));
    for (size_t u = 0; u < units_.size(); ++u) take_gradient(u);
  }

 private:
  static LoraTrainer::State& state(const Running& r) { return *r.request.trainer->state_; }
  const CausalLm& base() const { return *state(*units_[0].running).base; }

  void lay_out() {
    for (const Unit& unit : units_) {
      aliases_.push_back(alias_of(*state(*unit.running).adapter, train_));
      const auto& data = *unit.running->request.data;
      first_targets_.push_back(targets_.size());
      for (size_t i = unit.first; i < unit.last; ++i) {
        const TrainDatum& datum = data[i];
        for (size_t e = 0; e < datum.targets.size(); ++e) {
          rows_.push_back(int64_t(token_rows_) + int64_t(e) / datum.targets_per_token);
          targets_.push_back(datum.targets[e]);
        }
        token_rows_ += datum.tokens.size();
        sequences_.push_back(datum.tokens);
      }
      token_ends_.push_back(token_rows_);
      target_ends_.push_back(targets_.size());
    }
    coefficients_.resize(targets_.size());
    log_probs_.resize(targets_.size());
  }

  /// Which adapter changes which of `count` rows from `first` on, when unit u's rows end at ends[u].
  RowAdapters adapters_of(const std::vector<size_t>& ends, size_t first, size_t count) const {
    std::vector<AdapterRows> ranges;
    size_t begin = first;
    for (size_t u = 0; u < ends.size(); ++u) {
      const size_t end = std::min(ends[u], first + count);
      if (end <= begin) continue;
      ranges.push_back({aliases_[u].get(), int64_t(begin - first), int64_t(end - first)});
      begin = end;
    }
    return RowAdapters(std::move(ranges));
  }

  /// Some targets of the pass that go through the output layer together.
  struct Chosen {
    std::vector<size_t> which;
    std::vector<int64_t> rows, targets;
    std::vector<float> weights;
    RowAdapters adapters;
  };

  /// The targets with a coefficient, or those without, in chunks.
  std::vector<Chosen> choose(bool with_coefficient) const {
    std::vector<Chosen> chunks;
    std::vector<size_t> which, ends;
    size_t at = 0;
    for (size_t end : target_ends_) {
      for (; at < end; ++at)
        if ((coefficients_[at] != 0) == with_coefficient) which.push_back(at);
      ends.push_back(which.size());
    }
    for (size_t first = 0; first < which.size(); first += head_rows) {
      Chosen& c = chunks.emplace_back();
      const size_t count = std::min<size_t>(head_rows, which.size() - first);
      c.which.assign(which.begin() + ptrdiff_t(first), which.begin() + ptrdiff_t(first + count));
      for (size_t e : c.which) {
        c.rows.push_back(rows_[e]);
        c.targets.push_back(targets_[e]);
        c.weights.push_back(-coefficients_[e]);
      }
      c.adapters = adapters_of(ends, first, count);
    }
    return chunks;
  }

  void keep_log_probs(const Chosen& c, const Tensor& log_probs) {
    const std::vector<float> values = to_vector<float>(log_probs);
    for (size_t i = 0; i < values.size(); ++i) log_probs_[c.which[i]] = values[i];
  }

  /// Log-probabilities of targets without a coefficient so far, without history.
  void compute_log_probs() {
    NoGrad guard;
    for (const Chosen& c : choose(false))
      keep_log_probs(c,
                     base().log_probs(index_select(hidden_, 0, vector_of(c.rows)), vector_of(c.targets), c.adapters));
  }

  /// The sums whose gradient is that of the losses.
  TensorList compute_coefficients() {
    TensorList losses;
    for (const Chosen& c : choose(true)) {
      const CrossEntropy result = base().cross_entropy(index_select(hidden_, 0, vector_of(c.rows)),
                                                       vector_of(c.targets), vector_of(c.weights), c.adapters);
      keep_log_probs(c, result.log_probs);
      losses.push_back(result.loss);
    }
    return losses;
  }

  /// Losses and coefficients of a unit; only the latter when log-probabilities are not known yet.
  void add_losses(const Unit& unit, bool only_coefficients) {
    Running& r = *unit.running;
    size_t at = first_targets_[size_t(&unit - units_.data())];
    for (size_t i = unit.first; i < unit.last && !r.error; ++i) {
      const TrainDatum& datum = (*r.request.data)[i];
      const size_t count = datum.targets.size();
      const std::span<const float> log_probs(log_probs_.data() + at, count);
      const std::span<float> gradient(coefficients_.data() + at, count);
      LossSums unused;
      r.loss->add(inputs_of(datum, *r.loss, log_probs), only_coefficients ? unused : r.sums, gradient);
      at += count;
      if (only_coefficients) continue;
      r.log_probs[i].assign(log_probs.begin(), log_probs.end());
      if (!std::isfinite(r.sums.loss)) r.error = loss_not_finite(i, r.sums.loss);
    }
  }

  /// Never throws: the units before are counted already, so that the pass cannot be computed again.
  void take_gradient(size_t u) noexcept {
    Running& r = *units_[u].running;
    if (r.error) return;
    try {
      accumulate(u);
      if (--r.units_left > 0) return;
      const double norm = grad_norm(r.gradient);
      check<ValueError>(std::isfinite(norm), "forward_backward: the gradient is not finite: norm ", norm);
      // Before the next unit, which may be of another request to this trainer.
      state(r).gradient = std::move(r.gradient);
    } catch (...) {
      r.error = std::current_exception();
    }
  }

  void accumulate(size_t u) {
    NoGrad guard;
    Running& r = *units_[u].running;
    if (!r.begun) r.gradient = state(r).gradient;
    r.begun = true;
    bool any = false;
    for (size_t e = first_targets_[u]; e < target_ends_[u]; ++e) any = any || coefficients_[e] != 0;
    const TensorList parameters = aliases_[u]->parameters();
    const bool first = r.gradient.empty();
    if (first) r.gradient.resize(parameters.size());
    for (size_t p = 0; p < parameters.size(); ++p) {
      const Tensor own = any ? parameters[p].grad() : Tensor();
      Tensor& sum = r.gradient[p];
      if (first)
        sum = own.defined() ? own : zeros_like(parameters[p].detach());
      else if (own.defined())
        sum = add(sum, own);
    }
  }

  std::span<const Unit> units_;
  bool train_;
  std::vector<std::unique_ptr<LoraAdapter>> aliases_;
  std::vector<std::vector<int32_t>> sequences_;
  size_t token_rows_ = 0;
  Tensor hidden_;
  // Of each target: the hidden state that it is predicted from, its id, d loss / d log-probability, log-probability.
  std::vector<int64_t> rows_, targets_;
  std::vector<float> coefficients_, log_probs_;
  std::vector<size_t> token_ends_, first_targets_, target_ends_;  ///< of each unit
};

namespace {

Running start(const PassRequest& request) {
  Running r;
  r.request = request;
  try {
    request.trainer->check(*request.data, *request.spec);
    r.loss = make_loss(*request.spec);
    r.log_probs.resize(request.data->size());
  } catch (...) {
    r.error = std::current_exception();
  }
  return r;
}

std::deque<Unit> units_of(std::vector<Running>& running) {
  std::deque<Unit> units;
  for (Running& r : running) {
    if (r.error) continue;
    size_t first = 0;
    for (size_t count : cut_into_units(*r.request.data)) {
      Unit unit{&r, first, first + count, 0};
      for (; first < unit.last; ++first) unit.tokens += int64_t((*r.request.data)[first].tokens.size());
      units.push_back(unit);
      ++r.units_left;
    }
  }
  return units;
}

/// The next units that fit into one pass, in order; those of requests that failed are dropped.
std::vector<Unit> take(std::deque<Unit>& units) {
  std::vector<Unit> group;
  int64_t tokens = 0;
  for (; !units.empty(); units.pop_front()) {
    const Unit& unit = units.front();
    if (unit.running->error) continue;
    if (!group.empty() && (tokens + unit.tokens > pass_tokens ||
                           unit.running->request.forward_only != group[0].running->request.forward_only))
      break;
    group.push_back(unit);
    tokens += unit.tokens;
  }
  return group;
}

void run_group(std::span<const Unit> group) {
  std::vector<std::pair<LossSums, std::exception_ptr>> before;
  for (const Unit& unit : group) before.emplace_back(unit.running->sums, unit.running->error);
  try {
    RequestPass(group).run();
  } catch (...) {
    for (size_t u = group.size(); u-- > 0;) std::tie(group[u].running->sums, group[u].running->error) = before[u];
    if (group.size() == 1) {
      group[0].running->error = std::current_exception();
      return;
    }
    // What one unit cannot do (too much memory, say) must not fail the others.
    for (size_t u = 0; u < group.size(); ++u)
      if (!group[u].running->error) run_group(group.subspan(u, 1));
  }
}

}  // namespace

std::vector<PassOutcome> forward_backward(const std::vector<PassRequest>& requests,
                                          const std::function<void()>& between) {
  for (const PassRequest& request : requests) {
    check<ValueError>(request.trainer && request.data && request.spec, "forward_backward: a request is incomplete");
    check<ValueError>(&request.trainer->base() == &requests[0].trainer->base(),
                      "forward_backward: the requests' bases differ");
  }
  std::vector<Running> running;
  running.reserve(requests.size());
  for (const PassRequest& request : requests) running.push_back(start(request));
  std::deque<Unit> units = units_of(running);
  while (!units.empty()) {
    const std::vector<Unit> group = take(units);
    if (!group.empty()) run_group(group);
    if (between && !units.empty()) between();
  }
  std::vector<PassOutcome> outcomes;
  for (Running& r : running) {
    if (r.error)
      outcomes.emplace_back(r.error);
    else
      outcomes.emplace_back(LossResult{std::move(r.log_probs), r.sums.loss, loss_metrics(r.sums)});
  }
  return outcomes;
}

}  // namespace hearth::llm
