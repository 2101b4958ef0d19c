// EngineState, status: figures for operators.
#include "server/engine/state.h"

namespace hearth::server {

EngineStatus EngineState::status() const {
  EngineStatus status = figures_;
  status.ready = recovered_ && !draining_;
  status.draining = draining_;
  status.trouble = store_.broken();
  status.sessions = static_cast<int64_t>(sessions_.size());
  status.models = static_cast<int64_t>(models_.size());
  status.samplers = static_cast<int64_t>(samplers_.size());
  for (const auto& [id, entry] : models_) status.waiting_operations += static_cast<int64_t>(entry.queued.size());
  for (const auto& [base, count] : handed_) status.running_samples += count;
  status.waiting_samples = static_cast<int64_t>(samples_.size()) - status.running_samples;
  status.open_polls = futures_.open_polls();
  status.base_bytes = memory_.base_bytes;
  status.trainer_bytes = memory_.trainer_bytes;
  status.sampler_bytes = memory_.sampler_bytes;
  status.cache_bytes = memory_.cache_bytes;
  return status;
}

}  // namespace hearth::server
