// EngineOptions: what the engine serves, and its limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/store/retention.h"

namespace hearth::server {

class UnknownFields;

/// A base model that is served: `--model NAME=DIR`.
struct ServedModel {
  std::string name;
  std::string folder;
};

/// What one owner (API key) may have at a time. More is refused with 429 (waiting) or fails its future (models).
struct Quotas {
  int64_t live_models = 64;
  int64_t waiting_operations = 4096;
  int64_t waiting_samples = 4096;
};

struct EngineOptions {
  UnknownFields* unknown = nullptr;  ///< told of fields that requests have and this server does not know
  std::vector<ServedModel> models;
  int64_t memory = 0;  ///< bytes for base models, trainers, adapters and caches together; 0: no limit
  Quotas quotas;
  int64_t max_rank = 1024;
  int64_t waiting_bytes = int64_t(512) << 20;        ///< of all requests that wait, decoded; more: 429
  int64_t result_cache_bytes = int64_t(64) << 20;    ///< newest results kept beside the store
  int64_t sampler_cache_bytes = int64_t(512) << 20;  ///< adapters of samplers kept loaded
  int64_t kv_cache_bytes = int64_t(1) << 30;         ///< keys and values, for each base model
  int64_t kept_sequences = 64;                       ///< finished sequences whose cache serves later prompts

  int64_t token_budget = 4096;   ///< training tokens that one step merges
  int64_t running_samples = 64;  ///< sequences that are continued at once, for each base model
  double training_share = 0.5;   ///< of the time, while both training and sampling wait

  std::function<void(const std::string&)> log;   ///< told what an operator should know, from any thread
  std::chrono::milliseconds housekeeping{1000};  ///< how often time-outs are looked at
  double hash_share = 0.02;                 ///< of the work between two hashes of a model's state, what a hash may take
  std::chrono::seconds gap_timeout{330};    ///< what waits for a missing seq_id fails after this
  std::chrono::seconds session_grace{600};  ///< without a heartbeat
  std::chrono::seconds sample_deadline{3600};  ///< a sample that waits longer fails
  std::chrono::seconds replay_budget{20};  ///< a model's recovery checkpoint is taken when its replay would cost more
  RetentionSettings retention;
  std::chrono::seconds retention_interval{600};  ///< between two looks for what may be forgotten
};

}  // namespace hearth::server
