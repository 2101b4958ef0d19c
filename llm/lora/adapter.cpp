// LoRA adapter: choosing layers, initial weights, merging.
#include "llm/lora/adapter.h"

#include <cmath>
#include <random>

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"

namespace hearth::llm {

namespace {

/// PEFT's rule: a target is the whole name or its end after a dot.
bool matches(const std::string& name, const std::string& target) {
  if (name == target) return true;
  return name.size() > target.size() && name.ends_with(target) && name[name.size() - target.size() - 1] == '.';
}

bool is_target(const std::string& name, const std::vector<std::string>& targets) {
  if (targets.empty()) return !matches(name, "lm_head");
  for (const std::string& target : targets)
    if (matches(name, target)) return true;
  return false;
}

/// Uniform in +-1/sqrt(in): Kaiming with a = sqrt(5). Numbers of 24 bits straight from the engine, so that they do not
/// depend on the standard library.
Tensor initial_a(int64_t rank, int64_t in, std::mt19937_64& engine) {
  std::vector<float> values(size_t(rank * in));
  const float bound = 1.0f / std::sqrt(float(in));
  for (float& v : values) v = (float(engine() >> 40) / 8388608.0f - 1.0f) * bound;
  return from_values<float>(std::span<const float>(values), {rank, in});
}

}  // namespace

double LoraConfig::scale() const { return alpha / (rank_stabilized ? std::sqrt(double(rank)) : double(rank)); }

LoraAdapter::LoraAdapter(const LoraConfig& config, const std::vector<LinearShape>& layers, uint64_t seed)
    : config_(config), layers_(layers), weights_(layers.size()) {
  check<ValueError>(config.rank >= 1, "lora: rank must be at least 1: ", config.rank);
  check<ValueError>(config.alpha > 0, "lora: alpha must be positive: ", config.alpha);
  check<ValueError>(config.dropout >= 0 && config.dropout < 1, "lora: dropout must be in [0, 1): ", config.dropout);
  for (const std::string& target : config.target_modules) {
    bool found = false;
    for (const LinearShape& layer : layers) found = found || matches(layer.name, target);
    check<ValueError>(found, "lora: target module names no linear layer of the model: '", target, "'");
  }
  std::mt19937_64 engine(seed);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!is_target(layers[i].name, config.target_modules)) continue;
    weights_[i] = {initial_a(config.rank, layers[i].in, engine), zeros({layers[i].out, config.rank}), config.scale()};
  }
}

LoraAdapter::LoraAdapter(const LoraConfig& config, std::vector<LinearShape> layers, std::vector<LoraWeights> weights)
    : config_(config), layers_(std::move(layers)), weights_(std::move(weights)) {
  check<ValueError>(layers_.size() == weights_.size(), "lora: ", layers_.size(), " layers but ", weights_.size(),
                    " weights");
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (!weights_[i].defined()) continue;
    const Shape &a = weights_[i].a.shape(), &b = weights_[i].b.shape();
    check<ShapeError>(a.size() == 2 && b.size() == 2 && a[1] == layers_[i].in && b[0] == layers_[i].out && a[0] == b[1],
                      "lora: weights do not fit layer ", layers_[i].name, " [", layers_[i].out, ", ", layers_[i].in,
                      "]: A ", a, ", B ", b);
  }
}

nn::NamedTensors LoraAdapter::named_parameters() const {
  nn::NamedTensors out;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (!weights_[i].defined()) continue;
    out.emplace_back(layers_[i].name + ".lora_A.weight", weights_[i].a);
    out.emplace_back(layers_[i].name + ".lora_B.weight", weights_[i].b);
  }
  return out;
}

TensorList LoraAdapter::parameters() const {
  TensorList out;
  for (auto& [name, tensor] : named_parameters()) out.push_back(tensor);
  return out;
}

void LoraAdapter::requires_grad_(bool value) const {
  for (auto& [name, tensor] : named_parameters()) tensor.set_requires_grad(value);
}

Tensor merged_weight(const Tensor& weight, const LoraWeights& lora) {
  NoGrad guard;
  const Tensor delta = mul(matmul(to(lora.b, Dtype::float32), to(lora.a, Dtype::float32)), lora.scale);
  return to(add(to(weight, Dtype::float32), delta), weight.dtype());
}

}  // namespace hearth::llm
