// The tokenizer that belongs to a model.
#include "llm/weights/tokenizer_of.h"

#include <filesystem>

#include "hearth/core/error.h"

namespace hearth::llm {

std::string tokenizer_folder(const std::string& model_path) {
  if (std::filesystem::is_directory(model_path)) return model_path;
  const std::string parent = std::filesystem::path(model_path).parent_path();
  return parent.empty() ? "." : parent;
}

Tokenizer load_model_tokenizer(const std::string& model_path, const DecoderConfig& config) {
  const std::string folder = tokenizer_folder(model_path);
  Tokenizer tokenizer = load_tokenizer(folder, int32_t(config.vocab_size));
  check<ValueError>(tokenizer.vocab_size() <= config.vocab_size, "tokenizer: does not match the model: it has ",
                    tokenizer.vocab_size(), " tokens, the model's vocabulary ", config.vocab_size, ": ", folder);
  return tokenizer;
}

}  // namespace hearth::llm
