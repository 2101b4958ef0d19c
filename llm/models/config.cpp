// Reading and writing config.json.
#include "llm/models/config.h"

#include <boost/json.hpp>
#include <filesystem>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"
#include "llm/models/families.h"

namespace hearth::llm {

namespace {

/// Settings that change the computation and that hearth does not compute: their other values are refused.
void refuse_unknown(const JsonObject& json) {
  const std::string& where = json.where();
  const std::string act = json.get_string("hidden_act", "silu");
  check<NotImplementedError>(act == "silu" || act == "swish", where, ": hidden_act '", act,
                             "' is not implemented; only silu");
  check<NotImplementedError>(
      !json.has("quantization_config"), where,
      ": quantized weights (quantization_config) are not implemented; use the unquantized model");
  check<NotImplementedError>(!json.get_bool("use_sliding_window", false), where,
                             ": use_sliding_window is not implemented");
  check<NotImplementedError>(json.get_double("partial_rotary_factor", 1) == 1, where,
                             ": partial_rotary_factor other than 1 is not implemented");
  if (!json.has("layer_types")) return;
  for (const auto& type : json.get_array("layer_types"))
    check<NotImplementedError>(type.is_string() && type.get_string() == "full_attention", where,
                               ": layer_types other than full_attention are not implemented");
}

RopeScaling read_rope(const JsonObject& rope) {
  RopeScaling scaling;
  const std::string type = rope.get_string("rope_type", rope.get_string("type", "default"));
  if (type == "default") return scaling;
  check<NotImplementedError>(type == "linear" || type == "llama3", rope.where(), ": rope_type '", type,
                             "' is not implemented; hearth has default, linear, llama3");
  scaling.kind = type == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
  scaling.factor = rope.get_double("factor");
  check<ValueError>(scaling.factor >= 1, rope.where(), ": factor must be at least 1: ", scaling.factor);
  if (scaling.kind == RopeScaling::Kind::linear) return scaling;
  scaling.low_freq_factor = rope.get_double("low_freq_factor");
  scaling.high_freq_factor = rope.get_double("high_freq_factor");
  scaling.original_max_position_embeddings = rope.get_int("original_max_position_embeddings");
  check<ValueError>(scaling.high_freq_factor > scaling.low_freq_factor && scaling.original_max_position_embeddings > 0,
                    rope.where(),
                    ": high_freq_factor must exceed low_freq_factor and original_max_position_embeddings be positive");
  return scaling;
}

/// Older files keep rope_theta and rope_scaling apart, newer ones together in rope_parameters.
void read_rotary(const JsonObject& json, DecoderConfig& config) {
  config.rope_theta = json.get_double("rope_theta", 10000);
  if (json.has("rope_parameters")) {
    const JsonObject rope = json.get_object("rope_parameters");
    config.rope_theta = rope.get_double("rope_theta", config.rope_theta);
    config.rope_scaling = read_rope(rope);
  } else if (json.has("rope_scaling")) {
    config.rope_scaling = read_rope(json.get_object("rope_scaling"));
  }
  check<ValueError>(config.rope_theta > 0, json.where(), ": rope_theta must be positive: ", config.rope_theta);
}

void read_token_ids(const JsonObject& json, DecoderConfig& config) {
  if (const auto* bos = json.find("bos_token_id"); bos && bos->is_int64()) config.bos_token_id = bos->get_int64();
  const auto* eos = json.find("eos_token_id");
  if (!eos) return;
  config.eos_token_ids.clear();
  if (eos->is_int64()) config.eos_token_ids.push_back(eos->get_int64());
  if (eos->is_array())
    for (const auto& id : eos->get_array())
      if (id.is_int64()) config.eos_token_ids.push_back(id.get_int64());
}

/// A size that tensors are made from: bounded, so that products of two cannot overflow.
int64_t read_size(const JsonObject& json, const char* key, int64_t fallback = 0) {
  const int64_t size = fallback ? json.get_int(key, fallback) : json.get_int(key);
  check<ValueError>(size > 0 && size < (int64_t(1) << 28), json.where(), ": ", key, " is out of range: ", size);
  return size;
}

}  // namespace

DecoderConfig parse_config(const std::string& text, const std::string& where) {
  const boost::json::value value = parse_json(text, where);
  const JsonObject json(value, where);
  DecoderConfig config;
  config.model_type = json.get_string("model_type");
  const Family& family = find_family(config.model_type);
  refuse_unknown(json);
  config.vocab_size = read_size(json, "vocab_size");
  config.hidden_size = read_size(json, "hidden_size");
  config.intermediate_size = read_size(json, "intermediate_size");
  config.num_hidden_layers = read_size(json, "num_hidden_layers");
  config.num_attention_heads = read_size(json, "num_attention_heads");
  config.num_key_value_heads = read_size(json, "num_key_value_heads", config.num_attention_heads);
  config.head_dim = read_size(json, "head_dim", std::max<int64_t>(config.hidden_size / config.num_attention_heads, 1));
  config.max_position_embeddings = read_size(json, "max_position_embeddings", 2048);
  config.rms_norm_eps = json.get_double("rms_norm_eps", 1e-6);
  config.tie_word_embeddings = json.get_bool("tie_word_embeddings", false);
  read_rotary(json, config);
  read_token_ids(json, config);
  family.read(json, config);
  check<ValueError>(config.num_attention_heads % config.num_key_value_heads == 0, where, ": num_attention_heads ",
                    config.num_attention_heads, " is not a multiple of num_key_value_heads ",
                    config.num_key_value_heads);
  check<ValueError>(config.head_dim % 2 == 0 && config.head_dim <= 256, where,
                    ": head_dim must be even and at most 256: ", config.head_dim);
  return config;
}

DecoderConfig load_config(const std::string& folder) {
  const std::string path = folder + "/config.json";
  DecoderConfig config = parse_config(read_file(path, size_t(1) << 24), path);
  const std::string generation = folder + "/generation_config.json";
  if (std::filesystem::exists(generation)) {
    const boost::json::value value = read_json(generation);
    read_token_ids(JsonObject(value, generation), config);
  }
  return config;
}

int64_t parameter_count(const DecoderConfig& c) {
  const int64_t q = c.num_attention_heads * c.head_dim, kv = c.num_key_value_heads * c.head_dim;
  int64_t layer = c.hidden_size * (2 * q + 2 * kv + 3 * c.intermediate_size + 2);
  if (c.qkv_bias) layer += q + 2 * kv;
  if (c.output_bias) layer += c.hidden_size;
  if (c.mlp_bias) layer += 2 * c.intermediate_size + c.hidden_size;
  if (c.qk_norm) layer += 2 * c.head_dim;
  return c.vocab_size * c.hidden_size * (c.tie_word_embeddings ? 1 : 2) + c.num_hidden_layers * layer + c.hidden_size;
}

std::string config_json(const DecoderConfig& c, const std::string& dtype) {
  boost::json::object json;
  json["architectures"] = boost::json::array{find_family(c.model_type).architecture};
  json["model_type"] = c.model_type;
  json["vocab_size"] = c.vocab_size;
  json["hidden_size"] = c.hidden_size;
  json["intermediate_size"] = c.intermediate_size;
  json["num_hidden_layers"] = c.num_hidden_layers;
  json["num_attention_heads"] = c.num_attention_heads;
  json["num_key_value_heads"] = c.num_key_value_heads;
  json["head_dim"] = c.head_dim;
  json["max_position_embeddings"] = c.max_position_embeddings;
  json["rms_norm_eps"] = c.rms_norm_eps;
  json["hidden_act"] = "silu";
  json["rope_theta"] = c.rope_theta;
  if (c.rope_scaling.kind != RopeScaling::Kind::none) {
    boost::json::object rope;
    rope["factor"] = c.rope_scaling.factor;
    rope["rope_type"] = c.rope_scaling.kind == RopeScaling::Kind::linear ? "linear" : "llama3";
    if (c.rope_scaling.kind == RopeScaling::Kind::llama3) {
      rope["low_freq_factor"] = c.rope_scaling.low_freq_factor;
      rope["high_freq_factor"] = c.rope_scaling.high_freq_factor;
      rope["original_max_position_embeddings"] = c.rope_scaling.original_max_position_embeddings;
    }
    json["rope_scaling"] = rope;
  }
  json["tie_word_embeddings"] = c.tie_word_embeddings;
  if (c.model_type != "qwen2") json["attention_bias"] = c.qkv_bias;
  if (c.model_type == "llama") json["mlp_bias"] = c.mlp_bias;
  if (c.bos_token_id >= 0) json["bos_token_id"] = c.bos_token_id;
  if (c.eos_token_ids.size() == 1) json["eos_token_id"] = c.eos_token_ids[0];
  if (c.eos_token_ids.size() > 1) json["eos_token_id"] = boost::json::value_from(c.eos_token_ids);
  json["torch_dtype"] = dtype;
  json["use_cache"] = true;
  return boost::json::serialize(json);
}

}  // namespace hearth::llm
