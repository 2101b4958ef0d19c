// What the engine answers to its callers on the loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hearth::server {

/// A request that is refused at once; `status` is HTTP's: 400, 403, 404, 409, 410, 429, 503.
struct Refusal {
  int status = 400;
  std::string detail;
  double retry_after = 0;  ///< seconds; 0: say nothing
};

/// A value or why there is none. Example: if (auto* refused = std::get_if<Refusal>(&reply)) ...
template <class T>
using Reply = std::variant<T, Refusal>;
template <class T>
using Then = std::function<void(Reply<T>)>;
using Nothing = std::monostate;

/// A request that is in the journal and will have a result.
struct Accepted {
  std::string request_id;
  std::vector<std::string> sequence_ids;  ///< of samples: one for each, the same for a retry
};

/// How a future stands. `failed` is for good: {"error", "category"}.
struct FutureAnswer {
  enum class State { waiting, done, failed };
  State state = State::waiting;
  std::string content_type;
  std::string bytes;
  std::string error, category;         ///< category "user" or "server"
  std::string queue_state = "active";  ///< while waiting
  std::string queue_reason;            ///< in words, e.g. "waits for seq_id 3, which has not arrived"
};

/// What became finished since a cursor.
struct Completions {
  struct One {
    std::string request_id;
    bool failed = false;
    int64_t size = 0;
  };
  std::vector<One> finished;
  int64_t cursor = 0;
};

struct NewSession {
  std::string tags, user_metadata;  ///< JSON texts
  std::string sdk_version, project_id, display_name;
};

struct NewSampler {
  std::string session_id;
  int64_t seq_id = 0;  ///< sampling_session_seq_id
  std::string base_model, model_path;
};

struct SamplerInfo {
  std::string id, base_model, model_path;
};

struct ModelInfo {
  std::string id, base_model, arch, tokenizer;  ///< `tokenizer`: the folder where it lies
  int64_t rank = 0;
};

/// `weights_info` of a checkpoint.
struct WeightsInfo {
  std::string base_model;
  int64_t rank = 0;
  bool train_mlp = true, train_attn = true, train_unembed = true;
};

struct BaseModelInfo {
  std::string name, folder, arch;
  int64_t context = 0;  ///< tokens
};

/// For text endpoints: a prompt as tokens, as text, or as chat messages (a JSON list of {role, content}).
struct Prompt {
  std::vector<int32_t> tokens;
  std::string text;
  std::string messages;
};

/// A likely token and its log-probability; `piece` are the bytes that it stands for, alone.
struct LikelyToken {
  int32_t token = 0;
  float logprob = 0;
  std::string piece;
};

/// A piece of a streamed continuation.
struct StreamedToken {
  int64_t choice = 0;
  int32_t token = 0;
  float logprob = 0;
  std::string text;              ///< bytes of the token, alone; empty for special tokens such as the end of text
  std::vector<LikelyToken> top;  ///< topk_sample_logprobs of them, most likely first
};

struct StreamEnd {
  struct Choice {
    std::string text;
    bool stopped = false;  ///< else the length ran out
    std::vector<int32_t> tokens;
    std::vector<float> logprobs;
    std::vector<std::string> pieces;  ///< as StreamedToken::text, of each token
    std::vector<std::vector<LikelyToken>> top;
  };
  std::vector<Choice> choices;
  int64_t prompt_tokens = 0, cached_tokens = 0;
};

/// Figures for /metrics and /healthz.
struct EngineStatus {
  bool ready = false, draining = false;
  std::string trouble;  ///< not empty: the store or a base model is broken, in words
  int64_t sessions = 0, models = 0, samplers = 0;
  int64_t waiting_operations = 0, waiting_samples = 0, running_samples = 0, open_polls = 0;
  int64_t base_bytes = 0, trainer_bytes = 0, sampler_bytes = 0, cache_bytes = 0;
  int64_t steps = 0, training_tokens = 0, sampled_tokens = 0, prefill_tokens = 0, replayed_operations = 0;
  double training_seconds = 0, sampling_seconds = 0;
  std::map<std::string, int64_t> operations;  ///< "forward_backward.done" -> how many since the start
};

}  // namespace hearth::server
