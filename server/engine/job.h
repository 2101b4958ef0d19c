// Jobs: what the loop hands to the worker, and what comes back. Plain values; nothing is shared between the threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llm/sample/sample_batch.h"
#include "server/engine/answers.h"
#include "server/store/records.h"
#include "server/wire/command.h"
#include "server/wire/result.h"

namespace hearth::server {

/// One training request, with what the loop looked up for it.
struct Job {
  ModelRecord model;
  std::string request_id;
  int64_t seq_id = 0;
  std::shared_ptr<const TrainingCommand> command;
  std::optional<Failure> refused;          ///< fails with it
  std::optional<CheckpointRecord> source;  ///< what a load reads
};

/// A model's state on disk after operation `seq_id`.
struct RecoveryPoint {
  int64_t seq_id = 0;
  std::string folder, hash;
};

/// What one request ended as: a payload or a failure, and what has to be written beside it.
struct JobResult {
  std::optional<Payload> payload;
  std::optional<Failure> failure;
  std::string state_hash;
  int64_t tokens = 0;
  std::optional<ModelRecord> model;  ///< with what creating it found out
  std::optional<CheckpointRecord> checkpoint;
  std::optional<SamplerRecord> sampler;
  std::optional<RecoveryPoint> recovery;
};

/// Memory that the worker holds.
struct MemoryFigures {
  int64_t base_bytes = 0, trainer_bytes = 0, sampler_bytes = 0, cache_bytes = 0;
};

struct StepReport {
  std::vector<JobResult> results;        ///< one for each job, in order
  double seconds = 0;                    ///< of the jobs
  std::map<std::string, double> beside;  ///< seconds of sampling between their parts, by base
  MemoryFigures memory;
};

/// What bringing a model back found.
struct RestoreReport {
  std::string trouble;          ///< not empty: the model cannot be brought back; its requests fail with these words
  std::string difference;       ///< not empty: replay gave other bits, in words
  bool other_platform = false;  ///< a difference was to be expected: another processor or build computed the record
  int64_t replayed = 0;
  /// Of requests that had run and whose result was not written down before later ones were.
  std::vector<std::pair<int64_t, JobResult>> results;
  double seconds = 0;
  MemoryFigures memory;
};

/// One sampling request.
struct SampleJob {
  std::string request_id;
  std::shared_ptr<const Sample> sample;
  uint64_t seed = 0;
  std::string base;
  std::string adapter_folder, adapter_hash;  ///< relative to the store; empty: the base model itself
  /// Of streams: text is decoded and each token told, on the worker thread.
  std::function<bool(const llm::SampledToken&)> on_token;
  Prompt prompt;  ///< text or messages take the place of the sample's tokens
  bool text = false;
};

struct FinishedSampleJob {
  std::string request_id;
  std::optional<Payload> payload;
  std::optional<Failure> failure;
  std::optional<StreamEnd> end;  ///< of streams, instead of a payload
  int64_t prompt_tokens = 0, cached_tokens = 0, sampled_tokens = 0;
};

/// What a slice of sampling did.
struct SliceReport {
  double seconds = 0;
  int64_t steps = 0;
  MemoryFigures memory;
};

}  // namespace hearth::server
