// Workshop, sampling: requests join the batch of their base between its steps; time is given in slices.
#include "hearth/core/error.h"
#include "llm/lora/files.h"
#include "server/engine/text.h"
#include "server/engine/workshop.h"

namespace hearth::server {

using std::chrono::duration;
using std::chrono::steady_clock;

namespace {

TopTokens top_tokens(const llm::TokenTable& table) {
  const int64_t rows = table.k ? static_cast<int64_t>(table.tokens.size()) / table.k : 0;
  return {table.k, rows, table.tokens, table.logprobs};
}

// Ids of sparse cells as a dense table, in which -1 asks for nothing.
std::vector<int64_t> dense_ids(const TargetIds& wanted) {
  if (!wanted.sparse) return wanted.ids;
  const int64_t rows = wanted.shape[0], columns = wanted.shape[1];
  std::vector<int64_t> dense(static_cast<size_t>(rows * columns), -1);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t at = wanted.sparse->row_starts[row]; at < wanted.sparse->row_starts[row + 1]; ++at)
      dense[row * columns + wanted.sparse->columns[at]] = wanted.ids[at];
  return dense;
}

std::vector<float> wanted_cells(const TargetIds& wanted, const std::vector<float>& dense) {
  if (!wanted.sparse) return dense;
  std::vector<float> cells;
  for (int64_t row = 0; row < wanted.shape[0]; ++row)
    for (int64_t at = wanted.sparse->row_starts[row]; at < wanted.sparse->row_starts[row + 1]; ++at)
      cells.push_back(dense[row * wanted.shape[1] + wanted.sparse->columns[at]]);
  return cells;
}

SampleResult answer_of(const Sample& sample, const llm::SampleResult& result) {
  SampleResult answer;
  for (const auto& sequence : result.sequences) {
    SampleSequence out{sequence.tokens, sequence.logprobs, sequence.reason == llm::FinishReason::stop, {}};
    if (sample.topk_sample_logprobs > 0) out.top = top_tokens(sequence.top);
    answer.sequences.push_back(std::move(out));
  }
  if (sample.prompt_logprobs) answer.prompt_logprobs = result.prompt_logprobs;
  if (sample.topk_prompt_logprobs > 0) answer.topk_prompt_logprobs = top_tokens(result.prompt_top);
  if (const auto& wanted = sample.target_prompt_logprobs)
    answer.target_prompt_logprobs =
        TargetLogprobs{wanted->shape, wanted_cells(*wanted, result.target_prompt), wanted->sparse};
  if (sample.prompt_alt_tokens_k > 0) {
    const auto table = top_tokens(result.prompt_alt);
    answer.prompt_alt_tokens = AlternativeTokens{table.k, table.rows, table.tokens, table.logprobs};
  }
  answer.cache_hit_tokens = result.cached_tokens;
  return answer;
}

}  // namespace

llm::SampleRequest Workshop::request_of(const Base& base, const SampleJob& job) {
  const Sample& sample = *job.sample;
  llm::SampleRequest request;
  request.prompt = prompt_tokens(base, job.prompt, sample.prompt);
  request.num_samples = sample.num_samples;
  request.params.temperature = sample.temperature;
  request.params.top_p = sample.top_p;
  request.params.top_k = sample.top_k < 0 ? 0 : sample.top_k;
  request.params.seed = job.seed;
  request.params.max_tokens = sample.max_tokens.value_or(llm::SampleRequest::to_context);
  request.params.stop = sample.stop_texts;
  request.params.stop_tokens = sample.stop_tokens;
  request.ignore_eos = sample.ignore_eos;
  request.text = job.text;
  request.prompt_logprobs = sample.prompt_logprobs;
  request.prompt_logprobs_last_n = sample.prompt_logprobs_last_n;
  request.topk_prompt_logprobs = sample.topk_prompt_logprobs;
  request.topk_sample_logprobs = sample.topk_sample_logprobs;
  request.prompt_alt_tokens_k = sample.prompt_alt_tokens_k;
  if (const auto& wanted = sample.target_prompt_logprobs) {
    request.target_prompt = dense_ids(*wanted);
    request.target_prompt_k = wanted->shape[1];
  }
  request.on_token = job.on_token;
  request.adapter = adapter_of(base, job);
  return request;
}

AdapterCache::Adapter Workshop::adapter_of(const Base& base, const SampleJob& job) {
  if (job.adapter_folder.empty()) return nullptr;
  return adapters_.get(job.adapter_hash, [&] {
    return std::make_shared<const llm::LoraAdapter>(
        llm::load_adapter(folders_.path(job.adapter_folder), base.model->linear_layers(), base.fingerprint));
  });
}

void Workshop::drop_adapters(const std::vector<std::string>& hashes) {
  for (const auto& hash : hashes) adapters_.drop(hash);
}

void Workshop::add_sample(SampleJob job, std::function<void(FinishedSampleJob)> done) {
  FinishedSampleJob failed;
  failed.request_id = job.request_id;
  try {
    Base& base = bases_.get(job.base, used_bytes());
    const uint64_t number = base.samples->add(request_of(base, job));
    const std::pair<std::string, uint64_t> key{base.served.name, number};
    sample_of_[job.request_id] = key;
    samples_.emplace(key, RunningSample{job.request_id, base.served.name, std::move(job), std::move(done)});
    return;
  } catch (...) {
    failed.failure = failure_of(std::current_exception());
  }
  done(std::move(failed));
}

StreamedToken Workshop::streamed(const std::string& base, const llm::SampledToken& token) {
  StreamedToken out;
  out.choice = token.sample;
  out.token = token.token;
  out.logprob = token.logprob;
  const Base* found = bases_.find(base);
  if (!found) return out;
  out.text = token_text(*found, token.token);
  for (size_t i = 0; i < token.top_tokens.size(); ++i)
    out.top.push_back({token.top_tokens[i], token.top_logprobs[i], token_text(*found, token.top_tokens[i])});
  return out;
}

bool Workshop::cancel_sample(const std::string& request_id) {
  const auto found = sample_of_.find(request_id);
  if (found == sample_of_.end()) return false;
  const auto key = found->second;
  sample_of_.erase(found);
  samples_.erase(key);
  bases_.find(key.first)->samples->cancel(key.second);
  return true;
}

void Workshop::begin_slice(const std::string& base, duration<double> length) {
  slice_base_ = base;
  slice_ = {};
  slice_begin_ = steady_clock::now();
  slice_end_ = slice_begin_ + std::chrono::duration_cast<steady_clock::duration>(length);
}

void Workshop::shorten_slice(duration<double> length) {
  slice_end_ = std::min(slice_end_, slice_begin_ + std::chrono::duration_cast<steady_clock::duration>(length));
}

bool Workshop::continue_slice() {
  Base* base = bases_.find(slice_base_);
  if (!base || base->samples->empty()) return false;
  sample_step(*base);
  ++slice_.steps;
  return steady_clock::now() < slice_end_ && !base->samples->empty();
}

void Workshop::sample_beside(steady_clock::time_point since, double training_share) {
  const auto seconds_since = [](steady_clock::time_point t) {
    return duration<double>(steady_clock::now() - t).count();
  };
  double sampled = 0;
  for (const auto& [name, seconds] : beside_) sampled += seconds;
  // Of the bases that have samples the one that got least in this step.
  const auto next = [&]() -> Base* {
    Base* least = nullptr;
    for (const auto& [name, loaded] : bases_.loaded())
      if (!loaded.samples->empty() && (!least || beside_[name] < beside_[least->served.name]))
        least = bases_.find(name);
    return least;
  };
  for (Base* base = next(); base; base = next()) {
    if (sampled * training_share >= (seconds_since(since) - sampled) * (1 - training_share)) return;
    const auto begin = steady_clock::now();
    sample_step(*base);
    const double seconds = seconds_since(begin);
    beside_[base->served.name] += seconds;
    sampled += seconds;
  }
}

void Workshop::sample_step(Base& base) {
  const std::string& name = base.served.name;
  try {
    for (auto& finished : base.samples->step()) {
      const auto found = samples_.find({name, finished.id});
      if (found == samples_.end()) continue;
      RunningSample running = std::move(found->second);
      samples_.erase(found);
      sample_of_.erase(running.request_id);
      finish_sample(std::move(running), std::move(finished));
    }
  } catch (...) {
    // A step that fails as a whole (memory) would fail again: everything of this base ends with its words.
    const auto error = std::current_exception();
    for (auto at = samples_.lower_bound({name, 0}); at != samples_.end() && at->first.first == name;) {
      base.samples->cancel(at->first.second);
      sample_of_.erase(at->second.request_id);
      finish_sample(std::move(at->second), llm::FinishedSample{at->first.second, {}, error});
      at = samples_.erase(at);
    }
  }
}

SliceReport Workshop::slice_report() const {
  SliceReport report = slice_;
  report.seconds = duration<double>(steady_clock::now() - slice_begin_).count();
  report.memory = memory();
  return report;
}

void Workshop::finish_sample(RunningSample running, llm::FinishedSample finished) {
  FinishedSampleJob out;
  out.request_id = running.request_id;
  const Sample& sample = *running.job.sample;
  try {
    if (finished.error) std::rethrow_exception(finished.error);
    const Base& base = *bases_.find(running.base);
    out.prompt_tokens = static_cast<int64_t>(prompt_tokens(base, running.job.prompt, sample.prompt).size());
    out.cached_tokens = finished.result.cached_tokens;
    for (const auto& sequence : finished.result.sequences)
      out.sampled_tokens += static_cast<int64_t>(sequence.tokens.size());
    if (running.job.text)
      out.end = stream_end(base, finished.result, out.prompt_tokens);
    else
      out.payload = encode(answer_of(sample, finished.result));
  } catch (...) {
    out.failure = failure_of(std::current_exception());
  }
  running.done(std::move(out));
}

}  // namespace hearth::server
