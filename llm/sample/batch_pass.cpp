// One pass of a SampleBatch: rows of all planned runs through the model, then what each takes from its rows.
#include <algorithm>
#include <functional>

#include "hearth/core/grad_mode.h"
#include "hearth/ops/create.h"
#include "hearth/ops/cross_entropy.h"
#include "hearth/ops/view.h"
#include "llm/sample/batch_state.h"

namespace hearth::llm {

namespace {

Tensor whole_numbers(const std::vector<int64_t>& v) {
  return from_values<int64_t>(std::span<const int64_t>(v), {int64_t(v.size())});
}

/// Rows of one run behind rows of the run before: neighbours with the same adapter become one range.
void add_rows(std::vector<AdapterRows>& ranges, const LoraAdapter* adapter, int64_t begin, int64_t end) {
  if (!ranges.empty() && ranges.back().adapter == adapter && ranges.back().end == begin)
    ranges.back().end = end;
  else
    ranges.push_back({adapter, begin, end});
}

const LoraAdapter* adapter_of(const PlannedRun& p) { return p.run->job->request.adapter.get(); }

/// Whether the planned rows end a run's tokens, so that another one can be chosen.
bool completes(const PlannedRun& p) { return p.count == p.run->remaining() && p.run->job->allowed_tokens > 0; }

}  // namespace

/// What the model makes of planned runs: hidden states of all rows, logits of those that tokens are chosen from.
struct SampleBatch::State::Pass {
  std::vector<PlannedRun> planned;
  std::vector<int64_t> starts = {0};  ///< of each run's rows; one more at the end
  Tensor hidden;                      ///< [rows, hidden]
  Tensor log_probs;                   ///< [rows] of the prompts' own tokens; undefined when nobody wants any
  std::vector<int64_t> logits_row;    ///< of each run; -1: none
  Tensor logits;                      ///< [runs that complete, vocab]
};

SampleBatch::State::Pass SampleBatch::State::forward(std::span<const PlannedRun> planned) {
  Pass pass{{planned.begin(), planned.end()}};
  std::vector<int64_t> tokens, positions, sequences, targets;
  std::vector<AdapterRows> adapters, logits_adapters;
  std::vector<int64_t> last_rows;
  for (const PlannedRun& p : planned) {
    const BatchRun& run = *p.run;
    const int64_t begin = run.computed, end = begin + p.count, first = pass.starts.back();
    for (int64_t i = begin; i < end; ++i) tokens.push_back(run.tokens[size_t(i)]), positions.push_back(i);
    targets.resize(tokens.size(), ignored_token);
    if (run.sample < 0) run.job->scores.want_targets(begin, end, targets.data() + first);
    pass.starts.push_back(first + p.count);
    sequences.push_back(run.sequence);
    add_rows(adapters, adapter_of(p), first, first + p.count);
    pass.logits_row.push_back(completes(p) ? int64_t(last_rows.size()) : -1);
    if (!completes(p)) continue;
    add_rows(logits_adapters, adapter_of(p), int64_t(last_rows.size()), int64_t(last_rows.size()) + 1);
    last_rows.push_back(first + p.count - 1);
  }
  const TokenBatch batch = {whole_numbers(tokens), whole_numbers(positions), whole_numbers(pass.starts)};
  cache.begin(sequences, batch);
  pass.hidden = model.hidden(batch, RowAdapters(adapters), &cache);
  if (std::any_of(targets.begin(), targets.end(), [](int64_t t) { return t != ignored_token; }))
    pass.log_probs = model.log_probs(pass.hidden, whole_numbers(targets), RowAdapters(adapters));
  if (last_rows.empty()) return pass;
  const int64_t width = pass.hidden.size(1);
  const Tensor rows = Tensor::empty({int64_t(last_rows.size()), width});
  for (size_t i = 0; i < last_rows.size(); ++i)
    std::copy_n(pass.hidden.data<float>() + last_rows[i] * width, width, rows.data<float>() + int64_t(i) * width);
  pass.logits = model.logits(rows, RowAdapters(logits_adapters));
  return pass;
}

void SampleBatch::State::compute(std::vector<PlannedRun>& planned) {
  NoGrad guard;
  std::stable_sort(planned.begin(), planned.end(), [](const PlannedRun& a, const PlannedRun& b) {
    return std::less<>()(adapter_of(a), adapter_of(b));
  });
  std::optional<Pass> together;
  try {
    together = forward(planned);
  } catch (...) {
    if (planned.size() == 1) return fail(*planned[0].run->job, std::current_exception());
  }
  if (together) return commit(*together);
  // One of them is to blame: each alone, so that only it fails.
  for (const PlannedRun& p : planned) {
    std::optional<Pass> alone;
    if (p.run->over) continue;
    try {
      alone = forward({&p, 1});
    } catch (...) {
      fail(*p.run->job, std::current_exception());
    }
    if (alone) commit(*alone);
  }
}

void SampleBatch::State::commit(const Pass& pass) {
  score_prompts(pass);
  for (const PlannedRun& p : pass.planned) {
    p.run->computed += p.count;
    if (p.run->sample >= 0 || p.run->over || p.run->remaining() > 0 || p.run->job->allowed_tokens > 0) continue;
    p.run->over = true;
    --p.run->job->open;
  }
  if (pass.logits.defined()) draw(pass);
}

void SampleBatch::State::score_prompts(const Pass& pass) {
  for (size_t i = 0; i < pass.planned.size(); ++i) {
    BatchRun& run = *pass.planned[i].run;
    if (run.sample >= 0 || run.job->scores.done()) continue;
    const int64_t first = run.computed, count = pass.planned[i].count, at = pass.starts[i];
    PromptScores& scores = run.job->scores;
    try {
      if (pass.log_probs.defined()) scores.take_log_probs(first, first + count, pass.log_probs.data<float>() + at);
      scores.score_rows(model, adapter_of(pass.planned[i]), narrow(pass.hidden, 0, at, count), first, first + count,
                        vocabulary);
      scores.advance(first + count);
    } catch (...) {
      fail(*run.job, std::current_exception());
    }
  }
}

void SampleBatch::State::draw(const Pass& pass) {
  constexpr size_t none = size_t(-1);
  std::vector<RowDraw> draws;
  std::vector<size_t> first(pass.planned.size(), none);
  std::vector<std::vector<std::unique_ptr<Continuation>>> parting(pass.planned.size());
  const auto add = [&](const BatchJob& job, int64_t row, Sampler& sampler) {
    RowDraw& draw = draws.emplace_back();
    draw.row = row;
    draw.sampler = &sampler;
    draw.temperature = job.request.params.temperature;
    draw.top_k = job.request.topk_sample_logprobs;
  };
  for (size_t i = 0; i < pass.planned.size(); ++i) {
    BatchRun& run = *pass.planned[i].run;
    if (pass.logits_row[i] < 0 || run.over) continue;
    first[i] = draws.size();
    if (run.sample >= 0) {
      add(*run.job, pass.logits_row[i], run.continuation->sampler);
      continue;
    }
    for (int64_t s = 0; s < run.job->request.num_samples; ++s) {
      parting[i].push_back(std::make_unique<Continuation>(run.job->request, s, ends, tokenizer));
      add(*run.job, pass.logits_row[i], parting[i].back()->sampler);
    }
  }
  draw_tokens(pass.logits, vocabulary, draws);
  for (size_t i = 0; i < pass.planned.size(); ++i) {
    // A callback may have ended it meanwhile.
    const RunAt run = pass.planned[i].run;
    if (first[i] == none || run->over) continue;
    if (run->sample >= 0)
      take(*run, draws[first[i]]);
    else
      part(run, std::move(parting[i]), std::span(draws).subspan(first[i]));
  }
}

void SampleBatch::State::take(BatchRun& run, RowDraw& draw) {
  BatchJob& job = *run.job;
  if (draw.error) return fail(job, draw.error);
  SampledSequence& out = job.result.sequences[size_t(run.sample)];
  run.tokens.push_back(draw.token);
  out.tokens.push_back(draw.token);
  out.logprobs.push_back(draw.logprob);
  out.top.tokens.insert(out.top.tokens.end(), draw.top.tokens.begin(), draw.top.tokens.end());
  out.top.logprobs.insert(out.top.logprobs.end(), draw.top.logprobs.begin(), draw.top.logprobs.end());
  try {
    bool over = int64_t(out.tokens.size()) >= job.allowed_tokens;
    SampledToken token{.sample = run.sample, .token = draw.token, .logprob = draw.logprob};
    token.text = run.continuation->take(draw.token, over);
    if (run.continuation->stopped()) over = true, out.reason = FinishReason::stop;
    out.text += token.text;
    token.top_tokens = draw.top.tokens;
    token.top_logprobs = draw.top.logprobs;
    if (job.request.on_token && !job.request.on_token(token)) over = true;
    if (over && !run.over) --job.open;
    run.over = run.over || over;
  } catch (...) {
    fail(job, std::current_exception());
  }
}

/// The prompt is computed: each continuation takes its first token, and those that go on share the prompt's pages.
void SampleBatch::State::part(RunAt prompt, std::vector<std::unique_ptr<Continuation>> continuations,
                              std::span<RowDraw> draws) {
  BatchJob& job = *prompt->job;
  const RunAt behind = std::next(prompt);
  for (size_t s = 0; s < continuations.size() && !prompt->over; ++s) {
    BatchRun run{.job = &job, .sample = int64_t(s), .tokens = prompt->tokens, .computed = prompt->computed};
    run.continuation = std::move(continuations[s]);
    take(run, draws[s]);
    if (run.over || job.error || job.cancelled) continue;
    run.sequence = cache.fork(prompt->sequence, prompt->computed);
    runs.insert(behind, std::move(run));
  }
  if (prompt->over) return;
  prompt->over = true;
  --job.open;
}

void SampleBatch::State::end_runs(const BatchJob& job) {
  for (BatchRun& run : runs)
    if (run.job == &job) run.over = true;
}

void SampleBatch::State::fail(BatchJob& job, std::exception_ptr error) {
  if (!job.error) job.error = error;
  end_runs(job);
}

}  // namespace hearth::llm
