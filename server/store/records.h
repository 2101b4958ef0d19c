// Records: one plain struct for each table of the store's database. Nothing here knows SQL, the wire or a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth::server {

/// Microseconds since 1970-01-01 UTC.
using Time = int64_t;
constexpr Time second = 1'000'000;

/// A client's lease on the server.
struct SessionRecord {
  std::string id;
  std::string owner;
  Time created = 0;
  Time last_seen = 0;
  std::optional<Time> finished;  ///< when it ended: told by the client, or expired
  std::string finish_reason;     ///< success, errored, interrupted, expired
  std::string finish_detail;
  std::string tags = "[]";           ///< JSON list of texts
  std::string user_metadata = "{}";  ///< JSON object
  std::string sdk_version;
  std::string project_id;
  std::string display_name;
};

/// A model under training, which is also a training run: one id for both.
struct ModelRecord {
  std::string id;
  std::string session_id;
  std::string owner;
  std::string base_model;
  std::string base_fingerprint;
  int64_t rank = 0;
  uint64_t seed = 0;
  bool train_mlp = true;
  bool train_attn = true;
  bool train_unembed = true;
  std::string user_metadata = "{}";  ///< JSON object
  std::string optimizer = "adamw";
  Time created = 0;
  Time last_request = 0;
  std::optional<Time> unloaded;  ///< from then on it is never replayed at start-up
  std::string from_path;         ///< the checkpoint that it began from; empty: from its seed
  std::string corrupted;         ///< why its state cannot be vouched for; empty: it can
  /// The newest internal checkpoint: the state after operation `recovery_seq`, in `recovery_folder` (relative to the
  /// store). -1: none was taken, replay begins at the model's creation.
  int64_t recovery_seq = -1;
  std::string recovery_folder;
  std::string recovery_hash;
};

enum class OperationState { queued, done, failed };

/// How an operation or a sample ended; what its future answers.
struct Outcome {
  OperationState state = OperationState::queued;
  std::string content_type;  ///< of `result`
  std::string result;        ///< the answer's bytes, when done
  std::string error;         ///< the words, when failed
  std::string category;      ///< user or server, when failed
  Time finished = 0;
  bool dropped = false;  ///< the result was there and has been removed by retention
};

/// One line of the journal: a request that changes a model, as it came, and what became of it.
struct OperationRecord {
  std::string request_id;
  std::string model_id;
  int64_t seq_id = 0;  ///< unique within the model; 0: its creation; negative: outside the client's count
  std::string owner;
  std::string kind;
  std::string body;  ///< as it came; compressed on disk
  bool body_dropped = false;
  Time received = 0;
  Outcome outcome;
  std::string state_hash;  ///< of the model after it; empty where it changed nothing
  std::string cpu;         ///< the kind of processor and
  std::string build;       ///< the build that computed it
  /// The checkpoint folder (relative to the store) that the operation reads, so that replay still finds it.
  std::string reads_folder;
  std::string reads_hash;
};

/// Something that can be sampled from.
struct SamplerRecord {
  std::string id;
  std::string session_id;
  std::string owner;
  std::string base_model;
  std::string model_path;       ///< tinker://...; empty: the base model or a snapshot
  std::string snapshot_folder;  ///< relative to the store; of an ephemeral sampler or the checkpoint that it uses
  std::string snapshot_hash;
  Time created = 0;
  int64_t joined = 0;  ///< how many clients joined it
};

/// One sampling request. Its body holds the seed that was chosen for it, so doing it again gives the same tokens.
struct SampleRecord {
  std::string request_id;
  std::string sampler_id;
  int64_t seq_id = 0;  ///< unique within the sampler
  std::string owner;
  std::string body;  ///< compressed on disk
  uint64_t seed = 0;
  Time received = 0;
  Outcome outcome;
};

enum class CheckpointType { weights, sampler_weights, external_weights };

/// A checkpoint that a client made: tinker://RUN/TYPE/NAME.
struct CheckpointRecord {
  std::string run;
  CheckpointType type = CheckpointType::weights;
  std::string name;
  std::string owner;
  std::string folder;  ///< relative to the store
  Time created = 0;
  std::optional<Time> expires;
  int64_t size = 0;  ///< bytes of its files
  std::string hash;  ///< of its files, see hash_folder
  bool is_public = false;
  std::string user_metadata = "{}";  ///< JSON object
  bool has_optimizer = false;
  std::string base_model;
  std::string base_fingerprint;
  int64_t rank = 0;
  bool train_mlp = true;
  bool train_attn = true;
  bool train_unembed = true;
  std::string damage;  ///< why it cannot be read, found at start-up; empty: it can
};

struct AuditRecord {
  Time time = 0;
  std::string owner;
  std::string event;
  std::string model_id;
  std::string path;
  std::string detail = "{}";  ///< JSON object
};

/// Tokens that were computed, summed within a bucket of time.
struct UsageRecord {
  Time bucket = 0;  ///< when the bucket begins
  std::string owner;
  std::string session_id;
  std::string base_model;
  std::string kind;  ///< training, sampling_prefill, sampling_prefill_cached, sampling_sample, checkpoint...
  int64_t tokens = 0;
};

/// What a listing asks for. Listings are newest first. An empty text or absent value does not restrict.
struct ListOptions {
  std::string owner;
  int64_t limit = 100;
  int64_t offset = 0;
};

}  // namespace hearth::server
