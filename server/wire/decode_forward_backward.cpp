// The request forward_backward, which comes as protobuf.
#include <server/wire/tinker.pb.h>

#include <cmath>

#include "hearth/core/error.h"
#include "hearth/io/utf8.h"
#include "server/wire/bytes.h"
#include "server/wire/decode.h"
#include "server/wire/parse.h"
#include "server/wire/scan.h"
#include "server/wire/shown.h"
#include "server/wire/sparse.h"

namespace hearth::server {
namespace {

namespace proto = tinker_public;

constexpr size_t longest_name = 1024;

const std::string& checked_text(const std::string& text, const char* field) {
  check<ValueError>(text.size() <= longest_name, "forward_backward: ", field, ": is longer than ", longest_name,
                    " bytes: ", text.size());
  check<ValueError>(find_invalid_utf8(text) == std::string_view::npos, "forward_backward: ", field,
                    ": is not UTF-8: ", shown(text));
  return text;
}

// Values of a compressed tensor at their places; 0 elsewhere.
template <class T>
std::vector<T> spread(const std::vector<T>& values, const SparseRows& rows, const std::vector<int64_t>& shape) {
  std::vector<T> dense(size_t(shape[0] * shape[1]));
  for (int64_t row = 0; row < shape[0]; ++row) {
    for (int64_t i = rows.row_starts[row]; i < rows.row_starts[row + 1]; ++i) {
      dense[row * shape[1] + rows.columns[i]] = values[i];
    }
  }
  return dense;
}

// Reads the tensors of a request and counts what they take together.
class TensorReader {
 public:
  explicit TensorReader(const WireLimits& limits) : limits_(limits), left_(limits.values) {}

  LossInput read(const proto::Tensor& tensor, const std::string& where) {
    LossInput input;
    input.shape.assign(tensor.shape().begin(), tensor.shape().end());
    switch (tensor.dtype()) {
      case proto::DTYPE_FLOAT32:
        input.floats = values<float>(tensor, input.shape, where);
        check_finite(input.floats, where);
        break;
      case proto::DTYPE_INT64:
        input.integers = values<int64_t>(tensor, input.shape, where);
        break;
      default:
        fail<ValueError>(where, ": dtype: wants FLOAT32 (1) or INT64 (2): ", int(tensor.dtype()));
    }
    return input;
  }

 private:
  template <class T>
  std::vector<T> values(const proto::Tensor& tensor, std::vector<int64_t>& shape, const std::string& where) {
    if (tensor.has_sparse_csr()) return sparse_values<T>(tensor.sparse_csr(), shape, where);
    check<ValueError>(tensor.has_dense(), where, ": holds neither dense nor sparse values");
    std::vector<T> values = numbers_of<T>(tensor.dense(), where);
    // Tensors that a user built by hand may come without a shape.
    if (shape.empty()) shape = {int64_t(values.size())};
    const int64_t size = take(shape, where);
    check<ValueError>(size == int64_t(values.size()), where, ": ", values.size(), " values for shape ",
                      shape_text(shape));
    return values;
  }

  template <class T>
  std::vector<T> sparse_values(const proto::SparseCsr& csr, const std::vector<int64_t>& shape,
                               const std::string& where) {
    const std::vector<T> values = numbers_of<T>(csr.values(), where);
    const SparseRows rows{numbers_of<int64_t>(csr.crow_indices(), where + ": crow_indices"),
                          numbers_of<int64_t>(csr.col_indices(), where + ": col_indices")};
    check_sparse_rows(shape, rows.row_starts, rows.columns, int64_t(values.size()), limits_.columns, where);
    take(shape, where);
    return spread(values, rows, shape);
  }

  int64_t take(const std::vector<int64_t>& shape, const std::string& where) {
    check<ValueError>(shape.size() == 1 || shape.size() == 2, where,
                      ": shape: wants [N] or [N, K]: ", shape_text(shape));
    check<ValueError>(shape.size() == 1 || (shape[1] >= 1 && shape[1] <= limits_.columns), where,
                      ": shape: wants 1 to ", limits_.columns, " columns: ", shape_text(shape));
    const int64_t size = checked_size(shape, limits_.values, where);
    check<ValueError>(size <= left_, where, ": the request's tensors have more than ", limits_.values, " values");
    left_ -= size;
    return size;
  }

  static void check_finite(const std::vector<float>& values, const std::string& where) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) [[unlikely]]
        fail<ValueError>(where, "[", i, "]: is not finite: ", values[i]);
    }
  }

  const WireLimits& limits_;
  int64_t left_;
};

std::vector<int32_t> read_tokens(const proto::Datum& datum, const std::string& where, const WireLimits& limits) {
  std::vector<int32_t> tokens;
  for (const proto::Chunk& chunk : datum.model_input()) {
    check<ValueError>(chunk.has_encoded_text(), where, ": ",
                      chunk.has_image()  ? "image: is not offered"
                      : chunk.has_dmel() ? "dmel (audio): is not offered"
                                         : "a chunk that is neither text, image nor audio is not offered",
                      "; only encoded_text is");
    const std::vector<int32_t> more = numbers_of<int32_t>(chunk.encoded_text().tokens(), where);
    tokens.insert(tokens.end(), more.begin(), more.end());
  }
  check<ValueError>(!tokens.empty(), where, ": holds no tokens");
  check<ValueError>(int64_t(tokens.size()) <= limits.tokens, where, ": more than ", limits.tokens,
                    " tokens: ", tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0) fail<ValueError>(where, "[", i, "]: is no token id: ", tokens[i]);
  }
  return tokens;
}

Datum read_datum(const proto::Datum& source, const std::string& where, TensorReader& reader, const WireLimits& limits) {
  Datum datum;
  datum.tokens = read_tokens(source, where + ": model_input", limits);
  check<ValueError>(source.loss_fn_inputs().size() <= 32, where,
                    ": loss_fn_inputs: more than 32: ", source.loss_fn_inputs().size());
  for (const auto& [name, tensor] : source.loss_fn_inputs()) {
    LossInput input = reader.read(tensor, where + ": " + checked_text(name, "loss_fn_inputs"));
    check<ValueError>(input.shape[0] == int64_t(datum.tokens.size()), where, ": ", name, ": shape ",
                      shape_text(input.shape), " for ", datum.tokens.size(), " tokens");
    check<ValueError>(name != "target_tokens" || input.floats.empty(), where, ": target_tokens: wants INT64");
    datum.inputs.emplace(name, std::move(input));
  }
  return datum;
}

std::map<std::string, ConfigValue> read_config(const proto::ForwardBackwardRequest& request) {
  std::map<std::string, ConfigValue> config;
  const auto number = [&](const std::string& key, double value) {
    check<ValueError>(std::isfinite(value), "forward_backward: loss_fn_config: ", key, ": is not finite: ", value);
    config[checked_text(key, "loss_fn_config")] = value;
  };
  check<ValueError>(request.loss_fn_config().size() <= 256 && request.loss_fn_config_v2().size() <= 256,
                    "forward_backward: loss_fn_config: more than 256 settings");
  // The second map repeats the numbers of the first.
  if (request.loss_fn_config_v2().empty()) {
    for (const auto& [key, value] : request.loss_fn_config()) number(key, value);
    return config;
  }
  for (const auto& [key, value] : request.loss_fn_config_v2()) {
    if (value.has_number()) {
      number(key, value.number());
      continue;
    }
    check<ValueError>(value.has_text(), "forward_backward: loss_fn_config_v2: ", shown(key),
                      ": is neither a number nor a text");
    config[checked_text(key, "loss_fn_config_v2")] = checked_text(value.text(), "loss_fn_config_v2");
  }
  return config;
}

}  // namespace

ForwardBackward decode_forward_backward(std::string_view body, UnknownFields* unknown, const WireLimits& limits) {
  scan_forward_backward(body, unknown);
  const auto request = parse_message<proto::ForwardBackwardRequest>(body, "forward_backward");
  ForwardBackward command;
  command.model_id = checked_text(request.model_id(), "model_id");
  check<ValueError>(!command.model_id.empty(), "forward_backward: model_id: is missing");
  command.seq_id = request.seq_id();
  check<ValueError>(command.seq_id >= 1, "forward_backward: seq_id: must be at least 1: ", command.seq_id);
  command.loss_fn = checked_text(request.loss_fn(), "loss_fn");
  check<ValueError>(!command.loss_fn.empty(), "forward_backward: loss_fn: is missing");
  command.forward_only = request.forward_only();
  command.config = read_config(request);
  check<ValueError>(!request.data().empty(), "forward_backward: data: is empty");
  check<ValueError>(request.data().size() <= limits.datums, "forward_backward: data: more than ", limits.datums,
                    " datums: ", request.data().size());
  TensorReader reader(limits);
  command.data.reserve(request.data().size());
  for (int i = 0; i < request.data().size(); ++i) {
    command.data.push_back(
        read_datum(request.data(i), "forward_backward: data[" + std::to_string(i) + "]", reader, limits));
  }
  return command;
}

}  // namespace hearth::server
