// LoraTrainer: what can be chosen, its steps.
#include "llm/tune/lora_trainer.h"

#include <atomic>
#include <cmath>
#include <set>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/optim_step.h"
#include "llm/tune/lora_trainer_state.h"

namespace hearth::llm {

namespace {

constexpr int64_t largest_rank = 4096;
const std::vector<std::string> attn_layers = {"q_proj", "k_proj", "v_proj", "o_proj"};
const std::vector<std::string> mlp_layers = {"gate_proj", "up_proj", "down_proj"};
const std::vector<std::string> unembed_layers = {"lm_head"};

void check_settings(const AdamStep& s) {
  const auto not_negative = [](const char* name, double value) {
    check<ValueError>(std::isfinite(value) && value >= 0, "optim_step: ", name,
                      " must be finite and not negative: ", value);
  };
  not_negative("learning_rate", s.learning_rate);
  not_negative("eps", s.eps);
  not_negative("weight_decay", s.weight_decay);
  not_negative("grad_clip_norm", s.grad_clip_norm);
  check<ValueError>(s.beta1 >= 0 && s.beta1 < 1, "optim_step: beta1 must be in [0, 1): ", s.beta1);
  check<ValueError>(s.beta2 >= 0 && s.beta2 < 1, "optim_step: beta2 must be in [0, 1): ", s.beta2);
}

TensorList zeros_like_each(const TensorList& like) {
  TensorList out;
  for (const Tensor& t : like) out.push_back(zeros_like(t));
  return out;
}

/// The same numbers in memory of its own.
std::shared_ptr<LoraAdapter> copy_of(const LoraAdapter& adapter) {
  NoGrad guard;
  std::vector<LoraWeights> weights(adapter.layers().size());
  for (size_t i = 0; i < weights.size(); ++i)
    if (const LoraWeights* w = adapter.at(i)) weights[i] = {clone(w->a), clone(w->b), w->scale};
  return std::make_shared<LoraAdapter>(adapter.config(), adapter.layers(), std::move(weights));
}

int64_t bytes_of(const TensorList& tensors) {
  int64_t bytes = 0;
  for (const Tensor& t : tensors) bytes += t.numel() * int64_t(dtype_size(t.dtype()));
  return bytes;
}

}  // namespace

LoraConfig lora_config(const LoraChoice& choice) {
  check<ValueError>(choice.rank >= 1 && choice.rank <= largest_rank, "lora: rank must be in [1, ", largest_rank,
                    "]: ", choice.rank);
  check<ValueError>(choice.attn || choice.mlp || choice.unembed,
                    "lora: nothing to train: train_attn, train_mlp and train_unembed are all false");
  LoraConfig config;
  config.rank = choice.rank;
  config.alpha = 32;
  const auto use = [&](bool chosen, const std::vector<std::string>& layers) {
    if (chosen) config.target_modules.insert(config.target_modules.end(), layers.begin(), layers.end());
  };
  use(choice.attn, attn_layers);
  use(choice.mlp, mlp_layers);
  use(choice.unembed, unembed_layers);
  return config;
}

LoraChoice lora_choice(const LoraConfig& config) {
  const std::set<std::string> targets(config.target_modules.begin(), config.target_modules.end());
  const auto has = [&](const std::vector<std::string>& layers) { return targets.count(layers[0]) > 0; };
  const LoraChoice choice{config.rank, has(attn_layers), has(mlp_layers), has(unembed_layers)};
  size_t count = (choice.attn ? attn_layers.size() : 0) + (choice.mlp ? mlp_layers.size() : 0) +
                 (choice.unembed ? unembed_layers.size() : 0);
  bool all = count == targets.size();
  for (const auto* layers : {&attn_layers, &mlp_layers, &unembed_layers})
    for (const std::string& layer : *layers) all = all && (has(*layers) == (targets.count(layer) > 0));
  check<ValueError>(all && count > 0 && config.alpha == 32 && !config.rank_stabilized && config.dropout == 0,
                    "lora: the adapter is none of those that can be asked for here: rank ", config.rank, ", alpha ",
                    config.alpha, ", ", targets.size(), " kinds of layers");
  return choice;
}

LoraTrainer::LoraTrainer(std::shared_ptr<const CausalLm> base, LoraConfig config, uint64_t seed,
                         std::string fingerprint)
    : state_(std::make_unique<State>()) {
  for (const auto& [name, parameter] : base->named_parameters())
    hearth::check<ValueError>(!parameter.requires_grad(), "lora: the base must be frozen: ", name);
  hearth::check<ValueError>(config.dropout == 0, "lora: a trainer has no dropout: ", config.dropout);
  state_->adapter = std::make_shared<LoraAdapter>(config, base->linear_layers(), seed);
  state_->base = std::move(base);
  state_->fingerprint = std::move(fingerprint);
}

LoraTrainer::LoraTrainer(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoraTrainer::LoraTrainer(LoraTrainer&&) noexcept = default;
LoraTrainer& LoraTrainer::operator=(LoraTrainer&&) noexcept = default;
LoraTrainer::~LoraTrainer() = default;

std::map<std::string, double> LoraTrainer::optim_step(const AdamStep& s) {
  check_settings(s);
  NoGrad guard;
  State& state = *state_;
  // Everything that can fail comes before the first change.
  TensorList gradient = state.gradient.empty() ? zeros_like_each(state.adapter->parameters()) : state.gradient;
  const double norm = grad_norm(gradient);
  hearth::check<ValueError>(std::isfinite(norm), "optim_step: the gradient is not finite: norm ", norm);
  // As torch.nn.utils.clip_grad_norm_.
  const double factor = s.grad_clip_norm > 0 ? std::min(1.0, s.grad_clip_norm / (norm + 1e-6)) : 1.0;
  if (factor < 1)
    for (Tensor& g : gradient) g = mul(g, factor);
  TensorList exp_avg = state.exp_avg.empty() ? zeros_like_each(gradient) : state.exp_avg;
  TensorList exp_avg_sq = state.exp_avg_sq.empty() ? zeros_like_each(gradient) : state.exp_avg_sq;
  if (state.adapter.use_count() > 1) state.adapter = copy_of(*state.adapter);
  // Another thread's last read of a snapshot that it dropped comes before our first write.
  std::atomic_thread_fence(std::memory_order_acquire);
  std::vector<AdamItem> items;
  const TensorList parameters = state.adapter->parameters();
  for (size_t i = 0; i < parameters.size(); ++i)
    items.push_back({parameters[i], gradient[i], exp_avg[i], exp_avg_sq[i], {}, state.step + 1});
  adam_step(items, {.lr = s.learning_rate,
                    .beta1 = s.beta1,
                    .beta2 = s.beta2,
                    .eps = s.eps,
                    .weight_decay = s.weight_decay,
                    .decoupled = true});
  state.exp_avg = std::move(exp_avg);
  state.exp_avg_sq = std::move(exp_avg_sq);
  ++state.step;
  state.gradient.clear();
  return {{"unclipped_grad_l2:mean", norm},
          {"grad_clip_factor:mean", factor},
          {"learning_rate:mean", s.learning_rate},
          {"step:max", double(state.step)}};
}

std::shared_ptr<const LoraAdapter> LoraTrainer::snapshot() const { return state_->adapter; }
bool LoraTrainer::has_gradient() const { return !state_->gradient.empty(); }
int64_t LoraTrainer::step() const { return state_->step; }
const LoraConfig& LoraTrainer::config() const { return state_->adapter->config(); }
const CausalLm& LoraTrainer::base() const { return *state_->base; }
const std::shared_ptr<const CausalLm>& LoraTrainer::shared_base() const { return state_->base; }
const std::string& LoraTrainer::fingerprint() const { return state_->fingerprint; }

int64_t LoraTrainer::bytes() const {
  const State& s = *state_;
  return bytes_of(s.adapter->parameters()) + bytes_of(s.exp_avg) + bytes_of(s.exp_avg_sq) + bytes_of(s.gradient);
}

std::string LoraTrainer::state_hash() const { return state_->hash(true); }

}  // namespace hearth::llm
