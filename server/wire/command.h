// Commands: what a client asks for, decoded from the bytes that it sent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hearth::server {

class UnknownFields;

/// Which request a body is; its name is that of the endpoint.
enum class CommandKind {
  create_model,
  load_weights,
  forward_backward,
  optim_step,
  save_weights,
  save_weights_for_sampler,
  save_weights_external,
  unload_model,
};

/// "create_model", "forward_backward", ... and back; raises ValueError for a name that is none.
std::string_view command_name(CommandKind kind);
CommandKind command_kind(std::string_view name);

/// A setting of a loss: a number, or text from clients that send it.
using ConfigValue = std::variant<double, std::string>;

/// A tensor beside the tokens, row-major; `floats` or `integers` holds product(shape) values, the other is empty.
/// Compressed sparse rows are dense here: what they leave out is 0.
struct LossInput {
  std::vector<int64_t> shape;
  std::vector<float> floats;
  std::vector<int64_t> integers;
  bool operator==(const LossInput&) const = default;
};

/// One sequence. The first dimension of every input is the number of tokens.
struct Datum {
  std::vector<int32_t> tokens;
  std::map<std::string, LossInput> inputs;
};

struct CreateModel {
  std::string session_id;
  int64_t model_seq_id = 0;
  std::string base_model;
  int64_t rank = 32;
  std::optional<uint64_t> seed;
  bool train_mlp = true, train_attn = true, train_unembed = true;
  std::string user_metadata = "{}";  ///< a JSON object
  std::string optimizer = "adamw";   ///< the only one there is
};

/// Into an existing model (`model_id`, `seq_id`), or into a new one (`session_id`, `model_seq_id`; `model_id` is then
/// what the new one will be called and `seq_id` 0).
struct LoadWeights {
  std::string model_id;
  int64_t seq_id = 0;
  std::string path;
  bool optimizer = false;
  std::string session_id;
  std::optional<int64_t> model_seq_id;
  std::optional<std::string> base_model;
  std::optional<std::string> user_metadata;  ///< a JSON object
  bool creates() const { return model_seq_id.has_value(); }
};

struct ForwardBackward {
  std::string model_id;
  int64_t seq_id = 0;
  std::vector<Datum> data;
  std::string loss_fn;
  std::map<std::string, ConfigValue> config;
  bool forward_only = false;
};

struct OptimStep {
  std::string model_id;
  int64_t seq_id = 0;
  double learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-12, weight_decay = 0, grad_clip_norm = 0;
};

struct SaveWeights {
  enum Kind { training, sampler, external };
  Kind kind = training;
  std::string model_id;
  int64_t seq_id = 0;
  std::optional<std::string> name;  ///< [A-Za-z0-9._-]{1,255}, not "." or ".."; absent: an ephemeral sampler
  std::optional<int64_t> sampling_session_seq_id;  ///< there when `name` is not
  std::optional<int64_t> ttl_seconds;
  bool overwrite = false;
  std::string user_metadata = "{}";  ///< a JSON object of strings
  std::vector<std::string> age_recipients;
};

struct UnloadModel {
  std::string model_id;
};

using TrainingCommand = std::variant<CreateModel, LoadWeights, ForwardBackward, OptimStep, SaveWeights, UnloadModel>;

/// Where the cells of a table stand that came as compressed sparse rows.
struct SparseRows {
  std::vector<int64_t> row_starts;  ///< rows + 1
  std::vector<int64_t> columns;
  bool operator==(const SparseRows&) const = default;
};

/// Ids whose log-probabilities are wanted: a table [tokens - 1, k], row i about position i + 1. `ids` are those of the
/// dense table, or of the cells of `sparse` only. -1: nothing, answered by 0.
struct TargetIds {
  std::vector<int64_t> shape;
  std::vector<int64_t> ids;
  std::optional<SparseRows> sparse;
};

struct Sample {
  std::string sampler_id;
  int64_t seq_id = 0;
  int64_t num_samples = 1;
  std::vector<int32_t> prompt;
  std::optional<int64_t> max_tokens;  ///< absent: as many as the context has room for
  std::optional<uint64_t> seed;
  bool ignore_eos = false;  ///< `stop: []`
  std::vector<std::string> stop_texts;
  std::vector<int32_t> stop_tokens;
  double temperature = 1, top_p = 1;
  int64_t top_k = -1;  ///< -1: off
  bool prompt_logprobs = false;
  int64_t topk_prompt_logprobs = 0, topk_sample_logprobs = 0, prompt_alt_tokens_k = 0;
  std::optional<int64_t> prompt_logprobs_last_n;
  std::optional<TargetIds> target_prompt_logprobs;
  bool record_stability_info = false;  ///< only a loss that is not offered would read it
};

/// What a request may be at most; above it, it is refused by name.
struct WireLimits {
  int64_t datums = 65536;             ///< in one request
  int64_t tokens = int64_t(1) << 22;  ///< of one sequence
  int64_t columns = 1024;             ///< of a table: candidates for one position
  int64_t values = int64_t(1) << 27;  ///< of all tensors of a request, absent cells of sparse ones included
  int64_t samples = 4096;             ///< of one prompt
  int64_t stops = 256;                ///< texts or tokens
  int64_t metadata_bytes = int64_t(1) << 16;
};

/// The body of a request as it came (decompressed): protobuf for forward_backward, else JSON. The same function reads
/// requests at arrival and journaled ones at replay. Fields that it does not know are noted in `unknown`. Raises
/// ValueError "REQUEST: FIELD: what is wrong".
/// Example: auto command = decode_training(CommandKind::optim_step, body);
TrainingCommand decode_training(CommandKind kind, std::string_view body, UnknownFields* unknown = nullptr,
                                const WireLimits& limits = {});

/// The body of `asample`. Raises ValueError likewise.
Sample decode_sample(std::string_view body, UnknownFields* unknown = nullptr, const WireLimits& limits = {});

/// Which operation of which model a body is: what the journal knows it by.
struct OperationKey {
  static constexpr int64_t creation = 0, unnumbered = -1;

  std::string model_id;
  int64_t seq_id = unnumbered;  ///< 1, 2, ...; `creation` where the request makes the model; `unnumbered` for unload
  std::string session_id;       ///< only with `creation`
  bool operator==(const OperationKey&) const = default;
};

/// Reads no more than the key, also from a body that is broken elsewhere or cut short: its number counts as used and
/// its future fails. Nothing when there is none to read. Never raises.
std::optional<OperationKey> read_key(CommandKind kind, std::string_view body);

/// "SESSION:train:N", what a client expects its N-th model to be called; ":sample:" likewise.
std::string training_id(std::string_view session_id, int64_t model_seq_id);
std::string sampler_id(std::string_view session_id, int64_t sampling_session_seq_id);

}  // namespace hearth::server
