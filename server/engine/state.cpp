// EngineState: construction, and what all groups of members use.
#include "server/engine/state.h"

#include <set>

#include "hearth/core/error.h"

namespace hearth::server {

std::string operation_id(const std::string& model_id, int64_t seq_id) {
  return model_id + ":op:" + (seq_id == OperationKey::unnumbered ? "unload" : std::to_string(seq_id));
}

std::string sample_id(const std::string& sampler_id, int64_t seq_id) {
  return sampler_id + ":sample:" + std::to_string(seq_id);
}

Accepted accepted_sample(const std::string& sampler_id, int64_t seq_id, int64_t count) {
  Accepted accepted{sample_id(sampler_id, seq_id), {}};
  for (int64_t i = 0; i < count; ++i)
    accepted.sequence_ids.push_back(sampler_id + ":" + std::to_string(seq_id) + ":" + std::to_string(i));
  return accepted;
}

Outcome outcome_of(const std::optional<Failure>& failure, const std::optional<Payload>& payload, Time finished) {
  Outcome outcome;
  outcome.finished = finished;
  if (failure) {
    outcome.state = OperationState::failed;
    outcome.error = failure->message;
    outcome.category = category_name(failure->category);
  } else {
    outcome.state = OperationState::done;
    outcome.content_type = payload->content_type;
    outcome.result = payload->bytes;
  }
  return outcome;
}

FutureAnswer answer_of(const Outcome& outcome) {
  FutureAnswer answer;
  answer.state = outcome.state == OperationState::done     ? FutureAnswer::State::done
                 : outcome.state == OperationState::failed ? FutureAnswer::State::failed
                                                           : FutureAnswer::State::waiting;
  answer.content_type = outcome.content_type;
  answer.bytes = outcome.result;
  answer.error = outcome.error;
  answer.category = outcome.category;
  return answer;
}

namespace {

Futures::Sources sources_of(std::function<std::optional<Futures::Stored>(const std::string&)> stored,
                            std::function<std::vector<Futures::Finished>(const std::string&, int64_t, int64_t)> done,
                            std::function<std::string(const std::string&)> why) {
  return {std::move(stored), std::move(done), std::move(why)};
}

void check_options(const EngineOptions& options) {
  check<ValueError>(!options.models.empty(), "serve: no model is given");
  std::set<std::string> names;
  for (const auto& model : options.models)
    check<ValueError>(!model.name.empty() && names.insert(model.name).second,
                      "serve: two models have one name, or a model has none: ", model.name);
  check<ValueError>(options.training_share > 0 && options.training_share < 1,
                    "serve: the share of training must be between 0 and 1: ", options.training_share);
}

// Caches are a part of all memory, not beside it.
EngineOptions with_caches_in_memory(EngineOptions options) {
  if (options.memory == 0) return options;
  options.kv_cache_bytes = std::min(options.kv_cache_bytes, options.memory / 4);
  options.sampler_cache_bytes = std::min(options.sampler_cache_bytes, options.memory / 8);
  options.waiting_bytes = std::min(options.waiting_bytes, options.memory / 8);
  options.result_cache_bytes = std::min(options.result_cache_bytes, options.memory / 16);
  return options;
}

}  // namespace

EngineState::EngineState(Loop& loop, Store& store, EngineOptions options)
    : loop_(loop),
      store_(store),
      options_(with_caches_in_memory(std::move(options))),
      futures_(loop, options_.result_cache_bytes,
               sources_of([this](const std::string& id) { return stored(id); },
                          [this](const std::string& id, int64_t clone, int64_t cursor) {
                            return finished_samples(id, clone, cursor);
                          },
                          [this](const std::string& id) { return why(id); })),
      workshop_(options_, store.folders()) {
  check_options(options_);
  shares_.training_share = options_.training_share;
  shares_.token_budget = options_.token_budget;
  worker_ = std::make_unique<Worker>();
}

EngineState::~EngineState() {
  housekeeping_.cancel();
  worker_.reset();
}

std::function<void(std::function<void()>)> EngineState::poster() {
  return [weak = weak_from_this(), &loop = loop_](std::function<void()> fn) {
    loop.post([weak, fn = std::move(fn)] {
      if (const auto alive = weak.lock()) fn();
    });
  };
}

void EngineState::write(Change change, std::function<void(std::exception_ptr)> then) {
  store_.write(std::move(change), [post = poster(), then = std::move(then)](std::exception_ptr error) {
    post([then, error] { then(error); });
  });
}

std::optional<Futures::Stored> EngineState::stored(const std::string& request_id) {
  Tables& tables = store_.read();
  if (const auto operation = tables.operation(request_id))
    return Futures::Stored{operation->owner, answer_of(operation->outcome), operation->outcome.dropped};
  if (const auto sample = tables.sample(request_id))
    return Futures::Stored{sample->owner, answer_of(sample->outcome), sample->outcome.dropped};
  return {};
}

std::string EngineState::why(const std::string& request_id) const {
  if (!recovered_) return "the server brings its models back";
  const auto cut = request_id.rfind(":op:");
  if (cut == std::string::npos) return {};
  const auto model = pending_.models.find(request_id.substr(0, cut));
  if (model == pending_.models.end() || model->second.waiting.empty() || model->second.ready()) return {};
  return "waits for seq_id " + std::to_string(model->second.next) + ", which has not arrived";
}

void EngineState::log(const std::string& message) const {
  if (options_.log) options_.log(message);
}

// Strictly ascending, so that it also serves as a cursor.
Time EngineState::now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  last_time_ = std::max<Time>(last_time_ + 1, std::chrono::duration_cast<std::chrono::microseconds>(since).count());
  return last_time_;
}

}  // namespace hearth::server
