// Loading a model: a Hugging Face folder, or llama2.c files.
#include "llm/weights/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "hearth/io/llama2c.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/create.h"
#include "llm/models/config.h"

namespace hearth::llm {

namespace fs = std::filesystem;

namespace {

/// Tensors of published files that hold nothing that the model computes with.
bool is_ignorable(const std::string& name, const DecoderConfig& config) {
  return name.ends_with(".rotary_emb.inv_freq") || (config.tie_word_embeddings && name == "lm_head.weight");
}

DecoderConfig to_config(const Llama2cConfig& c) {
  DecoderConfig config;
  config.model_type = "llama";
  config.vocab_size = c.vocab_size;
  config.hidden_size = c.dim;
  config.intermediate_size = c.hidden_dim;
  config.num_hidden_layers = c.layers;
  config.num_attention_heads = c.heads;
  config.num_key_value_heads = c.kv_heads;
  config.head_dim = c.head_dim();
  config.max_position_embeddings = c.max_sequence;
  config.rms_norm_eps = 1e-5;
  config.tie_word_embeddings = c.tied;
  config.bos_token_id = 1;
  config.eos_token_ids = {1, 2};
  return config;
}

Dtype storage_dtype(Dtype file, std::optional<Dtype> wanted) {
  if (wanted) return *wanted;
  return file == Dtype::bfloat16 ? Dtype::bfloat16 : Dtype::float32;
}

std::unique_ptr<CausalLm> load_hugging_face(const std::string& folder, std::optional<Dtype> wanted) {
  const DecoderConfig config = load_config(folder);
  const ShardedSafetensors file = ShardedSafetensors::open(folder);
  nn::StateDict state;
  for (const std::string& name : file.names()) {
    if (is_ignorable(name, config)) continue;
    const Tensor tensor = file.tensor(name);
    check<DtypeError>(is_floating(tensor.dtype()), folder, ": weight ", name, " has dtype ", tensor.dtype(),
                      "; quantized weights are not implemented");
    state[name] = to(tensor, storage_dtype(tensor.dtype(), wanted));
  }
  auto model = std::make_unique<CausalLm>(config);
  for (const auto& [name, parameter] : model->named_parameters())
    if (auto found = state.find(name); found != state.end())
      check<ShapeError>(found->second.shape() == parameter.shape(), folder, ": weight ", name, " has shape ",
                        found->second.shape(), ", config.json asks for ", parameter.shape());
  try {
    model->load_state_dict(state, true, true);
  } catch (const ValueError& error) {
    fail<ValueError>(folder, ": weights do not fit config.json: ", error.what());
  }
  return model;
}

std::unique_ptr<CausalLm> load_llama2c_model(const std::string& path, std::optional<Dtype> wanted) {
  Llama2cModel file = load_llama2c(path);
  auto model = std::make_unique<CausalLm>(to_config(file.config));
  nn::StateDict state;
  for (auto& [name, tensor] : file.tensors)
    if (!is_ignorable(name, model->config())) state[name] = to(tensor, storage_dtype(tensor.dtype(), wanted));
  model->load_state_dict(state, true, true);
  return model;
}

/// Tokenizers of llama2.c are called tok*.bin or tokenizer.bin and are no checkpoints.
bool is_tokenizer_name(const std::string& name) { return name.starts_with("tok"); }

}  // namespace

std::string find_llama2c(const std::string& path) {
  check<IoError>(fs::exists(path), "model: does not exist: ", path);
  if (!fs::is_directory(path)) {
    check<IoError>(fs::path(path).extension() == ".bin", "model: is neither a folder nor a llama2.c .bin file: ", path);
    return path;
  }
  if (fs::exists(fs::path(path) / "config.json")) return "";
  std::vector<std::string> found;
  const std::string folder =
      fs::path(path).has_filename() ? fs::path(path).filename() : fs::path(path).parent_path().filename();
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".bin" || is_tokenizer_name(name)) continue;
    if (name == "model.bin" || entry.path().stem() == folder) return entry.path();
    found.push_back(entry.path());
  }
  check<IoError>(!fs::exists(fs::path(path) / "adapter_config.json"),
                 "model: is an adapter; name the model that it was trained for, and this with --adapter: ", path);
  check<IoError>(!found.empty(), "model: folder has neither config.json nor a llama2.c .bin file: ", path);
  std::sort(found.begin(), found.end());
  check<IoError>(found.size() == 1, "model: folder has several .bin files, name one of them: ", found.front(), ", ",
                 found.back());
  return found.front();
}

std::unique_ptr<CausalLm> load_model(const std::string& path, std::optional<Dtype> dtype) {
  check<DtypeError>(!dtype || *dtype == Dtype::float32 || *dtype == Dtype::bfloat16,
                    "load_model: weights are float32 or bfloat16: ", dtype.value_or(Dtype::float32));
  const std::string llama2c = find_llama2c(path);
  return llama2c.empty() ? load_hugging_face(path, dtype) : load_llama2c_model(llama2c, dtype);
}

}  // namespace hearth::llm
