// Saving and loading LoRA trainers.
#include <boost/json.hpp>
#include <filesystem>

#include "hearth/io/file.h"
#include "hearth/io/json.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/create.h"
#include "llm/lora/files.h"
#include "llm/tune/lora_trainer_state.h"

namespace hearth::llm {

namespace {

constexpr const char* state_file = "/lora_trainer.json";
constexpr const char* optimizer_file = "/optimizer.safetensors";
constexpr int64_t format_version = 1;

Tensor read_moment(const SafetensorsFile& file, const std::string& name, const Tensor& parameter) {
  hearth::check<IoError>(file.contains(name), file.path(), ": tensor is missing: ", name);
  const Tensor mapped = file.tensor(name);
  hearth::check<ValueError>(mapped.dtype() == Dtype::float32 && mapped.shape() == parameter.shape(), file.path(), ": ",
                            name, " does not fit its parameter: ", mapped.dtype(), " ", mapped.shape(),
                            ", expected float32 ", parameter.shape());
  return clone(mapped);
}

void check_hash(const std::string& folder, const std::string& saved, const std::string& found) {
  hearth::check<IoError>(saved == found, folder, ": the files are damaged or of different states: hash ", found,
                         ", saved was ", saved);
}

/// Two adapters that train the same weights.
void check_same_kind(const LoraAdapter& now, const LoraAdapter& loaded, const std::string& folder) {
  for (size_t i = 0; i < now.layers().size(); ++i) {
    const LoraWeights *a = now.at(i), *b = loaded.at(i);
    const std::string& layer = now.layers()[i].name;
    hearth::check<ValueError>(bool(a) == bool(b), "load: ", folder, b ? ": trains " : ": does not train ", layer,
                              a ? ", this model does" : ", this model does not");
    if (!a) continue;
    hearth::check<ValueError>(a->a.shape() == b->a.shape(), "load: ", folder, ": rank ", b->a.size(0),
                              ", this model's is ", a->a.size(0));
    hearth::check<ValueError>(a->scale == b->scale, "load: ", folder, ": the adapter's scale is ", b->scale,
                              ", this model's is ", a->scale);
  }
}

}  // namespace

void LoraTrainer::State::read(const std::string& folder, bool optimizer, FileSystem& fs) {
  NoGrad guard;
  adapter = std::make_shared<LoraAdapter>(load_adapter(folder, base->linear_layers(), fingerprint, fs));
  hearth::check<ValueError>(!adapter->parameters().empty(), folder, ": the adapter changes no layer");
  hearth::check<ValueError>(
      adapter->config().dropout == 0, folder,
      ": the adapter was trained with dropout, which a trainer does not have: ", adapter->config().dropout);
  const std::string path = folder + state_file;
  // A folder of an adapter alone has weights only.
  if (!optimizer && !std::filesystem::exists(path)) return;
  const boost::json::value value = read_json(path, {}, fs);
  const JsonObject json(value, path);
  hearth::check<ValueError>(json.get_int("version") == format_version, path,
                            ": version is unknown: ", json.get_int("version"));
  check_hash(folder, json.get_string("weights_hash"), weights_hash());
  if (!optimizer) return;
  step = json.get_int("step");
  hearth::check<ValueError>(step >= 0, path, ": step must not be negative: ", step);
  if (json.get_bool("moments")) {
    const SafetensorsFile file = SafetensorsFile::open(folder + optimizer_file, fs);
    for (const auto& [name, parameter] : adapter->named_parameters()) {
      exp_avg.push_back(read_moment(file, "exp_avg." + name, parameter));
      exp_avg_sq.push_back(read_moment(file, "exp_avg_sq." + name, parameter));
    }
  }
  check_hash(folder, json.get_string("state_hash"), hash(false));
}

void LoraTrainer::save(const std::string& folder, const std::string& base_name, FileSystem& fs) const {
  const State& s = *state_;
  std::filesystem::create_directories(folder);
  save_adapter(*s.adapter, folder, base_name, s.fingerprint, fs);
  if (!s.exp_avg.empty()) {
    std::map<std::string, Tensor> tensors;
    const nn::NamedTensors parameters = s.adapter->named_parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      tensors["exp_avg." + parameters[i].first] = s.exp_avg[i];
      tensors["exp_avg_sq." + parameters[i].first] = s.exp_avg_sq[i];
    }
    save_safetensors(folder + optimizer_file, tensors, {}, fs);
  }
  boost::json::object json;
  json["version"] = format_version;
  json["step"] = s.step;
  json["moments"] = !s.exp_avg.empty();
  json["weights_hash"] = s.weights_hash();
  json["state_hash"] = s.hash(false);
  write_file_atomic(folder + state_file, boost::json::serialize(json) + "\n", fs);
}

LoraTrainer LoraTrainer::open(std::shared_ptr<const CausalLm> base, const std::string& folder, bool optimizer,
                              std::string fingerprint, FileSystem& fs) {
  auto state = std::make_unique<State>();
  state->base = std::move(base);
  state->fingerprint = std::move(fingerprint);
  state->read(folder, optimizer, fs);
  return LoraTrainer(std::move(state));
}

void LoraTrainer::load(const std::string& folder, bool optimizer, FileSystem& fs) {
  auto state = std::make_unique<State>();
  state->base = state_->base;
  state->fingerprint = state_->fingerprint;
  state->read(folder, optimizer, fs);
  check_same_kind(*state_->adapter, *state->adapter, folder);
  state_ = std::move(state);
}

}  // namespace hearth::llm
