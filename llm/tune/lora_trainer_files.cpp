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

/// What a folder holds, read whole before anything takes it over.
struct Loaded {
  LoraAdapter adapter;
  TensorList exp_avg, exp_avg_sq;
  int64_t step = 0;
};

Tensor read_moment(const SafetensorsFile& file, const std::string& name, const Tensor& parameter) {
  check<IoError>(file.contains(name), file.path(), ": tensor is missing: ", name);
  const Tensor mapped = file.tensor(name);
  check<ValueError>(mapped.dtype() == Dtype::float32 && mapped.shape() == parameter.shape(), file.path(), ": ", name,
                    " does not fit its parameter: ", mapped.dtype(), " ", mapped.shape(), ", expected float32 ",
                    parameter.shape());
  return clone(mapped);
}

void read_optimizer(const std::string& folder, Loaded& out, FileSystem& fs) {
  const boost::json::value value = read_json(folder + state_file, {}, fs);
  const JsonObject json(value, folder + state_file);
  check<ValueError>(json.get_int("version") == format_version, json.where(),
                    ": version is unknown: ", json.get_int("version"));
  out.step = json.get_int("step");
  check<ValueError>(out.step >= 0, json.where(), ": step must not be negative: ", out.step);
  if (!json.get_bool("moments")) return;
  const SafetensorsFile file = SafetensorsFile::open(folder + optimizer_file, fs);
  for (const auto& [name, parameter] : out.adapter.named_parameters()) {
    out.exp_avg.push_back(read_moment(file, "exp_avg." + name, parameter));
    out.exp_avg_sq.push_back(read_moment(file, "exp_avg_sq." + name, parameter));
  }
}

Loaded read_folder(const std::string& folder, const CausalLm& base, bool optimizer, const std::string& fingerprint,
                   FileSystem& fs) {
  NoGrad guard;
  Loaded out{load_adapter(folder, base.linear_layers(), fingerprint, fs), {}, {}, 0};
  hearth::check<ValueError>(!out.adapter.parameters().empty(), folder, ": the adapter changes no layer");
  hearth::check<ValueError>(
      out.adapter.config().dropout == 0, folder,
      ": the adapter was trained with dropout, which a trainer does not have: ", out.adapter.config().dropout);
  if (optimizer) read_optimizer(folder, out, fs);
  return out;
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
  write_file_atomic(folder + state_file, boost::json::serialize(json) + "\n", fs);
}

LoraTrainer LoraTrainer::open(std::shared_ptr<const CausalLm> base, const std::string& folder, bool optimizer,
                              std::string fingerprint, FileSystem& fs) {
  Loaded loaded = read_folder(folder, *base, optimizer, fingerprint, fs);
  auto state = std::make_unique<State>();
  state->base = std::move(base);
  state->fingerprint = std::move(fingerprint);
  state->adapter = std::make_shared<LoraAdapter>(std::move(loaded.adapter));
  state->exp_avg = std::move(loaded.exp_avg);
  state->exp_avg_sq = std::move(loaded.exp_avg_sq);
  state->step = loaded.step;
  return LoraTrainer(std::move(state));
}

void LoraTrainer::load(const std::string& folder, bool optimizer, FileSystem& fs) {
  Loaded loaded = read_folder(folder, base(), optimizer, fingerprint(), fs);
  check_same_kind(*state_->adapter, loaded.adapter, folder);
  auto adapter = std::make_shared<LoraAdapter>(std::move(loaded.adapter));
  state_->adapter = std::move(adapter);
  state_->exp_avg = std::move(loaded.exp_avg);
  state_->exp_avg_sq = std::move(loaded.exp_avg_sq);
  state_->step = loaded.step;
  state_->gradient.clear();
}

}  // namespace hearth::llm
