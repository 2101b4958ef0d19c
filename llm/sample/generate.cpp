// Generation: a SampleBatch that is given all requests and driven until it is empty.
#include "llm/sample/generate.h"

#include <map>

#include "hearth/core/error.h"

namespace hearth::llm {

namespace {

/// The command line has no budget of its own: the allocator's limit is the cache's.
SampleLimits limits(int64_t running, int64_t kept) {
  return {.running = running, .cache_bytes = std::numeric_limits<int64_t>::max(), .kept_sequences = kept};
}

Generated to_generated(FinishedSample& finished) {
  if (finished.error) std::rethrow_exception(finished.error);
  SampledSequence& s = finished.result.sequences.at(0);
  return {std::move(s.tokens), std::move(s.logprobs), std::move(s.text), s.reason};
}

}  // namespace

Generator::Generator(const CausalLm& model, const LoraAdapter* adapter, const Tokenizer* tokenizer)
    : model_(model),
      adapter_(std::shared_ptr<const LoraAdapter>(), adapter),
      tokenizer_(tokenizer),
      conversation_(model, tokenizer, limits(1, 1)) {}

SampleRequest Generator::to_sample(const Request& request, const OnToken& on_token, size_t index) const {
  SampleRequest sample{.prompt = request.prompt, .params = request.params, .adapter = adapter_};
  sample.text = tokenizer_ != nullptr;
  if (on_token)
    sample.on_token = [&on_token, index](const SampledToken& t) { return on_token(index, t.token, t.logprob, t.text); };
  return sample;
}

std::vector<Generated> Generator::run(const std::vector<Request>& requests, const OnToken& on_token, size_t max_batch) {
  check<ValueError>(max_batch > 0, "generate: max_batch must be positive");
  SampleBatch batch(model_, tokenizer_, limits(int64_t(max_batch), 1));
  std::map<uint64_t, size_t> index_of;
  for (size_t i = 0; i < requests.size(); ++i) index_of[batch.add(to_sample(requests[i], on_token, i))] = i;
  std::vector<Generated> results(requests.size());
  while (!batch.empty()) {
    std::vector<FinishedSample> finished = batch.step();
    for (FinishedSample& f : finished) results[index_of.at(f.id)] = to_generated(f);
  }
  return results;
}

Generated Generator::resume(const Request& request, const OnToken& on_token) {
  conversation_.add(to_sample(request, on_token, 0));
  std::vector<FinishedSample> finished;
  while (finished.empty()) finished = conversation_.step();
  return to_generated(finished[0]);
}

}  // namespace hearth::llm
