// Families: the table of model types.
#include "llm/models/families.h"

#include "hearth/core/error.h"

namespace hearth::llm {

const std::vector<const Family*>& families() {
  static const std::vector<const Family*> all = {&llama_family, &qwen2_family, &qwen3_family};
  return all;
}

const Family& find_family(const std::string& model_type) {
  std::string known;
  for (const Family* family : families()) {
    if (family->model_type == model_type) return *family;
    known += std::string(known.empty() ? "" : ", ") + family->model_type;
  }
  fail<NotImplementedError>("model: model_type '", model_type, "' is not known; hearth has: ", known);
}

}  // namespace hearth::llm
