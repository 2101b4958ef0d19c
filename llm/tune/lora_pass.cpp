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

/// Targets of a pass, side by side: the hidden state that each is predicted from, and its coefficient in the loss.
struct Entries {
  std::vector<int64_t> rows, targets;
  std::vector<float> coefficients;
  std::vector<size_t> ends;  ///< of each unit's

  void add(int64_t row, int64_t target, float coefficient = 0) {
    rows.push_back(row);
    targets.push_back(target);
    coefficients.push_back(coefficient);
  }
};

template <class T>
Tensor part_of(const std::vector<T>& values, size_t first, size_t count) {
  return from_values<T>(std::span<const T>(values).subspan(first, count), {int64_t(count)});
}

}  // namespace

/// Units that are computed in one pass. All of one base, and all with gradient or all without.
class RequestPass {
 public:
  RequestPass(std::span<const Unit> units) : units_(units) {}

  /// Adds losses to the units' requests and gradients to those that want them.
  void run() {
    const bool train = !units_[0].running->request.forward_only;
    GradMode mode(train);
    lay_out(train);
    hidden_ = base().hidden(pack(sequences_), adapters_of(token_ends_, 0, token_rows_));
    compute_log_probs();
    const Entries entries = compute_losses();
    if (!train) return;
    if (!entries.rows.empty()) backward_through(entries);
    hidden_ = {};
    for (size_t u = 0; u < units_.size(); ++u) take_gradient(u, entries);
  }

 private:
  static LoraTrainer::State& state(const Running& r) { return *r.request.trainer->state_; }
  const CausalLm& base() const { return *state(*units_[0].running).base; }

  void lay_out(bool train) {
    for (const Unit& unit : units_) {
      aliases_.push_back(alias_of(*state(*unit.running).adapter, train));
      const auto& data = *unit.running->request.data;
      for (size_t i = unit.first; i < unit.last; ++i) {
        const TrainDatum& datum = data[i];
        for (size_t e = 0; e < datum.targets.size(); ++e)
          all_.add(int64_t(token_rows_) + int64_t(e) / datum.targets_per_token, datum.targets[e]);
        token_rows_ += datum.tokens.size();
        sequences_.push_back(datum.tokens);
      }
      token_ends_.push_back(token_rows_);
      all_.ends.push_back(all_.rows.size());
    }
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

  /// Log-probabilities of all entries, without history: their coefficients are known only afterwards.
  void compute_log_probs() {
    NoGrad guard;
    const Tensor hidden = hidden_.detach();
    const bool one_each = all_.rows.size() == token_rows_;
    for (size_t first = 0; first < all_.rows.size(); first += head_rows) {
      const size_t count = std::min<size_t>(head_rows, all_.rows.size() - first);
      const Tensor rows =
          one_each && count == all_.rows.size() ? hidden : index_select(hidden, 0, part_of(all_.rows, first, count));
      const std::vector<float> part = to_vector<float>(
          base().log_probs(rows, part_of(all_.targets, first, count), adapters_of(all_.ends, first, count)));
      log_probs_.insert(log_probs_.end(), part.begin(), part.end());
    }
  }

  /// The losses; entries whose coefficient is not zero.
  Entries compute_losses() {
    Entries used;
    std::vector<float> gradient;
    size_t at = 0;
    for (const Unit& unit : units_) {
      Running& r = *unit.running;
      for (size_t i = unit.first; i < unit.last; ++i) {
        const TrainDatum& datum = (*r.request.data)[i];
        const std::span<const float> log_probs = std::span<const float>(log_probs_).subspan(at, datum.targets.size());
        r.log_probs[i].assign(log_probs.begin(), log_probs.end());
        gradient.assign(datum.targets.size(), 0);
        if (!r.error) r.loss->add(inputs_of(datum, *r.loss, log_probs), r.sums, gradient);
        if (!r.error && !std::isfinite(r.sums.loss)) r.error = not_finite_at(i, r.sums.loss);
        for (size_t e = 0; e < gradient.size() && !r.error; ++e)
          if (gradient[e] != 0) used.add(all_.rows[at + e], datum.targets[e], gradient[e]);
        at += datum.targets.size();
      }
      used.ends.push_back(used.rows.size());
    }
    return used;
  }

  static std::exception_ptr not_finite_at(size_t datum, double loss) {
    try {
      fail<ValueError>("forward_backward: datum ", datum, ": the loss is not finite: ", loss);
    } catch (...) {
      return std::current_exception();
    }
  }

  void backward_through(const Entries& entries) {
    TensorList losses;
    for (size_t first = 0; first < entries.rows.size(); first += head_rows) {
      const size_t count = std::min<size_t>(head_rows, entries.rows.size() - first);
      std::vector<float> weights(entries.coefficients.begin() + ptrdiff_t(first),
                                 entries.coefficients.begin() + ptrdiff_t(first + count));
      for (float& w : weights) w = -w;
      losses.push_back(base().weighted_loss(index_select(hidden_, 0, part_of(entries.rows, first, count)),
                                            part_of(entries.targets, first, count), part_of(weights, 0, count),
                                            adapters_of(entries.ends, first, count)));
    }
    backward(losses, TensorList(losses.size()));
  }

  /// Never throws: the units before are counted already, so that the pass cannot be computed again.
  void take_gradient(size_t u, const Entries& entries) noexcept {
    Running& r = *units_[u].running;
    if (r.error) return;
    try {
      accumulate(u, entries);
      if (--r.units_left > 0) return;
      const double norm = grad_norm(r.gradient);
      check<ValueError>(std::isfinite(norm), "forward_backward: the gradient is not finite: norm ", norm);
      // Before the next unit, which may be of another request to this trainer.
      state(r).gradient = std::move(r.gradient);
    } catch (...) {
      r.error = std::current_exception();
    }
  }

  void accumulate(size_t u, const Entries& entries) {
    NoGrad guard;
    Running& r = *units_[u].running;
    if (!r.begun) r.gradient = state(r).gradient;
    r.begun = true;
    const bool nothing = entries.ends[u] == (u == 0 ? 0 : entries.ends[u - 1]);
    const TensorList parameters = aliases_[u]->parameters();
    const bool first = r.gradient.empty();
    if (first) r.gradient.resize(parameters.size());
    for (size_t p = 0; p < parameters.size(); ++p) {
      const Tensor own = nothing ? Tensor() : parameters[p].grad();
      Tensor& sum = r.gradient[p];
      if (first)
        sum = own.defined() ? own : zeros_like(parameters[p].detach());
      else if (own.defined())
        sum = add(sum, own);
    }
  }

  std::span<const Unit> units_;
  std::vector<std::unique_ptr<LoraAdapter>> aliases_;
  std::vector<std::vector<int32_t>> sequences_;
  std::vector<size_t> token_ends_;
  size_t token_rows_ = 0;
  Entries all_;
  Tensor hidden_;
  std::vector<float> log_probs_;
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

std::vector<PassOutcome> forward_backward(const std::vector<PassRequest>& requests) {
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
