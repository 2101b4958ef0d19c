// PEFT's folder format: adapter_config.json and adapter_model.safetensors.
#include "llm/lora/files.h"

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <set>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/create.h"

namespace hearth::llm {

namespace {

constexpr const char* prefix = "base_model.model.";
constexpr const char* fingerprint_key = "hearth.base";

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

/// Ends of names that pick exactly the adapted layers; whole names where an end would pick others too.
boost::json::array target_modules(const LoraAdapter& adapter) {
  std::set<std::string> adapted, other;
  for (size_t i = 0; i < adapter.layers().size(); ++i)
    (adapter.at(i) ? adapted : other).insert(last_part(adapter.layers()[i].name));
  boost::json::array targets;
  for (const std::string& end : adapted)
    if (!other.count(end)) targets.push_back(boost::json::string(end));
  for (size_t i = 0; i < adapter.layers().size(); ++i)
    if (adapter.at(i) && other.count(last_part(adapter.layers()[i].name)))
      targets.push_back(boost::json::string(adapter.layers()[i].name));
  return targets;
}

/// Settings of PEFT that would change the result, each refused unless it has the value that changes nothing.
void refuse_unknown(const JsonObject& json) {
  const std::string& where = json.where();
  check<NotImplementedError>(json.get_string("peft_type", "LORA") == "LORA", where, ": peft_type '",
                             json.get_string("peft_type", ""), "' is not implemented; only LORA");
  check<NotImplementedError>(json.get_string("bias", "none") == "none", where, ": bias '", json.get_string("bias", ""),
                             "' is not implemented; only none");
  for (const char* flag : {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora"})
    check<NotImplementedError>(!json.get_bool(flag, false), where, ": ", flag, " is not implemented");
  for (const char* key : {"modules_to_save", "layer_replication", "trainable_token_indices", "alora_invocation_tokens",
                          "target_parameters", "arrow_config", "velora_config", "monteclora_config"}) {
    const auto* value = json.find(key);
    const bool empty = !value || (value->is_array() && value->get_array().empty());
    check<NotImplementedError>(empty, where, ": ", key, " is not implemented");
  }
}

/// A per-layer override: `pattern` maps ends of names to numbers.
double pattern_value(const JsonObject& json, const char* key, const std::string& layer, double fallback) {
  if (!json.has(key)) return fallback;
  const JsonObject pattern = json.get_object(key);
  for (const auto& [name, value] : pattern.object())
    if (layer == name || layer.ends_with("." + std::string(name))) return pattern.get_double(name);
  return fallback;
}

/// Layers whose rank or scale is not what the config says, as PEFT's overrides. Keys end in the whole name, which PEFT
/// takes as a pattern.
void add_patterns(const LoraAdapter& adapter, boost::json::object& json) {
  const LoraConfig& config = adapter.config();
  boost::json::object ranks, alphas;
  for (size_t i = 0; i < adapter.layers().size(); ++i) {
    const LoraWeights* weights = adapter.at(i);
    if (!weights) continue;
    const int64_t rank = weights->a.size(0);
    const double alpha = weights->scale * (config.rank_stabilized ? std::sqrt(double(rank)) : double(rank));
    if (rank != config.rank) ranks[adapter.layers()[i].name] = rank;
    if (std::abs(alpha - config.alpha) > 1e-9 * config.alpha) alphas[adapter.layers()[i].name] = alpha;
  }
  json["rank_pattern"] = ranks;
  json["alpha_pattern"] = alphas;
}

}  // namespace

void save_adapter(const LoraAdapter& adapter, const std::string& folder, const std::string& base,
                  const std::string& fingerprint, FileSystem& fs) {
  std::filesystem::create_directories(folder);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : adapter.named_parameters()) tensors[prefix + name] = tensor;
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (!fingerprint.empty()) metadata[fingerprint_key] = fingerprint;
  save_safetensors(folder + "/adapter_model.safetensors", tensors, metadata, fs);
  const LoraConfig& config = adapter.config();
  boost::json::object json;
  json["base_model_name_or_path"] = base;
  json["bias"] = "none";
  json["fan_in_fan_out"] = false;
  json["inference_mode"] = true;
  json["init_lora_weights"] = true;
  json["lora_alpha"] = config.alpha == std::floor(config.alpha) ? boost::json::value(int64_t(config.alpha))
                                                                : boost::json::value(config.alpha);
  json["lora_dropout"] = config.dropout;
  json["modules_to_save"] = nullptr;
  add_patterns(adapter, json);
  json["peft_type"] = "LORA";
  json["r"] = config.rank;
  json["target_modules"] = target_modules(adapter);
  json["task_type"] = "CAUSAL_LM";
  json["use_rslora"] = config.rank_stabilized;
  write_file_atomic(folder + "/adapter_config.json", boost::json::serialize(json) + "\n", fs);
}

LoraAdapter load_adapter(const std::string& folder, const std::vector<LinearShape>& layers,
                         const std::string& fingerprint, FileSystem& fs) {
  const std::string config_path = folder + "/adapter_config.json";
  const boost::json::value value = read_json(config_path, {}, fs);
  const JsonObject json(value, config_path);
  refuse_unknown(json);
  LoraConfig config;
  config.rank = json.get_int("r");
  config.alpha = json.get_double("lora_alpha");
  config.dropout = json.get_double("lora_dropout", 0);
  config.rank_stabilized = json.get_bool("use_rslora", false);
  check<ValueError>(config.rank >= 1 && config.alpha > 0, config_path,
                    ": r and lora_alpha must be positive: ", config.rank, ", ", config.alpha);
  if (const auto* targets = json.find("target_modules"); targets && targets->is_array())
    for (const auto& target : targets->get_array())
      if (target.is_string()) config.target_modules.emplace_back(target.get_string());

  const SafetensorsFile file = SafetensorsFile::open(folder + "/adapter_model.safetensors", fs);
  std::set<std::string> unused;
  for (const std::string& name : file.names()) unused.insert(name);
  std::vector<LoraWeights> weights(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string a = prefix + layers[i].name + ".lora_A.weight", b = prefix + layers[i].name + ".lora_B.weight";
    if (!file.contains(a) && !file.contains(b)) continue;
    check<ValueError>(file.contains(a) && file.contains(b), file.path(), ": one of A and B is missing for layer ",
                      layers[i].name);
    unused.erase(a);
    unused.erase(b);
    NoGrad guard;
    LoraWeights& w = weights[i];
    w.a = clone(to(file.tensor(a), Dtype::float32));
    w.b = clone(to(file.tensor(b), Dtype::float32));
    check<ShapeError>(w.a.dim() == 2, file.path(), ": lora_A of ", layers[i].name, " must be a matrix: ", w.a.shape());
    const double rank = double(w.a.size(0)), alpha = pattern_value(json, "alpha_pattern", layers[i].name, config.alpha);
    w.scale = alpha / (config.rank_stabilized ? std::sqrt(rank) : rank);
  }
  check<ValueError>(
      unused.empty(), file.path(),
      ": weight names no layer of this model (an adapter for another base?): ", unused.empty() ? "" : *unused.begin());
  LoraAdapter adapter = LoraAdapter(config, layers, std::move(weights));
  const auto kept = file.metadata().find(fingerprint_key);
  check<ValueError>(fingerprint.empty() || kept == file.metadata().end() || same_base(kept->second, fingerprint),
                    folder, ": the adapter was trained for another base model of the same shapes: ",
                    json.get_string("base_model_name_or_path", "unknown"));
  return adapter;
}

}  // namespace hearth::llm
