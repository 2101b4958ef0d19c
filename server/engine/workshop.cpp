// Workshop: choosing what executes a request, measuring it, and what models keep beside their trainers.
#include "server/engine/workshop.h"

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

// BLAKE2b's speed, guessed low.
constexpr double hash_bytes_per_second = 5e8;

}  // namespace

Failure failure_of(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    const bool ours = e.kind() == ErrorKind::Io || e.kind() == ErrorKind::OutOfMemory || e.kind() == ErrorKind::Device;
    return {e.what(), ours ? FailureCategory::server : FailureCategory::user};
  } catch (const std::bad_alloc&) {
    return {"out of memory", FailureCategory::server};
  } catch (const std::exception& e) {
    return {e.what(), FailureCategory::server};
  } catch (...) {
    return {"unknown error", FailureCategory::server};
  }
}

StepReport Workshop::barrier(const Job& job) {
  StepReport report;
  if (job.refused) {
    report.results.emplace_back().failure = job.refused;
    report.memory = memory();
    return report;
  }
  const auto begin = std::chrono::steady_clock::now();
  JobResult result;
  try {
    if (const auto* create_model = std::get_if<CreateModel>(job.command.get()))
      result = create(job, *create_model);
    else if (const auto* load_weights = std::get_if<LoadWeights>(job.command.get()))
      result = load_weights->creates() ? load_new(job, *load_weights) : load(job, *load_weights);
    else if (const auto* step = std::get_if<OptimStep>(job.command.get()))
      result = optim_step(job, *step);
    else if (const auto* save_weights = std::get_if<SaveWeights>(job.command.get()))
      result = save(job, *save_weights);
    else
      fail<ValueError>("operation: cannot run as a step of its own");
  } catch (...) {
    result = JobResult{};
    result.failure = failure_of(std::current_exception());
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (Trainer* trainer = find(job.model.id)) {
    note_work(job.model.id, job.seq_id, report.seconds);
    if (!replaying_) try {
        result.recovery = recovery_point(job.model.id, *trainer, false);
      } catch (const std::exception&) {
        // The journal holds everything; a disk that cannot take the checkpoint will be seen by the next save.
      }
  }
  report.results.push_back(std::move(result));
  report.memory = memory();
  return report;
}

Trainer* Workshop::find(const std::string& model_id) {
  const auto found = trainers_.find(model_id);
  return found == trainers_.end() ? nullptr : &found->second;
}

Trainer& Workshop::need(const Job& job) {
  Trainer* trainer = find(job.model.id);
  check<ValueError>(trainer,
                    "model: does not exist (any more), its creation failed or it was unloaded: ", job.model.id);
  return *trainer;
}

void Workshop::add_trainer(const std::string& model_id, const Base& base, llm::LoraTrainer trainer) {
  const int64_t bytes = trainer.bytes();
  check<OutOfMemoryError>(options_.memory == 0 || used_bytes() + bytes <= options_.memory, "create_model: needs ",
                          bytes, " bytes, ", used_bytes(), " of ", options_.memory, " are in use");
  trainers_.insert_or_assign(model_id, Trainer{std::move(trainer), base.served.name, 0, -1, 0, 0});
}

void Workshop::note_work(const std::string& model_id, int64_t seq_id, double seconds) {
  Trainer* trainer = find(model_id);
  if (!trainer) return;
  trainer->seq_id = seq_id;
  trainer->replay_seconds += seconds;
  trainer->unhashed_seconds += seconds;
}

void Workshop::hash_state(Trainer& trainer, JobResult& result, bool always) {
  const double cost = static_cast<double>(trainer.trainer.bytes()) / hash_bytes_per_second;
  if (!always && cost > options_.hash_share * trainer.unhashed_seconds) return;
  result.state_hash = trainer.trainer.state_hash();
  trainer.unhashed_seconds = 0;
}

int64_t Workshop::used_bytes() const {
  const auto figures = memory();
  return figures.base_bytes + figures.trainer_bytes + figures.sampler_bytes + figures.cache_bytes;
}

MemoryFigures Workshop::memory() const {
  MemoryFigures figures;
  figures.base_bytes = bases_.bytes();
  for (const auto& [id, trainer] : trainers_) figures.trainer_bytes += trainer.trainer.bytes();
  figures.sampler_bytes = adapters_.bytes();
  figures.cache_bytes = bases_.cache_bytes();
  return figures;
}

}  // namespace hearth::server
