// Batches of a run and their losses.
#include "llm/tune/batches.h"

#include <algorithm>

#include "hearth/ops/create.h"
#include "hearth/ops/reduce.h"
#include "llm/loss/dpo.h"
#include "llm/loss/token_log_probs.h"

namespace hearth::llm {

namespace {

PackingOptions packing_options(const TuneOptions& o) {
  return {.batch_size = o.batch_size,
          .batch_tokens = o.batch_tokens,
          .max_length = o.max_length,
          .on_too_long = o.on_too_long,
          .on_empty = o.on_empty,
          .seed = o.seed};
}

void append(PackedBatch& batch, const TokenExample& example, int64_t number) {
  batch.append(example.tokens.data(), example.weights.data(), int64_t(example.tokens.size()), number);
}

/// Rows [from, from + count) of a part as one step, in order.
TuneBatches::Step in_order(const TuneData& data, size_t from, size_t count) {
  TuneBatches::Step step;
  for (size_t i = from; i < std::min(from + count, data.examples.size()); ++i) {
    append(step.batch, data.examples[i], int64_t(i));
    if (!data.rejected.empty()) append(step.rejected, data.rejected[i], int64_t(i));
  }
  return step;
}

Tensor pick(const std::vector<float>& values, const std::vector<int64_t>& rows) {
  std::vector<float> out;
  for (int64_t row : rows) out.push_back(values[size_t(row)]);
  return from_values<float>(std::span<const float>(out), {int64_t(out.size())});
}

}  // namespace

TuneBatches::TuneBatches(TuneData train, TuneData validation, const TuneOptions& options)
    : kind_(train.kind),
      dpo_beta_(options.dpo_beta),
      batch_size_(std::max<int64_t>(options.batch_size, 1)),
      train_(std::move(train)),
      validation_(std::move(validation)),
      batches_(train_.examples, packing_options(options)) {}

TuneBatches::Step TuneBatches::next() {
  Step step;
  step.batch = batches_.next();
  if (kind_ == ExampleKind::preference)
    for (int64_t row : step.batch.examples) append(step.rejected, train_.rejected[size_t(row)], row);
  return step;
}

Tensor TuneBatches::loss(const Trainable& trainable, const Step& step, const DropoutSeed& dropout) const {
  if (kind_ == ExampleKind::preference) return preference_loss(trainable, step, train_reference_, dropout);
  return batch_cross_entropy(trainable.model(), step.batch, trainable.adapter(), dropout);
}

Tensor TuneBatches::preference_loss(const Trainable& trainable, const Step& step, const Reference& reference,
                                    const DropoutSeed& dropout) const {
  const auto total = [&](const PackedBatch& batch) {
    return sequence_log_probs(token_log_probs(trainable.model(), batch, trainable.adapter(), dropout), batch);
  };
  return mean(dpo_losses(total(step.batch), total(step.rejected), pick(reference.chosen, step.batch.examples),
                         pick(reference.rejected, step.batch.examples), dpo_beta_));
}

TuneBatches::Reference TuneBatches::reference_of(const Trainable& trainable, const TuneData& data) const {
  NoGrad guard;
  Reference out;
  for (size_t i = 0; i < data.examples.size(); i += size_t(batch_size_)) {
    const Step step = in_order(data, i, size_t(batch_size_));
    const auto add = [&](const PackedBatch& batch, std::vector<float>& to) {
      const std::vector<float> sums =
          to_vector<float>(sequence_log_probs(token_log_probs(trainable.model(), batch), batch));
      to.insert(to.end(), sums.begin(), sums.end());
    };
    add(step.batch, out.chosen);
    add(step.rejected, out.rejected);
  }
  return out;
}

void TuneBatches::compute_reference(const Trainable& trainable) {
  if (kind_ != ExampleKind::preference) return;
  train_reference_ = reference_of(trainable, train_);
  validation_reference_ = reference_of(trainable, validation_);
}

std::optional<double> TuneBatches::validate(const Trainable& trainable) const {
  if (validation_.examples.empty()) return {};
  NoGrad guard;
  double total = 0, weight = 0;
  for (size_t i = 0; i < validation_.examples.size(); i += size_t(batch_size_)) {
    const Step step = in_order(validation_, i, size_t(batch_size_));
    if (kind_ == ExampleKind::preference) {
      total += preference_loss(trainable, step, validation_reference_, {}).item() * double(step.batch.sequences());
      weight += double(step.batch.sequences());
      continue;
    }
    const std::vector<float> lp = to_vector<float>(token_log_probs(trainable.model(), step.batch, trainable.adapter()));
    for (size_t j = 0; j < lp.size(); ++j) {
      total -= double(lp[j]) * double(step.batch.weights[j]);
      weight += double(step.batch.weights[j]);
    }
  }
  return total / weight;
}

}  // namespace hearth::llm
