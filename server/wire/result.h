// Results: what a future ends as, and the bytes that a client reads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/wire/command.h"

namespace hearth::server {

/// A body with its content type, as it is stored and sent.
struct Payload {
  std::string content_type;
  std::string bytes;
};

inline constexpr std::string_view protobuf_type = "application/x-protobuf", json_type = "application/json";

/// Of one datum: the model's log-probability of each target, shape of `target_tokens`.
struct LossOutput {
  std::vector<int64_t> shape;
  std::vector<float> logprobs;
};

struct ForwardBackwardResult {
  std::vector<LossOutput> outputs;        ///< one a datum, in the request's order
  std::map<std::string, double> metrics;  ///< names are NAME:REDUCTION; "loss:sum" is always there
};

/// rows * k tokens with log-probabilities, most likely first; unused cells hold token 0 and -99999.
struct TopTokens {
  static constexpr float unused = -99999.0f;
  int64_t k = 0, rows = 0;
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
};

struct SampleSequence {
  std::vector<int32_t> tokens;  ///< the one that stopped it included
  std::vector<float> logprobs;
  bool stopped = false;  ///< by a stop token or text; else by its length
  std::optional<TopTokens> top;
};

/// A table [rows, columns] of what was asked by TargetIds: the same shape and, when sparse, the same cells.
struct TargetLogprobs {
  std::vector<int64_t> shape;
  std::vector<float> logprobs;
  std::optional<SparseRows> sparse;
};

/// [prompt - 1, k] drawn tokens with their log-probabilities.
struct AlternativeTokens {
  int64_t k = 0, rows = 0;
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
};

struct SampleResult {
  std::vector<SampleSequence> sequences;
  std::optional<std::vector<float>> prompt_logprobs;  ///< as long as the prompt; NaN: not computed
  std::optional<TopTokens> topk_prompt_logprobs;
  std::optional<TargetLogprobs> target_prompt_logprobs;
  std::optional<AlternativeTokens> prompt_alt_tokens;
  int64_t cache_hit_tokens = 0;
};

struct CreateModelResult {
  std::string model_id;
};
struct UnloadModelResult {
  std::string model_id;
};
struct OptimStepResult {
  std::map<std::string, double> metrics;
};
struct LoadWeightsResult {
  std::string path, model_id;
};
/// One of the two is there: the path of what has a name, or the new ephemeral sampler.
struct SaveWeightsResult {
  SaveWeights::Kind kind = SaveWeights::training;
  std::optional<std::string> path, sampling_session_id;
  std::optional<int64_t> size_bytes;  ///< said for external weights
};

/// Whose fault a failure is; clients know no other words.
enum class FailureCategory { unknown, server, user };

/// "unknown", "server" or "user".
std::string_view category_name(FailureCategory category);

/// A request that failed for good.
struct Failure {
  std::string message;
  FailureCategory category = FailureCategory::server;
};

/// Protobuf for the first two, JSON for the others. A number that JSON has no word for (NaN, infinity) is left out of
/// metrics. Raises ShapeError when the parts of a result do not fit together.
/// Example: Payload answer = encode(CreateModelResult{"s:train:0"});
Payload encode(const ForwardBackwardResult& result);
Payload encode(const SampleResult& result);
Payload encode(const CreateModelResult& result);
Payload encode(const UnloadModelResult& result);
Payload encode(const OptimStepResult& result);
Payload encode(const LoadWeightsResult& result);
Payload encode(const SaveWeightsResult& result);
Payload encode(const Failure& failure);

/// What a protobuf answer says: for `hearth replay`, for tests, and for clients in C++. Raises ValueError for bytes
/// that are no such answer.
ForwardBackwardResult decode_forward_backward_result(std::string_view bytes);
SampleResult decode_sample_result(std::string_view bytes);

}  // namespace hearth::server
