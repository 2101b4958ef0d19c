// What the next step of a SampleBatch computes: who has a place, who has pages, how much of which prompt.
#include <algorithm>

#include "llm/sample/batch_state.h"

namespace hearth::llm {

namespace {

int64_t common_prefix(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  const size_t most = std::min(a.size(), b.size());
  return std::mismatch(a.begin(), a.begin() + long(most), b.begin()).first - a.begin();
}

/// Tokens of a beginning that must be on their way before it is worth waiting a step for whoever computes them.
constexpr int64_t worth_waiting = 16;

}  // namespace

/// Where a run's beginning may be taken from.
struct SampleBatch::State::Source {
  int64_t sequence = -1;
  int64_t length = 0;
  bool wait = false;  ///< an older run is computing more of it
  int64_t kept = -1;  ///< index of the kept sequence that it is
};

SampleBatch::State::Source SampleBatch::State::find_source(const BatchRun& run, int64_t limit) {
  Source best;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].adapter != run.job->request.adapter) continue;
    const int64_t length = std::min(limit, common_prefix(kept[i].tokens, run.tokens));
    if (length > best.length) best = {kept[i].sequence, length, false, int64_t(i)};
  }
  int64_t coming = 0;
  bool older = true;
  for (const BatchRun& other : runs) {
    if (&other == &run) older = false;
    if (&other == &run || other.over || other.sequence < 0 || other.job->request.adapter != run.job->request.adapter)
      continue;
    const int64_t shared = std::min(limit, common_prefix(other.tokens, run.tokens));
    if (older) coming = std::max(coming, shared);
    const int64_t length = std::min(shared, other.computed);
    if (length > best.length) best = {other.sequence, length, false, -1};
  }
  best.wait = coming >= best.length + worth_waiting;
  return best;
}

void SampleBatch::State::admit() {
  while (!queue.empty() && int64_t(runs.size()) < limits.running) {
    BatchJob& job = *queue.front();
    queue.pop_front();
    job.started = true;
    const int64_t samples = job.request.num_samples;
    job.result.sequences.resize(size_t(samples));
    for (SampledSequence& s : job.result.sequences) s.top.k = job.request.topk_sample_logprobs;
    if (job.allowed_tokens == 0 && job.scores.done()) continue;
    job.open = 1 + (job.allowed_tokens > 0 ? samples : 0);
    runs.push_back({.job = &job, .tokens = job.request.prompt});
  }
}

void SampleBatch::State::drop_kept(size_t index) {
  cache.remove(kept[index].sequence);
  kept.erase(kept.begin() + long(index));
}

void SampleBatch::State::release(BatchRun& run) {
  if (run.sequence >= 0) cache.remove(run.sequence);
  run.sequence = -1;
  run.computed = 0;
}

void SampleBatch::State::keep(BatchRun& run) {
  if (limits.kept_sequences <= 0 || run.sequence < 0 || run.computed == 0) return release(run);
  std::vector<int32_t> tokens(run.tokens.begin(), run.tokens.begin() + long(run.computed));
  // What is a beginning of the new one need not stay beside it.
  for (size_t i = kept.size(); i-- > 0;)
    if (kept[i].adapter == run.job->request.adapter &&
        common_prefix(kept[i].tokens, tokens) == int64_t(kept[i].tokens.size()))
      drop_kept(i);
  while (int64_t(kept.size()) >= limits.kept_sequences) drop_kept(0);
  kept.push_back({run.job->request.adapter, std::move(tokens), run.sequence});
  run.sequence = -1;
  run.computed = 0;
}

/// Gives a run its sequence, with as much of its beginning as somebody else has. False: not in this step; `full` when
/// that is for want of pages.
bool SampleBatch::State::begin(RunAt run, bool& full, int64_t planned_pages) {
  const int64_t length = int64_t(run->tokens.size());
  int64_t limit = length - 1;  // at least the last token is computed anew: its logits are needed
  if (run->sample < 0 && !run->job->scores.done()) limit = std::min(limit, run->job->scores.next_row());
  Source source = find_source(*run, limit);
  if (source.wait) return false;
  const bool alone = std::none_of(runs.begin(), run, [](const BatchRun& r) { return r.sequence >= 0; });
  const int64_t page = KvCache::page_size;
  // Each older run may need another page soon; who begins now must not take it.
  const int64_t wanted = length / page + 1 - source.length / page + int64_t(std::distance(runs.begin(), run));
  while (!alone && cache.pages_left() - planned_pages < wanted) {
    size_t victim = 0;
    if (int64_t(victim) == source.kept) ++victim;
    if (victim >= kept.size()) {
      full = true;
      return false;
    }
    drop_kept(victim);
    if (source.kept > int64_t(victim)) --source.kept;
  }
  run->sequence = source.length > 0 ? cache.fork(source.sequence, source.length) : cache.add();
  run->computed = source.length;
  if (run->sample < 0) run->job->result.cached_tokens = source.length;
  return true;
}

/// Sees to it that the pages for `count` more tokens of a run can be taken: kept sequences go first, then younger runs.
bool SampleBatch::State::make_pages(RunAt run, int64_t count, int64_t planned_pages) {
  while (cache.pages_left() - planned_pages <
         cache.pages_to_write(run->sequence, run->computed, run->computed + count)) {
    if (!kept.empty()) {
      drop_kept(0);
      continue;
    }
    auto victim = std::find_if(runs.rbegin(), std::make_reverse_iterator(std::next(run)),
                               [](const BatchRun& r) { return r.sequence >= 0; });
    if (victim == std::make_reverse_iterator(std::next(run))) return false;
    release(*victim);
  }
  return true;
}

std::vector<PlannedRun> SampleBatch::State::plan() {
  std::vector<PlannedRun> planned;
  int64_t budget = limits.step_tokens, pages = 0;
  bool full = false;
  for (auto run = runs.begin(); run != runs.end() && int64_t(planned.size()) < limits.running; ++run) {
    if (run->sequence < 0 && (full || !begin(run, full, pages))) continue;
    const int64_t count = run->remaining() == 1 ? 1 : std::min(run->remaining(), budget);
    if (count == 0 || !make_pages(run, count, pages)) continue;
    if (run->remaining() > 1) budget -= count;
    pages += cache.pages_to_write(run->sequence, run->computed, run->computed + count);
    planned.push_back({run, count});
  }
  return planned;
}

}  // namespace hearth::llm
