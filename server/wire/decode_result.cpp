// Protobuf results read back: for replay, tests, and clients in C++.
#include <server/wire/tinker.pb.h>

#include "hearth/core/error.h"
#include "server/wire/bytes.h"
#include "server/wire/parse.h"
#include "server/wire/result.h"
#include "server/wire/sparse.h"

namespace hearth::server {
namespace {

namespace proto = tinker_public;

constexpr int64_t most_values = int64_t(1) << 31;

// The bytes of each datum lie between two offsets.
LossOutput read_output(const proto::BatchedTensor& tensor, int64_t begin, int64_t end) {
  const std::string where = "ForwardBackwardOutput: logprobs";
  check<ValueError>(begin >= 0 && begin <= end && end <= int64_t(tensor.data().size()), where, ": offsets ", begin,
                    ", ", end, " in ", tensor.data().size(), " bytes");
  LossOutput output;
  output.logprobs = numbers_of<float>(std::string_view(tensor.data()).substr(begin, end - begin), where);
  output.shape.assign(tensor.trailing_shape().begin(), tensor.trailing_shape().end());
  const int64_t row = checked_size(output.shape, most_values, where);
  const int64_t values = int64_t(output.logprobs.size());
  check<ValueError>(row > 0 ? values % row == 0 : values == 0, where, ": ", values, " values in rows of ", row);
  output.shape.insert(output.shape.begin(), row > 0 ? values / row : 0);
  return output;
}

void read_record(const proto::ArrayRecord& record, ForwardBackwardResult& result) {
  const auto found = record.fields().find("logprobs");
  check<ValueError>(found != record.fields().end(), "ForwardBackwardOutput: a record without logprobs");
  const proto::BatchedTensor& tensor = found->second;
  check<ValueError>(tensor.dtype() == proto::DTYPE_FLOAT32, "ForwardBackwardOutput: logprobs: dtype ",
                    int(tensor.dtype()));
  const auto offsets = numbers_of<int64_t>(tensor.offsets(), "ForwardBackwardOutput: offsets");
  check<ValueError>(!offsets.empty() && int64_t(offsets.size()) - 1 == record.num_datums(),
                    "ForwardBackwardOutput: ", offsets.size(), " offsets for ", record.num_datums(), " datums");
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    result.outputs.push_back(read_output(tensor, offsets[i], offsets[i + 1]));
  }
}

TopTokens read_top(const proto::TopkLogprobs& message) {
  TopTokens top;
  top.k = message.k();
  top.rows = message.length();
  top.tokens = numbers_of<int32_t>(message.token_ids(), "SampleResponse: token_ids");
  top.logprobs = numbers_of<float>(message.logprobs(), "SampleResponse: logprobs");
  check<ValueError>(top.tokens.size() == top.logprobs.size() && int64_t(top.tokens.size()) == top.rows * top.k,
                    "SampleResponse: ", top.tokens.size(), " tokens for ", top.rows, " rows of ", top.k);
  return top;
}

SampleSequence read_sequence(const proto::SampledSequence& message) {
  SampleSequence sequence;
  sequence.stopped = message.stop_reason() == proto::STOP_REASON_STOP;
  sequence.tokens = numbers_of<int32_t>(message.tokens(), "SampleResponse: tokens");
  sequence.logprobs = numbers_of<float>(message.logprobs(), "SampleResponse: logprobs");
  check<ValueError>(sequence.tokens.size() == sequence.logprobs.size(), "SampleResponse: ", sequence.tokens.size(),
                    " tokens with ", sequence.logprobs.size(), " log-probabilities");
  if (message.has_topk_sampled_logprobs()) sequence.top = read_top(message.topk_sampled_logprobs());
  return sequence;
}

std::vector<int64_t> table_shape(const proto::Tensor& tensor) {
  std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  check<ValueError>(shape.size() == 2, "SampleResponse: a table of shape ", shape_text(shape));
  return shape;
}

TargetLogprobs read_targets(const proto::Tensor& tensor) {
  const std::string where = "SampleResponse: target_prompt_logprobs";
  check<ValueError>(tensor.dtype() == proto::DTYPE_FLOAT32, where, ": dtype ", int(tensor.dtype()));
  TargetLogprobs targets;
  targets.shape = table_shape(tensor);
  const int64_t size = checked_size(targets.shape, most_values, where);
  if (!tensor.has_sparse_csr()) {
    targets.logprobs = numbers_of<float>(tensor.dense(), where);
    check<ValueError>(int64_t(targets.logprobs.size()) == size, where, ": ", targets.logprobs.size(),
                      " values for shape ", shape_text(targets.shape));
    return targets;
  }
  const proto::SparseCsr& csr = tensor.sparse_csr();
  targets.logprobs = numbers_of<float>(csr.values(), where);
  targets.sparse =
      SparseRows{numbers_of<int64_t>(csr.crow_indices(), where), numbers_of<int64_t>(csr.col_indices(), where)};
  check_sparse_rows(targets.shape, targets.sparse->row_starts, targets.sparse->columns,
                    int64_t(targets.logprobs.size()), most_values, where);
  return targets;
}

AlternativeTokens read_alternatives(const proto::PromptAltTokens& message) {
  const std::string where = "SampleResponse: prompt_alt_tokens";
  const std::vector<int64_t> shape = table_shape(message.tokens());
  check<ValueError>(
      message.tokens().dtype() == proto::DTYPE_INT64 && message.logprobs().dtype() == proto::DTYPE_FLOAT32, where,
      ": dtypes ", int(message.tokens().dtype()), ", ", int(message.logprobs().dtype()));
  const auto wide = numbers_of<int64_t>(message.tokens().dense(), where);
  AlternativeTokens alternatives{
      shape[1], shape[0], {wide.begin(), wide.end()}, numbers_of<float>(message.logprobs().dense(), where)};
  const int64_t size = checked_size(shape, most_values, where);
  check<ValueError>(int64_t(wide.size()) == size && int64_t(alternatives.logprobs.size()) == size, where, ": ",
                    wide.size(), " tokens for shape ", shape_text(shape));
  return alternatives;
}

}  // namespace

ForwardBackwardResult decode_forward_backward_result(std::string_view bytes) {
  const auto message = parse_message<proto::ForwardBackwardOutput>(bytes, "ForwardBackwardOutput");
  ForwardBackwardResult result;
  for (const proto::ArrayRecord& record : message.loss_fn_outputs()) read_record(record, result);
  for (const auto& [name, value] : message.metrics()) result.metrics[name] = value;
  return result;
}

SampleResult decode_sample_result(std::string_view bytes) {
  const auto message = parse_message<proto::SampleResponse>(bytes, "SampleResponse");
  SampleResult result;
  for (const proto::SampledSequence& sequence : message.sequences())
    result.sequences.push_back(read_sequence(sequence));
  if (message.has_prompt_logprobs()) {
    result.prompt_logprobs = numbers_of<float>(message.prompt_logprobs(), "SampleResponse: prompt_logprobs");
  }
  if (message.has_topk_prompt_logprobs()) result.topk_prompt_logprobs = read_top(message.topk_prompt_logprobs());
  if (message.has_target_prompt_logprobs()) {
    result.target_prompt_logprobs = read_targets(message.target_prompt_logprobs());
  }
  if (message.has_prompt_alt_tokens()) result.prompt_alt_tokens = read_alternatives(message.prompt_alt_tokens());
  result.cache_hit_tokens = message.prompt_cache_hit_tokens();
  return result;
}

}  // namespace hearth::server
