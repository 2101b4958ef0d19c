// Saving a model as a Hugging Face folder.
#include "llm/weights/save.h"

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>

#include "hearth/io/file.h"
#include "hearth/io/safetensors.h"
#include "hearth/ops/create.h"
#include "llm/models/config.h"

namespace hearth::llm {

namespace fs = std::filesystem;

namespace {

/// The model's tensors as they are to be written; an adapter on a tied output layer unties it.
std::map<std::string, Tensor> collect(const CausalLm& model, Dtype dtype, const LoraAdapter* adapter,
                                      DecoderConfig& config) {
  NoGrad guard;
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, tensor] : model.state_dict()) tensors[name] = tensor;
  if (adapter) {
    for (size_t i = 0; i < model.linear_layers().size(); ++i) {
      const LoraWeights* lora = adapter->at(i);
      if (!lora) continue;
      const std::string name = model.linear_layers()[i].name + ".weight";
      if (name == "lm_head.weight" && config.tie_word_embeddings) {
        config.tie_word_embeddings = false;
        tensors[name] = model.head_weight();
      }
      tensors[name] = merged_weight(tensors.at(name), *lora);
    }
  }
  for (auto& [name, tensor] : tensors) tensor = to(tensor, dtype);
  return tensors;
}

std::string shard_name(size_t index, size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", index + 1, count);
  return name;
}

void save_weights(const std::map<std::string, Tensor>& tensors, const std::string& folder, uint64_t shard_bytes) {
  std::vector<std::map<std::string, Tensor>> shards(1);
  uint64_t filled = 0, total = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t bytes = uint64_t(tensor.numel()) * dtype_size(tensor.dtype());
    if (filled + bytes > shard_bytes && !shards.back().empty()) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back()[name] = tensor;
    filled += bytes;
    total += bytes;
  }
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (shards.size() == 1) {
    save_safetensors(folder + "/model.safetensors", tensors, metadata);
    return;
  }
  boost::json::object weight_map;
  for (size_t i = 0; i < shards.size(); ++i) {
    save_safetensors(folder + "/" + shard_name(i, shards.size()), shards[i], metadata);
    for (const auto& [name, tensor] : shards[i]) weight_map[name] = shard_name(i, shards.size());
  }
  const boost::json::object index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  write_file_atomic(folder + "/model.safetensors.index.json", boost::json::serialize(index) + "\n");
}

}  // namespace

void copy_tokenizer(const std::string& from, const std::string& to) {
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
                           "vocab.json", "merges.txt", "encoder.json", "vocab.bpe", "tokenizer.model", "tokenizer.bin",
                           "chat_template.jinja", "generation_config.json"}) {
    const std::string source = from + "/" + name;
    if (fs::exists(source)) write_file_atomic(to + "/" + name, read_file(source));
  }
  if (!fs::is_directory(from)) return;
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename();
    const std::string extension = entry.path().extension();
    const bool other =
        (extension == ".model" && name != "tokenizer.model") || (extension == ".bin" && name.starts_with("tok"));
    if (other && name != "tokenizer.bin") write_file_atomic(to + "/" + name, read_file(entry.path()));
  }
}

void save_model(const CausalLm& model, const std::string& folder, Dtype dtype, const std::string& tokenizer_folder,
                const LoraAdapter* adapter, uint64_t shard_bytes) {
  fs::create_directories(folder);
  DecoderConfig config = model.config();
  const std::map<std::string, Tensor> tensors = collect(model, dtype, adapter, config);
  save_weights(tensors, folder, shard_bytes);
  write_file_atomic(folder + "/config.json", config_json(config, std::string(dtype_name(dtype))) + "\n");
  if (!tokenizer_folder.empty()) copy_tokenizer(tokenizer_folder, folder);
}

}  // namespace hearth::llm
