// EngineState, sampling: samples are written down with their seed, wait for their base, and are handed to the worker a
// few more at a time than it runs; streams go the same way without being written down.
#include <random>

#include "hearth/core/error.h"
#include "server/engine/state.h"

namespace hearth::server {
namespace {

constexpr int64_t clone_stride = 1'000'000'000;

uint64_t random_seed() {
  std::random_device device;
  return (uint64_t(device()) << 32 | device()) >> 1;  // fits a signed column
}

}  // namespace

void EngineState::sample(const std::string& owner, std::string body, const Then<Accepted>& then) {
  if (draining_) return then(Refusal{503, "the server is shutting down", 5});
  Sample sample;
  try {
    sample = decode_sample(body, options_.unknown);
  } catch (const std::exception& error) {
    return then(Refusal{400, error.what()});
  }
  const auto sampler = find_sampler(owner, sample.sampler_id);
  if (!sampler) return then(Refusal{404, "no such sampling session: " + sample.sampler_id});
  const Accepted accepted = accepted_sample(sample.sampler_id, sample.seq_id, sample.num_samples);
  if (const auto live = samples_.find(accepted.request_id); live != samples_.end()) {
    if (live->second.durable) return then(accepted);
    live->second.answers.push_back(then);
    return;
  }
  if (futures_.waits(accepted.request_id) || store_.read().sample(accepted.request_id)) return then(accepted);
  if (const auto refusal = session_refusal(owner, sampler->session_id)) return then(*refusal);
  const auto bytes = static_cast<int64_t>(body.size());
  if (samples_of_[owner] >= options_.quotas.waiting_samples || waiting_bytes_ + bytes > options_.waiting_bytes)
    return then(Refusal{429, "too many samples wait", 1});

  SampleEntry entry;
  entry.request_id = accepted.request_id;
  entry.owner = owner;
  entry.sampler_id = sample.sampler_id;
  entry.session_id = sampler->session_id;
  entry.seq_id = sample.seq_id;
  entry.bytes = bytes;
  entry.arrived = Clock::now();
  entry.answers.push_back(then);
  entry.job.request_id = accepted.request_id;
  entry.job.base = sampler->base_model;
  entry.job.adapter_folder = sampler->snapshot_folder;
  entry.job.adapter_hash = sampler->snapshot_hash;
  entry.job.seed = sample.seed.value_or(random_seed());
  SampleRecord record{accepted.request_id, sample.sampler_id, sample.seq_id, owner,
                      std::move(body),     entry.job.seed,    now(),         {}};
  entry.job.sample = std::make_shared<const Sample>(std::move(sample));
  ++samples_of_[owner];
  waiting_bytes_ += bytes;
  samples_.emplace(accepted.request_id, std::move(entry));
  write([record = std::move(record)](Tables& tables) { tables.insert(record); },
        [this, request_id = accepted.request_id](std::exception_ptr error) { sample_journaled(request_id, error); });
}

void EngineState::sample_journaled(const std::string& request_id, std::exception_ptr error) {
  const auto found = samples_.find(request_id);
  if (found == samples_.end()) return;
  SampleEntry& entry = found->second;
  const auto answers = std::exchange(entry.answers, {});
  if (error) {
    const Refusal refusal{503, "the request could not be written down: " + failure_of(error).message, 1};
    --samples_of_[entry.owner];
    waiting_bytes_ -= entry.bytes;
    samples_.erase(found);
    for (const auto& answer : answers) answer(refusal);
    return;
  }
  const Accepted accepted = accepted_sample(entry.sampler_id, entry.seq_id, entry.job.sample->num_samples);
  enqueue_sample(entry);
  for (const auto& answer : answers) answer(accepted);
  pump();
}

void EngineState::enqueue_sample(SampleEntry& entry) {
  entry.durable = true;
  if (!entry.on_end) futures_.begin(entry.request_id, entry.owner);
  add_samples(pending_, shares_, entry.job.base, 1);
  waiting_samples_[entry.job.base].push_back(entry.request_id);
  feed(entry.job.base);
}

void EngineState::feed(const std::string& base) {
  auto& waiting = waiting_samples_[base];
  while (!waiting.empty() && handed_[base] < 2 * options_.running_samples) {
    const auto found = samples_.find(waiting.front());
    waiting.pop_front();
    if (found == samples_.end()) continue;  // cancelled meanwhile
    found->second.handed = true;
    ++handed_[base];
    worker_->post([this, post = poster(), job = found->second.job] {
      workshop_.add_sample(job, [this, post](FinishedSampleJob finished) {
        auto shared = std::make_shared<FinishedSampleJob>(std::move(finished));
        post([this, shared] { sample_done(std::move(*shared)); });
      });
    });
  }
}

void EngineState::sample_done(FinishedSampleJob finished) {
  const auto found = samples_.find(finished.request_id);
  if (found == samples_.end()) return;  // cancelled, and finished at the same time
  SampleEntry entry = std::move(found->second);
  samples_.erase(found);
  add_samples(pending_, shares_, entry.job.base, -1);
  --samples_of_[entry.owner];
  waiting_bytes_ -= entry.bytes;
  if (entry.handed) --handed_[entry.job.base];
  figures_.sampled_tokens += finished.sampled_tokens;
  figures_.prefill_tokens += finished.prompt_tokens - finished.cached_tokens;
  ++figures_.operations[std::string(entry.on_end ? "stream" : "sample") + (finished.failure ? ".failed" : ".done")];
  feed(entry.job.base);

  const auto outcome = std::make_shared<Outcome>();
  if (!entry.on_end) *outcome = outcome_of(finished.failure, finished.payload, now());
  const UsageRecord usage{usage_bucket(now()), entry.owner, entry.session_id, entry.job.base, "", 0};
  const bool written = !entry.on_end;
  if (entry.on_end) {
    if (finished.failure)
      entry.on_end(Refusal{400, finished.failure->message});
    else
      entry.on_end(std::move(*finished.end));
  }
  const auto change = std::make_shared<const Change>([request_id = entry.request_id, outcome, usage, written,
                                                      prompt = finished.prompt_tokens, cached = finished.cached_tokens,
                                                      sampled = finished.sampled_tokens](Tables& tables) {
    if (written) tables.finish_sample(request_id, *outcome);
    const auto add = [&](const char* kind, int64_t tokens) {
      UsageRecord row = usage;
      row.kind = kind;
      row.tokens = tokens;
      if (tokens > 0) tables.add_usage(row);
    };
    add("sampling_prefill", prompt - cached);
    add("sampling_prefill_cached", cached);
    add("sampling_sample", sampled);
  });
  commit(change,
         [this, written, outcome, sampler_id = entry.sampler_id, seq_id = entry.seq_id, request_id = entry.request_id] {
           if (!written) return;
           told(request_id, answer_of(*outcome));
           const Completions::One one{request_id, outcome->state == OperationState::failed,
                                      static_cast<int64_t>(outcome->result.size())};
           futures_.complete(sampler_id, seq_id / clone_stride, {outcome->finished, one});
         });
}

std::vector<Futures::Finished> EngineState::finished_samples(const std::string& sampler_id, int64_t clone,
                                                             int64_t cursor) {
  // Cursors are times of completion; a clock that was put back a little must not go below what a client has seen.
  if (cursor < now() + 3600 * second) last_time_ = std::max(last_time_, cursor);
  std::vector<Futures::Finished> all;
  for (const auto& sample :
       store_.read().finished_samples(sampler_id, clone * clone_stride, (clone + 1) * clone_stride - 1, cursor))
    all.push_back({sample.outcome.finished, {sample.request_id, sample.outcome.state == OperationState::failed, 0}});
  return all;
}

int64_t EngineState::stream(const std::string& owner, const std::string& model, Prompt prompt, Sample sample,
                            std::function<void(const StreamedToken&)> on_token, Then<StreamEnd> on_end) {
  const int64_t number = next_stream_++;
  SampleEntry entry;
  entry.request_id = "stream:" + std::to_string(number);
  entry.owner = owner;
  entry.arrived = Clock::now();
  if (const auto refusal = stream_source(owner, model, entry)) {
    on_end(*refusal);
    return number;
  }
  entry.on_end = std::move(on_end);
  entry.job.request_id = entry.request_id;
  entry.job.seed = sample.seed.value_or(random_seed());
  entry.job.text = true;
  entry.job.prompt = std::move(prompt);
  entry.job.sample = std::make_shared<const Sample>(std::move(sample));
  if (on_token)
    entry.job.on_token = [this, post = poster(), base = entry.job.base, on_token](const llm::SampledToken& token) {
      StreamedToken out = workshop_.streamed(base, token);
      post([on_token, out] { on_token(out); });
      return true;
    };
  ++samples_of_[owner];
  SampleEntry& kept = samples_.emplace(entry.request_id, std::move(entry)).first->second;
  enqueue_sample(kept);
  pump();
  return number;
}

// What a text endpoint calls a model: a served name, a sampler, or a sampler checkpoint's path.
std::optional<Refusal> EngineState::stream_source(const std::string& owner, const std::string& model,
                                                  SampleEntry& entry) {
  if (draining_) return Refusal{503, "the server is shutting down", 5};
  if (samples_of_[owner] >= options_.quotas.waiting_samples) return Refusal{429, "too many samples wait", 1};
  try {
    if (model.rfind("tinker://", 0) == 0) {
      const auto found = checkpoint(owner, model, false);
      if (!found || found->type != CheckpointType::sampler_weights)
        return Refusal{404, "no such sampler checkpoint: " + model};
      entry.job.base = resolve_base(options_.models, found->base_model).name;
      entry.job.adapter_folder = found->folder;
      entry.job.adapter_hash = found->hash;
    } else if (const auto sampler = find_sampler(owner, model)) {
      entry.session_id = sampler->session_id;
      entry.job.base = sampler->base_model;
      entry.job.adapter_folder = sampler->snapshot_folder;
      entry.job.adapter_hash = sampler->snapshot_hash;
    } else {
      entry.job.base = resolve_base(options_.models, model).name;
    }
  } catch (const std::exception& error) {
    return Refusal{404, error.what()};
  }
  return {};
}

void EngineState::stop_stream(int64_t stream) {
  const std::string request_id = "stream:" + std::to_string(stream);
  const auto found = samples_.find(request_id);
  if (found != samples_.end()) cancel(found->second.owner, request_id);
}

}  // namespace hearth::server
