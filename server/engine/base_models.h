// BaseModels: the models that are served, loaded when first needed and shared by all who train or sample on them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "llm/models/causal_lm.h"
#include "llm/sample/sample_batch.h"
#include "llm/tokenizer/tokenizer.h"
#include "server/engine/answers.h"
#include "server/engine/options.h"

namespace hearth::server {

/// What a client's base model means: the name of a served one, for its name or its folder. Raises ValueError listing
/// what is served. Example: resolve_base(options.models, "bundled")
const ServedModel& resolve_base(const std::vector<ServedModel>& served, const std::string& wanted);

/// What the config file of a served model says. Raises IoError, ValueError.
BaseModelInfo describe_base(const ServedModel& served);

/// A loaded base model. Its weights never change.
struct Base {
  ServedModel served;
  std::shared_ptr<const llm::CausalLm> model;
  std::unique_ptr<llm::Tokenizer> tokenizer;  ///< null where the folder has none
  std::string fingerprint;
  std::unique_ptr<llm::SampleBatch> samples;
  int64_t bytes = 0;
};

/// Lives on the worker thread.
class BaseModels {
 public:
  explicit BaseModels(const EngineOptions& options) : options_(options) {}
  /// Loads it when it is not there yet. Raises ValueError for one that is not served, IoError, OutOfMemoryError when
  /// `used` bytes and the model together pass the limit.
  Base& get(const std::string& name, int64_t used);
  /// The same without loading; null when nobody needed it yet.
  Base* find(const std::string& name);
  int64_t bytes() const;
  int64_t cache_bytes() const;
  const std::map<std::string, Base>& loaded() const { return loaded_; }

 private:
  const EngineOptions& options_;
  std::map<std::string, Base> loaded_;
};

}  // namespace hearth::server
