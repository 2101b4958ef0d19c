// Results that travel as protobuf.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <server/wire/tinker.pb.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/core/error.h"
#include "server/wire/bytes.h"
#include "server/wire/result.h"
#include "server/wire/sparse.h"

namespace hearth::server {
namespace {

namespace proto = tinker_public;

// What the hosted service calls it; clients keep it and read nothing from it.
constexpr const char* output_type = "TorchLossReturn";

// The same bytes for the same result: maps in the order of their keys.
std::string serialized(const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    check<ValueError>(message.SerializeToCodedStream(&out), "encode: the result does not fit a message");
  }
  return bytes;
}

// Every NaN is the same one, whatever arithmetic made it.
std::string float_bytes(std::vector<float> values) {
  for (float& value : values) {
    if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
  }
  return bytes_of(values);
}

std::vector<int64_t> trailing(const std::vector<int64_t>& shape) { return {shape.begin() + 1, shape.end()}; }

// Datums [begin, end), which have the same trailing shape.
void add_record(const std::vector<LossOutput>& outputs, size_t begin, size_t end,
                proto::ForwardBackwardOutput& message) {
  proto::ArrayRecord& record = *message.add_loss_fn_outputs();
  record.set_type_tag(output_type);
  record.set_num_datums(int64_t(end - begin));
  proto::BatchedTensor& tensor = (*record.mutable_fields())["logprobs"];
  tensor.set_dtype(proto::DTYPE_FLOAT32);
  for (const int64_t dimension : trailing(outputs[begin].shape)) tensor.add_trailing_shape(dimension);
  std::string data;
  std::vector<int64_t> offsets{0};
  for (size_t i = begin; i < end; ++i) {
    data += bytes_of(outputs[i].logprobs);
    offsets.push_back(int64_t(data.size()));
  }
  tensor.set_data(std::move(data));
  tensor.set_offsets(bytes_of(offsets));
}

void check_rows(int64_t rows, int64_t k, size_t tokens, size_t logprobs, const char* what) {
  check<ShapeError>(rows >= 0 && k >= 0 && int64_t(tokens) == rows * k && logprobs == tokens, "encode: ", what, ": ",
                    tokens, " tokens and ", logprobs, " log-probabilities for ", rows, " rows of ", k);
}

void set_top(const TopTokens& top, proto::TopkLogprobs& message) {
  check_rows(top.rows, top.k, top.tokens.size(), top.logprobs.size(), "top tokens");
  message.set_token_ids(bytes_of(top.tokens));
  message.set_logprobs(float_bytes(top.logprobs));
  message.set_k(uint32_t(top.k));
  message.set_length(uint32_t(top.rows));
}

void set_tensor(std::string dense, proto::DType dtype, int64_t rows, int64_t columns, proto::Tensor& message) {
  message.set_dense(std::move(dense));
  message.set_dtype(dtype);
  message.add_shape(rows);
  message.add_shape(columns);
}

void set_targets(const TargetLogprobs& targets, proto::Tensor& message) {
  check<ShapeError>(targets.shape.size() == 2, "encode: target_prompt_logprobs: shape ", shape_text(targets.shape));
  const size_t cells = targets.sparse ? targets.sparse->columns.size() : size_t(targets.shape[0] * targets.shape[1]);
  check<ShapeError>(targets.logprobs.size() == cells, "encode: target_prompt_logprobs: ", targets.logprobs.size(),
                    " values for ", cells, " cells");
  if (!targets.sparse) {
    set_tensor(float_bytes(targets.logprobs), proto::DTYPE_FLOAT32, targets.shape[0], targets.shape[1], message);
    return;
  }
  proto::SparseCsr& csr = *message.mutable_sparse_csr();
  csr.set_values(float_bytes(targets.logprobs));
  csr.set_crow_indices(bytes_of(targets.sparse->row_starts));
  csr.set_col_indices(bytes_of(targets.sparse->columns));
  message.set_dtype(proto::DTYPE_FLOAT32);
  for (const int64_t dimension : targets.shape) message.add_shape(dimension);
}

void set_sequence(const SampleSequence& sequence, proto::SampledSequence& message) {
  check<ShapeError>(sequence.tokens.size() == sequence.logprobs.size(),
                    "encode: a sampled sequence: ", sequence.tokens.size(), " tokens with ", sequence.logprobs.size(),
                    " log-probabilities");
  message.set_stop_reason(sequence.stopped ? proto::STOP_REASON_STOP : proto::STOP_REASON_LENGTH);
  message.set_tokens(bytes_of(sequence.tokens));
  message.set_logprobs(float_bytes(sequence.logprobs));
  if (sequence.top) set_top(*sequence.top, *message.mutable_topk_sampled_logprobs());
}

}  // namespace

Payload encode(const ForwardBackwardResult& result) {
  proto::ForwardBackwardOutput message;
  message.set_loss_fn_output_type(output_type);
  const std::vector<LossOutput>& outputs = result.outputs;
  for (const LossOutput& output : outputs) {
    check<ShapeError>(!output.shape.empty() &&
                          checked_size(output.shape, INT32_MAX, "encode: logprobs") == int64_t(output.logprobs.size()),
                      "encode: logprobs: ", output.logprobs.size(), " values for shape ", shape_text(output.shape));
  }
  for (size_t begin = 0, end = 0; begin < outputs.size(); begin = end) {
    for (end = begin; end < outputs.size() && trailing(outputs[end].shape) == trailing(outputs[begin].shape);) ++end;
    add_record(outputs, begin, end, message);
  }
  for (const auto& [name, value] : result.metrics) (*message.mutable_metrics())[name] = value;
  return {std::string(protobuf_type), serialized(message)};
}

Payload encode(const SampleResult& result) {
  proto::SampleResponse message;
  for (const SampleSequence& sequence : result.sequences) set_sequence(sequence, *message.add_sequences());
  if (result.prompt_logprobs) message.set_prompt_logprobs(float_bytes(*result.prompt_logprobs));
  if (result.topk_prompt_logprobs) set_top(*result.topk_prompt_logprobs, *message.mutable_topk_prompt_logprobs());
  if (result.target_prompt_logprobs) {
    set_targets(*result.target_prompt_logprobs, *message.mutable_target_prompt_logprobs());
  }
  if (const auto& alt = result.prompt_alt_tokens) {
    check_rows(alt->rows, alt->k, alt->tokens.size(), alt->logprobs.size(), "prompt_alt_tokens");
    const std::vector<int64_t> wide(alt->tokens.begin(), alt->tokens.end());
    proto::PromptAltTokens& out = *message.mutable_prompt_alt_tokens();
    set_tensor(bytes_of(wide), proto::DTYPE_INT64, alt->rows, alt->k, *out.mutable_tokens());
    set_tensor(float_bytes(alt->logprobs), proto::DTYPE_FLOAT32, alt->rows, alt->k, *out.mutable_logprobs());
  }
  message.set_prompt_cache_hit_tokens(int32_t(std::clamp<int64_t>(result.cache_hit_tokens, 0, INT32_MAX)));
  return {std::string(protobuf_type), serialized(message)};
}

}  // namespace hearth::server
