// Batches of a run and their losses, for every kind of data.
#pragma once

#include <memory>

#include "llm/tune/dataset.h"
#include "llm/tune/trainable.h"

namespace hearth::llm {

/// Data split in two, as batches. A step's loss is the mean over its learnt tokens, or over its preference pairs.
class TuneBatches {
 public:
  /// Raises ValueError (see PackedBatches) when nothing is left to train on.
  TuneBatches(TuneData train, TuneData validation, const TuneOptions& options);

  struct Step {
    PackedBatch batch;     ///< preference data: the chosen answers
    PackedBatch rejected;  ///< preference data only
    int64_t tokens() const { return batch.size() + rejected.size(); }
  };
  Step next();
  Tensor loss(const Trainable& trainable, const Step& step, const DropoutSeed& dropout) const;

  /// Mean loss of the validation part; nothing when there is none.
  std::optional<double> validate(const Trainable& trainable) const;

  /// Log-probabilities of the data under the model as it is now, the reference of preference data.
  void compute_reference(const Trainable& trainable);

  DataPosition position() const { return batches_.position(); }
  void seek(const DataPosition& position) { batches_.seek(position); }
  int64_t batches_in_epoch() const { return batches_.batches_in_epoch(0); }
  const PackingReport& report() const { return batches_.report(); }
  int64_t validation_examples() const { return int64_t(validation_.examples.size()); }
  ExampleKind kind() const { return kind_; }

 private:
  struct Reference {
    std::vector<float> chosen, rejected;
  };
  Tensor preference_loss(const Trainable& trainable, const Step& step, const Reference& reference,
                         const DropoutSeed& dropout) const;
  Reference reference_of(const Trainable& trainable, const TuneData& data) const;

  ExampleKind kind_;
  double dpo_beta_;
  int64_t batch_size_;
  TuneData train_, validation_;
  PackedBatches batches_;
  Reference train_reference_, validation_reference_;
};

}  // namespace hearth::llm
