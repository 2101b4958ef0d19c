// Qwen2 and Qwen2.5, dense: biases on q, k and v only.
#include "llm/models/families.h"

namespace hearth::llm {

namespace {
void read(const JsonObject&, DecoderConfig& config) { config.qkv_bias = true; }
}  // namespace

const Family qwen2_family = {"qwen2", "Qwen2ForCausalLM", read};

}  // namespace hearth::llm
