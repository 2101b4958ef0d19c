// Workshop: everything that computes, on the worker thread: base models, trainers, adapters, running samples.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "llm/tune/lora_trainer.h"
#include "server/engine/adapter_cache.h"
#include "server/engine/base_models.h"
#include "server/engine/job.h"
#include "server/engine/options.h"
#include "server/store/folders.h"

namespace hearth::server {

/// A model in training: its trainer and what a restart would have to do again.
struct Trainer {
  llm::LoraTrainer trainer;
  std::string base;
  int64_t seq_id = 0;           ///< last operation that it did
  int64_t recovery_seq = -1;    ///< newest state on disk
  double replay_seconds = 0;    ///< what doing the operations since again would take
  double unhashed_seconds = 0;  ///< work since the last state hash
};

/// Knows no thread and no clock but the measuring one; `hearth replay` uses it too.
class Workshop {
 public:
  Workshop(const EngineOptions& options, Folders& folders)
      : options_(options), folders_(folders), bases_(options), adapters_(options.sampler_cache_bytes) {}

  /// Forward and forward-backward requests of models over one base, merged. (forward_backward.cpp)
  /// `between` may sample, see `sample_beside`.
  StepReport passes(const std::vector<Job>& jobs, const std::function<void()>& between = {});
  /// One request that changes a model as a whole.
  StepReport barrier(const Job& job);
  /// Frees a model; nothing happens when it is not there.
  void unload(const std::string& model_id) { trainers_.erase(model_id); }

  /// Brings a model back: its recovery checkpoint or its beginning, then its journal. (restore.cpp)
  RestoreReport restore(const ModelRecord& model, const std::vector<OperationRecord>& journal);
  /// States on disk of all models that have changed and have no gradient. (recovery_point.cpp)
  std::map<std::string, RecoveryPoint> recovery_points();

  // Sampling (sample.cpp).
  void add_sample(SampleJob job, std::function<void(FinishedSampleJob)> done);
  StreamedToken streamed(const std::string& base, const llm::SampledToken& token);
  bool cancel_sample(const std::string& request_id);
  /// Forgets adapters of samplers; those that requests run on stay until these end.
  void drop_adapters(const std::vector<std::string>& hashes);
  /// Begins a slice of time for a base's samples; `continue_slice` does a step of it and says whether there is more.
  void begin_slice(const std::string& base, std::chrono::duration<double> length);
  void shorten_slice(std::chrono::duration<double> length);
  bool continue_slice();
  SliceReport slice_report() const;
  /// Between two parts of a step of training that began at `since`: samples for as long as sampling's share of the time
  /// is behind.
  void sample_beside(std::chrono::steady_clock::time_point since, double training_share);

  MemoryFigures memory() const;
  Trainer* find(const std::string& model_id);
  BaseModels& bases() { return bases_; }

 private:
  struct RunningSample {
    std::string request_id, base;
    SampleJob job;
    std::function<void(FinishedSampleJob)> done;
  };

  int64_t used_bytes() const;
  Trainer& need(const Job& job);
  void add_trainer(const std::string& model_id, const Base& base, llm::LoraTrainer trainer);
  JobResult create(const Job& job, const CreateModel& command);
  JobResult load(const Job& job, const LoadWeights& command);
  JobResult load_new(const Job& job, const LoadWeights& command);
  JobResult optim_step(const Job& job, const OptimStep& command);
  JobResult save(const Job& job, const SaveWeights& command);
  void note_work(const std::string& model_id, int64_t seq_id, double seconds);
  void hash_state(Trainer& trainer, JobResult& result, bool always);
  std::optional<RecoveryPoint> recovery_point(const std::string& model_id, Trainer& trainer, bool always);
  void restore_beginning(const ModelRecord& model, const std::vector<OperationRecord>& journal);
  size_t replay_from(const ModelRecord& model, const std::vector<OperationRecord>& journal, size_t at,
                     RestoreReport& report);
  void compare_state(const ModelRecord& model, const OperationRecord& operation, RestoreReport& report);
  AdapterCache::Adapter adapter_of(const Base& base, const SampleJob& job);
  llm::SampleRequest request_of(const Base& base, const SampleJob& job);
  void sample_step(Base& base);
  void finish_sample(RunningSample running, llm::FinishedSample finished);

  const EngineOptions& options_;
  Folders& folders_;
  BaseModels bases_;
  AdapterCache adapters_;
  std::map<std::string, Trainer> trainers_;
  bool replaying_ = false;  // no recovery points meanwhile: nobody would note them
  std::map<std::pair<std::string, uint64_t>, RunningSample> samples_;  // by base and number in its batch
  std::map<std::string, std::pair<std::string, uint64_t>> sample_of_;  // by request
  std::string slice_base_;
  std::chrono::steady_clock::time_point slice_begin_, slice_end_;
  SliceReport slice_;
  std::map<std::string, double> beside_;  // seconds of sampling in this step of training
};

/// An exception as what a client is told: its own mistakes (bad values, shapes, names) or ours.
Failure failure_of(std::exception_ptr error);
/// The datums and the loss as the trainer takes them. Raises ValueError.
std::vector<llm::TrainDatum> train_data(const std::vector<Datum>& data);
llm::LossSpec loss_spec(const ForwardBackward& command);
int64_t tokens_of(const std::vector<Datum>& data);

}  // namespace hearth::server
