// SampleBatch: the queue, the steps and what is handed back.
#include "llm/sample/sample_batch.h"

#include <algorithm>

#include "llm/sample/batch_state.h"

namespace hearth::llm {

BatchJob::BatchJob(uint64_t id_, SampleRequest request_)
    : id(id_), request(std::move(request_)), scores(request, result) {}

SampleBatch::State::State(const CausalLm& model_, const Tokenizer* tokenizer_, SampleLimits limits_)
    : model(model_),
      tokenizer(tokenizer_),
      limits(limits_),
      ends(end_tokens(model_.config(), tokenizer_)),
      vocabulary(tokenizer_ ? std::min<int64_t>(tokenizer_->vocab_size(), model_.config().vocab_size)
                            : model_.config().vocab_size),
      cache(model_.config(), Dtype::float32, limits_.cache_bytes) {
  hearth::check<ValueError>(limits.running >= 1, "sample: limits: running must be positive: ", limits.running);
  hearth::check<ValueError>(limits.step_tokens >= 1,
                            "sample: limits: step_tokens must be positive: ", limits.step_tokens);
  hearth::check<ValueError>(limits.kept_sequences >= 0,
                            "sample: limits: kept_sequences must be 0 or more: ", limits.kept_sequences);
  hearth::check<ValueError>(cache.max_pages() >= 1, "sample: limits: cache_bytes holds not one page of ",
                            KvCache::page_size, " tokens: ", limits.cache_bytes);
}

std::vector<FinishedSample> SampleBatch::State::sweep() {
  for (RunAt run = runs.begin(); run != runs.end();) {
    if (!run->over) {
      ++run;
      continue;
    }
    // A cache with NaN in it must not be given to others.
    if (run->job->error || run->job->cancelled)
      release(*run);
    else
      keep(*run);
    run = runs.erase(run);
  }
  std::vector<FinishedSample> finished;
  for (auto job = jobs.begin(); job != jobs.end() && job->started;) {
    if (job->open > 0 && !job->error && !job->cancelled) {
      ++job;
      continue;
    }
    if (!job->cancelled) {
      finished.push_back({job->id, {}, job->error});
      if (!job->error) finished.back().result = std::move(job->result);
    }
    job = jobs.erase(job);
  }
  return finished;
}

SampleBatch::SampleBatch(const CausalLm& model, const Tokenizer* tokenizer, SampleLimits limits)
    : state_(std::make_unique<State>(model, tokenizer, limits)) {}
SampleBatch::~SampleBatch() = default;
SampleBatch::SampleBatch(SampleBatch&&) noexcept = default;

void SampleBatch::check(const SampleRequest& request) const {
  check_sample_request(request, state_->model, state_->tokenizer, state_->max_cached_tokens());
}

uint64_t SampleBatch::add(SampleRequest request) {
  check(request);
  State& s = *state_;
  BatchJob& job = s.jobs.emplace_back(s.next_id, std::move(request));
  const int64_t room = std::min(s.model.config().max_position_embeddings, s.max_cached_tokens());
  job.allowed_tokens = std::min(job.request.params.max_tokens, room - int64_t(job.request.prompt.size()));
  s.queue.push_back(&job);
  return s.next_id++;
}

bool SampleBatch::cancel(uint64_t id) {
  State& s = *state_;
  const auto job = std::find_if(s.jobs.begin(), s.jobs.end(), [&](const BatchJob& j) { return j.id == id; });
  if (job == s.jobs.end() || job->cancelled) return false;
  if (!job->started) {
    std::erase(s.queue, &*job);
    s.jobs.erase(job);
    return true;
  }
  // Within a step its runs may still be looked at; the step sweeps at its end.
  job->cancelled = true;
  s.end_runs(*job);
  if (!s.stepping) s.sweep();
  return true;
}

std::vector<FinishedSample> SampleBatch::step() {
  State& s = *state_;
  {
    struct Stepping {
      bool& flag;
      explicit Stepping(bool& f) : flag(f) { flag = true; }
      ~Stepping() { flag = false; }
    } stepping(s.stepping);
    s.admit();
    std::vector<PlannedRun> planned = s.plan();
    if (!planned.empty()) s.compute(planned);
  }
  return s.sweep();
}

bool SampleBatch::empty() const { return state_->jobs.empty(); }
int64_t SampleBatch::waiting() const { return int64_t(state_->queue.size()); }
int64_t SampleBatch::running() const { return int64_t(state_->runs.size()); }
int64_t SampleBatch::bytes() const { return state_->cache.bytes(); }
int64_t SampleBatch::cached_tokens() const { return state_->cache.pages_used() * KvCache::page_size; }

void SampleBatch::trim() {
  State& s = *state_;
  while (!s.kept.empty()) s.drop_kept(0);
  s.cache.trim();
}

}  // namespace hearth::llm
