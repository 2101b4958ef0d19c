// Evaluation: the mean loss of a model on a file.
#include "llm/tune/evaluate.h"

#include <algorithm>
#include <cmath>

#include "hearth/core/error.h"
#include "hearth/core/grad_mode.h"
#include "hearth/ops/create.h"
#include "llm/lora/files.h"
#include "llm/loss/token_log_probs.h"
#include "llm/tune/dataset.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::llm {

namespace {

constexpr int64_t batch_entries = 2048;

/// Appends an example whose inputs fit the context whole; a longer one is cut to the context, or into windows of it,
/// each of which begins with the last token of the one before. Returns whether it was longer.
bool append_example(const TokenExample& example, int64_t context, bool windows, int64_t number,
                    std::vector<PackedBatch>& batches) {
  const int64_t length = int64_t(example.tokens.size());
  const bool fits = length <= context + 1;
  for (int64_t first = 0; first + 1 < length; first += context - 1) {
    const int64_t count = fits ? length : std::min(context, length - first);
    if (batches.empty() || batches.back().size() + count - 1 > batch_entries) batches.emplace_back();
    batches.back().append(example.tokens.data() + first, example.weights.data() + first, count, number);
    if (fits || !windows) break;
  }
  return !fits;
}

void add_up(const CausalLm& model, const LoraAdapter* adapter, const PackedBatch& batch, double& total,
            int64_t& tokens) {
  const std::vector<float> log_probs = to_vector<float>(token_log_probs(model, batch, adapter));
  for (size_t i = 0; i < log_probs.size(); ++i) {
    if (batch.weights[i] == 0) continue;
    total -= double(log_probs[i]);
    ++tokens;
  }
}

}  // namespace

Evaluation evaluate(const EvaluateOptions& options, const std::function<void(int64_t, int64_t)>& progress) {
  NoGrad guard;
  std::optional<Dtype> dtype;
  if (!options.dtype.empty()) dtype = dtype_from_name(options.dtype);
  const auto model = load_model(options.model, dtype);
  const Tokenizer tokenizer = load_model_tokenizer(options.model, model->config());
  std::optional<LoraAdapter> adapter;
  if (!options.adapter.empty())
    adapter.emplace(load_adapter(options.adapter, model->linear_layers(), base_fingerprint(model->named_parameters())));
  TuneOptions reading;
  reading.model = options.model;
  reading.format = options.format;
  reading.train_on_prompt = options.with_prompts;
  reading.add_eos = false;
  reading.on_empty = BadExample::skip;
  reading.limit = options.limit;
  reading.max_chars = options.max_chars;
  TuneData data = load_tune_data(options.data, tokenizer, reading);
  check<ValueError>(data.kind != ExampleKind::preference,
                    "eval: preference pairs have no single answer to score: ", options.data);
  Evaluation result;
  if (!data.note.empty()) result.notes.push_back(data.note);
  const int64_t count = int64_t(data.examples.size());
  const int64_t context = model->config().max_position_embeddings;
  int64_t cut = 0;
  double total = 0;
  for (int64_t i = 0; i < count;) {
    // As many examples as fill a batch or two; a long one makes several.
    std::vector<PackedBatch> batches;
    while (i < count && batches.size() < 2) {
      cut += append_example(data.examples[size_t(i)], context, options.windows, i, batches);
      ++i;
    }
    for (const PackedBatch& batch : batches) add_up(*model, adapter ? &*adapter : nullptr, batch, total, result.tokens);
    if (progress) progress(i, count);
  }
  check<ValueError>(result.tokens > 0, "eval: nothing to score in ", options.data);
  if (cut > 0)
    result.notes.push_back(
        std::to_string(cut) + " examples are longer than the model's context of " + std::to_string(context) +
        " tokens: " + (options.windows ? "scored in windows" : "only their beginning was scored (see --windows)"));
  result.loss = total / double(result.tokens);
  check<ValueError>(std::isfinite(result.loss), "eval: loss is not finite: ", result.loss, ": ", options.model);
  result.examples = count;
  return result;
}

}  // namespace hearth::llm
