// Qwen3, dense: RMS norm on every head of q and k, a head size of its own.
#include "llm/models/families.h"

namespace hearth::llm {

namespace {
void read(const JsonObject& json, DecoderConfig& config) {
  config.qkv_bias = config.output_bias = json.get_bool("attention_bias", false);
  config.qk_norm = true;
  if (!json.has("head_dim")) config.head_dim = 128;
}
}  // namespace

const Family qwen3_family = {"qwen3", "Qwen3ForCausalLM", read};

}  // namespace hearth::llm
