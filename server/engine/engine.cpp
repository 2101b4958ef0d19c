// Engine: the face of EngineState, so that its parts need not be seen by those who call it.
#include "server/engine/engine.h"

#include "server/engine/state.h"

namespace hearth::server {

using std::chrono::milliseconds;

Engine::Engine(Loop& loop, Store& store, EngineOptions options)
    : state_(std::make_shared<EngineState>(loop, store, std::move(options))) {}

Engine::~Engine() = default;

void Engine::recover(std::function<void(std::exception_ptr)> done) { state_->recover(std::move(done)); }
void Engine::drain(std::function<void()> done) { state_->drain(std::move(done)); }

void Engine::submit(const std::string& owner, CommandKind kind, std::string body, Then<Accepted> then) {
  state_->submit(owner, kind, std::move(body), then);
}

void Engine::sample(const std::string& owner, std::string body, Then<Accepted> then) {
  state_->sample(owner, std::move(body), then);
}

void Engine::retrieve(const std::string& owner, const std::string& request_id, milliseconds hold,
                      Then<FutureAnswer> then) {
  state_->futures().retrieve(owner, request_id, hold, std::move(then));
}

void Engine::retrieve_many(const std::string& owner, const std::string& sampler_id, int64_t clone, int64_t cursor,
                           milliseconds hold, const std::vector<std::string>& retrieved, Then<Completions> then) {
  if (!state_->find_sampler(owner, sampler_id)) return then(Refusal{404, "no such sampling session: " + sampler_id});
  for (const auto& request_id : retrieved) state_->futures().forget(request_id);
  state_->futures().retrieve_many(sampler_id, clone, cursor, hold, std::move(then));
}

void Engine::cancel(const std::string& owner, const std::string& request_id) { state_->cancel(owner, request_id); }

void Engine::create_session(const std::string& owner, NewSession session, Then<std::string> then) {
  state_->create_session(owner, std::move(session), std::move(then));
}

Reply<Nothing> Engine::heartbeat(const std::string& owner, const std::string& session_id) {
  return state_->heartbeat(owner, session_id);
}

void Engine::finish_session(const std::string& owner, const std::string& session_id, const std::string& reason,
                            const std::string& detail, Then<Nothing> then) {
  state_->finish_session(owner, session_id, reason, detail, std::move(then));
}

void Engine::create_sampler(const std::string& owner, NewSampler sampler, Then<std::string> then) {
  state_->create_sampler(owner, sampler, std::move(then));
}

void Engine::join_sampler(const std::string& owner, const std::string& sampler_id, Then<int64_t> then) {
  state_->join_sampler(owner, sampler_id, std::move(then));
}

Reply<SamplerInfo> Engine::sampler_info(const std::string& owner, const std::string& sampler_id) {
  return state_->sampler_info(owner, sampler_id);
}

Reply<ModelInfo> Engine::model_info(const std::string& owner, const std::string& model_id) {
  return state_->model_info(owner, model_id);
}

std::vector<BaseModelInfo> Engine::base_models() const { return state_->base_models(); }

Reply<WeightsInfo> Engine::weights_info(const std::string& owner, const std::string& path) {
  return state_->weights_info(owner, path);
}

void Engine::publish(const std::string& owner, const std::string& path, bool is_public, Then<Nothing> then) {
  state_->publish(owner, path, is_public, std::move(then));
}

void Engine::set_ttl(const std::string& owner, const std::string& path, std::optional<int64_t> ttl,
                     Then<Nothing> then) {
  state_->set_ttl(owner, path, ttl, std::move(then));
}

void Engine::delete_checkpoint(const std::string& owner, const std::string& path, Then<Nothing> then) {
  state_->delete_checkpoint(owner, path, std::move(then));
}

void Engine::copy_weights(const std::string& owner, const std::string& path, const std::string& session_id,
                          const std::string& project_id, std::optional<int64_t> model_seq_id,
                          std::optional<int64_t> ttl, Then<std::string> then) {
  state_->copy_weights(owner, path, session_id, project_id, model_seq_id, ttl, std::move(then));
}

int64_t Engine::stream(const std::string& owner, const std::string& model, Prompt prompt, Sample sample,
                       std::function<void(const StreamedToken&)> on_token, Then<StreamEnd> on_end) {
  return state_->stream(owner, model, std::move(prompt), std::move(sample), std::move(on_token), std::move(on_end));
}

void Engine::stop_stream(int64_t stream) { state_->stop_stream(stream); }

EngineStatus Engine::status() const { return state_->status(); }

}  // namespace hearth::server
