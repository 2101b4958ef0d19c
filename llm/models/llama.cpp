// Llama 1 to 3: no biases unless the config asks for them.
#include "llm/models/families.h"

namespace hearth::llm {

namespace {
void read(const JsonObject& json, DecoderConfig& config) {
  config.qkv_bias = config.output_bias = json.get_bool("attention_bias", false);
  config.mlp_bias = json.get_bool("mlp_bias", false);
}
}  // namespace

const Family llama_family = {"llama", "LlamaForCausalLM", read};

}  // namespace hearth::llm
