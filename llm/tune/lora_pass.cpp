// Forward and backward of many requests to LoRA trainers, unit by unit.
#include <algorithm>
#include <cmath>
#include <deque>
#include <set>
#include <tuple>

#include "hearth/autograd/engine.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/index.h"
#include "hearth/ops/optim_step.h"
#include "llm/tune/lora_trainer_state.h"

namespace hearth::llm {

namespace {

/// Tokens that are in flight at once.
constexpr int64_t pass_tokens = 2048;

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

/// The targets of one token: `width` of them from number `first` on.
struct Row {
  size_t first, width;
};

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
    hidden_ = base().hidden(pack(sequences_), adapters_of(row_ends_));
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
        for (size_t t = 0; t < datum.tokens.size(); ++t)
          rows_.push_back({targets_.size() + t * size_t(datum.targets_per_token), size_t(datum.targets_per_token)});
        targets_.insert(targets_.end(), datum.targets.begin(), datum.targets.end());
        sequences_.push_back(datum.tokens);
      }
      row_ends_.push_back(rows_.size());
      target_ends_.push_back(targets_.size());
    }
    coefficients_.resize(targets_.size());
    log_probs_.resize(targets_.size());
  }

  /// Which adapter changes which rows, when unit u's rows end at ends[u].
  RowAdapters adapters_of(const std::vector<size_t>& ends) const {
    std::vector<AdapterRows> ranges;
    size_t begin = 0;
    for (size_t u = 0; u < ends.size(); begin = ends[u++])
      if (ends[u] > begin) ranges.push_back({aliases_[u].get(), int64_t(begin), int64_t(ends[u])});
    return RowAdapters(std::move(ranges));
  }

  /// Rows of the pass that go through the output layer together: all have `width` targets.
  struct Chosen {
    size_t width;
    std::vector<int64_t> rows, targets;
    std::vector<size_t> which;  ///< number of each target in the pass
    std::vector<float> weights;
    RowAdapters adapters;

    template <class T>
    Tensor shaped(const std::vector<T>& values) const {
      const int64_t count = int64_t(rows.size());
      const std::span<const T> span(values);
      return width == 1 ? from_values<T>(span, {count}) : from_values<T>(span, {count, int64_t(width)});
    }
    Tensor of(const Tensor& hidden) const {
      return index_select(hidden, 0, from_values<int64_t>(std::span<const int64_t>(rows), {int64_t(rows.size())}));
    }
  };

  bool has_coefficient(const Row& row) const {
    for (size_t e = row.first; e < row.first + row.width; ++e)
      if (coefficients_[e] != 0) return true;
    return false;
  }

  /// The rows with a coefficient, or those without, by their number of targets.
  std::vector<Chosen> choose(bool with_coefficient) const {
    std::vector<Chosen> out;
    std::set<size_t> widths;
    for (const Row& row : rows_) widths.insert(row.width);
    for (size_t width : widths) {
      Chosen c{width, {}, {}, {}, {}, {}};
      std::vector<size_t> ends;
      size_t r = 0;
      for (size_t end : row_ends_) {
        for (; r < end; ++r) {
          if (rows_[r].width != width || has_coefficient(rows_[r]) != with_coefficient) continue;
          c.rows.push_back(int64_t(r));
          for (size_t e = rows_[r].first; e < rows_[r].first + width; ++e) {
            c.which.push_back(e);
            c.targets.push_back(targets_[e]);
            c.weights.push_back(-coefficients_[e]);
          }
        }
        ends.push_back(c.rows.size());
      }
      c.adapters = adapters_of(ends);
      if (!c.rows.empty()) out.push_back(std::move(c));
    }
    return out;
  }

  void keep_log_probs(const Chosen& c, const Tensor& log_probs) {
    const std::vector<float> values = to_vector<float>(log_probs);
    for (size_t i = 0; i < values.size(); ++i) log_probs_[c.which[i]] = values[i];
  }

  /// Log-probabilities of rows without a coefficient so far, without history.
  void compute_log_probs() {
    NoGrad guard;
    for (const Chosen& c : choose(false))
      keep_log_probs(c, base().log_probs(c.of(hidden_), c.shaped(c.targets), c.adapters));
  }

  /// The sums whose gradient is that of the losses.
  TensorList compute_coefficients() {
    TensorList losses;
    for (const Chosen& c : choose(true)) {
      const CrossEntropy result =
          base().cross_entropy(c.of(hidden_), c.shaped(c.targets), c.shaped(c.weights), c.adapters);
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
  Tensor hidden_;
  std::vector<Row> rows_;  ///< of each token
  // Of each target: its id, d loss / d log-probability, log-probability.
  std::vector<int64_t> targets_;
  std::vector<float> coefficients_, log_probs_;
  std::vector<size_t> row_ends_, first_targets_, target_ends_;  ///< of each unit
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
