// Generation: prompts join the running batch whole, then every sequence adds one token a step.
#include "llm/sample/generate.h"

#include <algorithm>

#include "hearth/ops/create.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"

namespace hearth::llm {

/// One continuation under way. `computed` tokens of `tokens` are in the cache.
struct Generator::Running {
  size_t index;
  int64_t sequence;
  std::vector<int32_t> tokens;
  size_t computed = 0;
  int64_t left;
  bool done = false;
  const SamplingParams* params;
  Sampler sampler;
  StopText stop;
  std::optional<StreamDecoder> decoder;
};

Generator::Generator(const CausalLm& model, const LoraAdapter* adapter, const Tokenizer* tokenizer)
    : model_(model), adapter_(adapter), tokenizer_(tokenizer), cache_(model.config()) {}

void Generator::check_request(const Request& request) const {
  validate(request.params);
  const DecoderConfig& config = model_.config();
  check<ValueError>(!request.prompt.empty(), "generate: the prompt has no tokens");
  check<ValueError>(int64_t(request.prompt.size()) < config.max_position_embeddings,
                    "generate: the prompt leaves no room: ", request.prompt.size(), " tokens, the model's context is ",
                    config.max_position_embeddings);
  check<ValueError>(tokenizer_ || request.params.stop.empty(), "generate: stop texts need a tokenizer");
  for (int32_t token : request.prompt)
    check<IndexError>(token >= 0 && token < config.vocab_size, "generate: token id ", token,
                      " is not in the model's vocabulary of ", config.vocab_size);
}

Generator::Running Generator::start(size_t index, const Request& request, int64_t sequence) const {
  const int64_t room = model_.config().max_position_embeddings - int64_t(request.prompt.size());
  Running run{.index = index,
              .sequence = sequence,
              .tokens = request.prompt,
              .left = std::min(request.params.max_tokens, room),
              .params = &request.params,
              .sampler = Sampler(request.params),
              .stop = StopText(request.params.stop)};
  run.sampler.see(request.prompt);
  run.done = run.left <= 0;
  if (tokenizer_) {
    // The decoder must know what came before: a leading space means something else at the beginning of a text.
    run.decoder.emplace(*tokenizer_);
    for (int32_t token : request.prompt) run.decoder->push(token);
  }
  return run;
}

bool Generator::is_stop(const Running& run, int32_t token) const {
  const auto& own = model_.config().eos_token_ids;
  const auto& asked = run.params->stop_tokens;
  return std::find(own.begin(), own.end(), token) != own.end() ||
         std::find(asked.begin(), asked.end(), token) != asked.end() || (tokenizer_ && tokenizer_->eos_id() == token);
}

void Generator::take(Running& run, const float* logits, Generated& result, const OnToken& on_token) const {
  const int64_t vocab = model_.config().vocab_size;
  const int32_t token = run.sampler.choose({logits, size_t(vocab)});
  const Tensor row = from_values<float>(std::span<const float>(logits, size_t(vocab)), {1, vocab});
  const float logprob = log_softmax(row, -1).data<float>()[token];
  result.tokens.push_back(token);
  result.logprobs.push_back(logprob);
  run.tokens.push_back(token);
  const bool stop = is_stop(run, token);
  std::string text;
  if (run.decoder && !stop) text = run.stop.push(run.decoder->push(token));
  const bool stopped = stop || run.stop.stopped();
  run.done = stopped || --run.left <= 0;
  if (run.done && run.decoder && !run.stop.stopped()) {
    text += run.stop.push(run.decoder->flush());
    text += run.stop.flush();
  }
  result.text += text;
  if (stopped) result.reason = FinishReason::stop;
  if (on_token && !on_token(run.index, token, logprob, text)) run.done = true;
}

void Generator::step(std::vector<Running>& running, std::vector<Generated>& results, const OnToken& on_token) {
  std::vector<int64_t> tokens, positions, starts = {0}, last, sequences;
  for (const Running& run : running) {
    for (size_t i = run.computed; i < run.tokens.size(); ++i) {
      tokens.push_back(run.tokens[i]);
      positions.push_back(int64_t(i));
    }
    starts.push_back(int64_t(tokens.size()));
    last.push_back(int64_t(tokens.size()) - 1);
    sequences.push_back(run.sequence);
  }
  const auto tensor = [](const std::vector<int64_t>& v) {
    return from_values<int64_t>(std::span<const int64_t>(v), {int64_t(v.size())});
  };
  const TokenBatch batch = {tensor(tokens), tensor(positions), tensor(starts)};
  cache_.begin(sequences, batch);
  const Tensor hidden = model_.hidden(batch, adapter_, &cache_);
  Tensor rows = Tensor::empty({int64_t(last.size()), hidden.size(1)});
  for (size_t i = 0; i < last.size(); ++i)
    std::copy_n(hidden.data<float>() + last[i] * hidden.size(1), hidden.size(1),
                rows.data<float>() + int64_t(i) * hidden.size(1));
  const Tensor logits = model_.logits(rows, adapter_);
  for (size_t i = 0; i < running.size(); ++i) {
    running[i].computed = running[i].tokens.size();
    take(running[i], logits.data<float>() + int64_t(i) * logits.size(1), results[running[i].index], on_token);
  }
}

std::vector<Generated> Generator::run(const std::vector<Request>& requests, const OnToken& on_token, size_t max_batch) {
  NoGrad guard;
  check<ValueError>(max_batch > 0, "generate: max_batch must be positive");
  for (const Request& request : requests) check_request(request);
  std::vector<Generated> results(requests.size());
  std::vector<Running> running;
  size_t next = 0;
  while (next < requests.size() || !running.empty()) {
    while (running.size() < max_batch && next < requests.size()) {
      running.push_back(start(next, requests[next], cache_.add()));
      ++next;
    }
    for (size_t i = 0; i < running.size();) {
      if (!running[i].done) {
        ++i;
        continue;
      }
      cache_.remove(running[i].sequence);
      running.erase(running.begin() + long(i));
    }
    if (!running.empty()) step(running, results, on_token);
  }
  return results;
}

Generated Generator::resume(const Request& request, const OnToken& on_token) {
  NoGrad guard;
  check_request(request);
  if (kept_sequence_ < 0) kept_sequence_ = cache_.add();
  std::vector<Running> running;
  running.push_back(start(0, request, kept_sequence_));
  // At least the prompt's last token is computed anew: its logits are needed.
  const auto& prompt = request.prompt;
  while (running[0].computed + 1 < prompt.size() && running[0].computed < kept_tokens_.size() &&
         prompt[running[0].computed] == kept_tokens_[running[0].computed])
    ++running[0].computed;
  std::vector<Generated> results(1);
  kept_tokens_.clear();
  while (!running[0].done) step(running, results, on_token);
  kept_tokens_.assign(running[0].tokens.begin(), running[0].tokens.begin() + long(running[0].computed));
  return results[0];
}

}  // namespace hearth::llm
