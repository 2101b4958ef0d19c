// The inside of SampleBatch: requests under way, what runs for them, and what one step computes.
#pragma once

#include <deque>
#include <list>

#include "llm/blocks/kv_cache.h"
#include "llm/sample/continuation.h"
#include "llm/sample/prompt_scores.h"
#include "llm/sample/row_scores.h"

namespace hearth::llm {

/// A request that waits or runs.
struct BatchJob {
  BatchJob(uint64_t id, SampleRequest request);
  BatchJob(const BatchJob&) = delete;  // its scores refer to it

  uint64_t id;
  SampleRequest request;
  SampleResult result;
  PromptScores scores;
  int64_t allowed_tokens = 0;  ///< max_tokens, cut to the context
  int64_t open = 0;            ///< the prompt while it is computed, and continuations that are not finished
  bool started = false, cancelled = false;
  std::exception_ptr error;
};

/// A sequence of tokens that grows: a prompt that is being computed, or one continuation with its prompt.
struct BatchRun {
  BatchJob* job;
  int64_t sample = -1;  ///< -1: the prompt, before its continuations part
  std::vector<int32_t> tokens;
  int64_t computed = 0;   ///< tokens that the cache holds
  int64_t sequence = -1;  ///< of the cache; -1: none (not begun, or its pages were taken away)
  std::unique_ptr<Continuation> continuation;
  bool over = false;

  int64_t remaining() const { return int64_t(tokens.size()) - computed; }
};

/// A finished sequence whose cache stays for prompts that begin like it.
struct KeptSequence {
  std::shared_ptr<const LoraAdapter> adapter;
  std::vector<int32_t> tokens;
  int64_t sequence;
};

using RunAt = std::list<BatchRun>::iterator;

/// What one step computes of one run.
struct PlannedRun {
  RunAt run;
  int64_t count;
};

struct SampleBatch::State {
  State(const CausalLm& model, const Tokenizer* tokenizer, SampleLimits limits);

  // batch_plan.cpp
  void admit();
  std::vector<PlannedRun> plan();
  void release(BatchRun& run);
  void drop_kept(size_t index);

  // batch_pass.cpp
  void compute(std::vector<PlannedRun>& planned);

  int64_t max_cached_tokens() const { return cache.max_pages() * KvCache::page_size; }
  /// Removes what is over and returns the jobs that ended.
  std::vector<FinishedSample> sweep();
  /// Ends all runs of a job.
  void end_runs(const BatchJob& job);

  const CausalLm& model;
  const Tokenizer* tokenizer;
  const SampleLimits limits;
  const std::vector<int32_t> ends;
  const int64_t vocabulary;  ///< tokens that may be chosen
  KvCache cache;
  std::list<BatchJob> jobs;        ///< in order of their numbers
  std::deque<BatchJob*> queue;     ///< those that have not begun
  std::list<BatchRun> runs;        ///< the oldest first: they get pages and places before the others
  std::vector<KeptSequence> kept;  ///< the oldest first
  uint64_t next_id = 1;
  bool stepping = false;

 private:
  struct Source;
  Source find_source(const BatchRun& run, int64_t limit);
  bool begin(RunAt run, bool& full, int64_t planned_pages);
  bool make_pages(RunAt run, int64_t count, int64_t planned_pages);
  void keep(BatchRun& run);

  struct Pass;
  Pass forward(std::span<const PlannedRun> planned);
  void commit(const Pass& pass);
  void score_prompts(const Pass& pass);
  void draw(const Pass& pass);
  void take(BatchRun& run, RowDraw& draw);
  void part(RunAt prompt, std::vector<std::unique_ptr<Continuation>> continuations, std::span<RowDraw> draws);
  void fail(BatchJob& job, std::exception_ptr error);
};

/// Raises what SampleBatch::check does.
void check_sample_request(const SampleRequest& request, const CausalLm& model, const Tokenizer* tokenizer,
                          int64_t max_cached_tokens);

}  // namespace hearth::llm
