// The request asample.
#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "server/wire/decode.h"
#include "server/wire/shown.h"
#include "server/wire/sparse.h"

namespace hearth::server {

namespace json = boost::json;

namespace {

std::vector<int32_t> get_prompt(const JsonObject& fields, const WireLimits& limits, UnknownFields* unknown) {
  const JsonObject prompt = fields.get_object("prompt");
  std::vector<int32_t> tokens;
  for (const json::value& element : prompt.get_array("chunks")) {
    const JsonObject chunk(element, prompt.where() + ": chunks");
    const std::string type = chunk.get_string("type", "encoded_text");
    check<ValueError>(type == "encoded_text", chunk.where(), ": type: is not offered: ", shown(type),
                      "; only encoded_text is");
    check<ValueError>(chunk.has("tokens"), chunk.where(), ": tokens: is missing");
    const std::vector<int32_t> more = get_tokens(*chunk.find("tokens"), chunk.where() + ": tokens");
    tokens.insert(tokens.end(), more.begin(), more.end());
    note_unknown(chunk, {"tokens"}, "asample", "prompt.chunks.", unknown);
  }
  note_unknown(prompt, {"chunks"}, "asample", "prompt.", unknown);
  check<ValueError>(!tokens.empty(), "asample: prompt: holds no tokens");
  check<ValueError>(int64_t(tokens.size()) <= limits.tokens, "asample: prompt: more than ", limits.tokens,
                    " tokens: ", tokens.size());
  return tokens;
}

std::string stop_text(const json::value& value, const std::string& where) {
  const json::string& text = value.get_string();
  check<ValueError>(!text.empty(), where, ": stop: an empty text would stop everything");
  return std::string(text.data(), text.size());
}

void decode_stop(const JsonObject& params, const WireLimits& limits, Sample& sample) {
  const json::value* stop = params.find("stop");
  if (stop == nullptr) return;
  if (stop->is_string()) {
    sample.stop_texts = {stop_text(*stop, params.where())};
    return;
  }
  const json::array* list = stop->if_array();
  check<ValueError>(list != nullptr, params.where(), ": stop: wants a string or a list, is ", json_kind(*stop));
  check<ValueError>(int64_t(list->size()) <= limits.stops, params.where(), ": stop: more than ", limits.stops, ": ",
                    list->size());
  sample.ignore_eos = list->empty();
  if (list->empty()) return;
  if (!list->front().is_string()) {
    sample.stop_tokens = get_tokens(*stop, params.where() + ": stop");
    return;
  }
  for (const json::value& element : *list) {
    check<ValueError>(element.is_string(), params.where(), ": stop: mixes strings with ", json_kind(element));
    sample.stop_texts.push_back(stop_text(element, params.where()));
  }
}

void decode_params(const JsonObject& fields, const WireLimits& limits, UnknownFields* unknown, Sample& sample) {
  const JsonObject params = fields.get_object("sampling_params");
  sample.max_tokens = find_int_in(params, "max_tokens", 1, int32_max);
  sample.seed = find_seed(params, "seed");
  // Clients write NaN and infinities as null: taking the default for them would hide a mistake.
  for (const char* key : {"temperature", "top_p"}) {
    const json::value* value = params.object().if_contains(key);
    check<ValueError>(value == nullptr || !value->is_null(), params.where(), ": ", key, ": wants a number, is null");
  }
  sample.temperature = get_double_in(params, "temperature", 0, 1e6, 1);
  sample.top_p = get_double_in(params, "top_p", 0, 1, 1);
  check<ValueError>(sample.top_p > 0, params.where(), ": top_p: must be greater than 0: ", sample.top_p);
  sample.top_k = get_int_in(params, "top_k", -1, int32_max, -1);
  check<ValueError>(sample.top_k != 0, params.where(), ": top_k: must be -1 (off) or at least 1: 0");
  decode_stop(params, limits, sample);
  refuse_unknown_settings(params, {"max_tokens", "seed", "stop", "temperature", "top_k", "top_p"}, "asample",
                          "sampling_params.", unknown);
}

std::vector<int64_t> get_integers(const JsonObject& tensor, std::string_view key) {
  std::vector<int64_t> numbers;
  for (const json::value& element : tensor.get_array(key)) {
    const int64_t* number = element.if_int64();
    check<ValueError>(number != nullptr, tensor.where(), ": ", key, ": wants integers, holds ", json_kind(element));
    numbers.push_back(*number);
  }
  return numbers;
}

TargetIds decode_targets(const JsonObject& fields, const WireLimits& limits, UnknownFields* unknown, size_t prompt) {
  const JsonObject tensor = fields.get_object("target_prompt_logprobs");
  TargetIds targets;
  const std::string dtype = tensor.get_string("dtype");
  check<ValueError>(dtype == "int64", tensor.where(), ": dtype: wants \"int64\": ", shown(dtype));
  targets.ids = get_integers(tensor, "data");
  targets.shape = tensor.has("shape") ? get_integers(tensor, "shape") : std::vector{int64_t(targets.ids.size())};
  check<ValueError>(targets.shape.size() == 2 && targets.shape[0] == int64_t(prompt) - 1, tensor.where(),
                    ": shape: wants [tokens of the prompt - 1, candidates] = [", prompt - 1,
                    ", K]: ", shape_text(targets.shape));
  check<ValueError>(targets.shape[1] >= 0 && targets.shape[1] <= limits.columns, tensor.where(), ": shape: wants 0 to ",
                    limits.columns, " candidates: ", targets.shape[1]);
  const int64_t size = checked_size(targets.shape, limits.values, tensor.where());
  if (tensor.has("sparse_crow_indices") || tensor.has("sparse_col_indices")) {
    targets.sparse =
        SparseRows{get_integers(tensor, "sparse_crow_indices"), get_integers(tensor, "sparse_col_indices")};
    check_sparse_rows(targets.shape, targets.sparse->row_starts, targets.sparse->columns, int64_t(targets.ids.size()),
                      limits.columns, tensor.where());
  } else {
    check<ValueError>(int64_t(targets.ids.size()) == size, tensor.where(), ": data: ", targets.ids.size(),
                      " values for shape ", shape_text(targets.shape));
  }
  for (const int64_t id : targets.ids) {
    check<ValueError>(id >= -1 && id <= int32_max, tensor.where(), ": data: is no token id: ", id);
  }
  note_unknown(tensor, {"data", "dtype", "shape", "sparse_crow_indices", "sparse_col_indices"}, "asample",
               "target_prompt_logprobs.", unknown);
  return targets;
}

}  // namespace

Sample decode_sample(std::string_view bytes, UnknownFields* unknown, const WireLimits& limits) {
  const JsonBody body("asample", bytes);
  const JsonObject& fields = body.fields();
  Sample sample;
  refuse_field(fields, "base_model", "name a sampling_session_id");
  refuse_field(fields, "model_path", "name a sampling_session_id");
  sample.sampler_id = get_text(fields, "sampling_session_id");
  sample.seq_id = get_int_in(fields, "seq_id", 0, int64_max, 0);
  sample.num_samples = get_int_in(fields, "num_samples", 1, limits.samples, 1);
  sample.prompt = get_prompt(fields, limits, unknown);
  decode_params(fields, limits, unknown, sample);
  sample.prompt_logprobs = fields.get_bool("prompt_logprobs", false);
  sample.topk_prompt_logprobs = get_int_in(fields, "topk_prompt_logprobs", 0, limits.columns, 0);
  sample.topk_sample_logprobs = get_int_in(fields, "topk_sample_logprobs", 0, limits.columns, 0);
  sample.prompt_alt_tokens_k = get_int_in(fields, "prompt_alt_tokens_k", 0, limits.columns, 0);
  sample.prompt_logprobs_last_n = find_int_in(fields, "prompt_logprobs_last_n", 0, int32_max);
  if (fields.has("target_prompt_logprobs")) {
    sample.target_prompt_logprobs = decode_targets(fields, limits, unknown, sample.prompt.size());
  }
  sample.record_stability_info = fields.get_bool("record_stability_info", false);
  const int64_t rows = int64_t(sample.prompt.size());
  check<ValueError>((sample.topk_prompt_logprobs + sample.prompt_alt_tokens_k) * rows <= limits.values,
                    "asample: topk_prompt_logprobs, prompt_alt_tokens_k: would give more than ", limits.values,
                    " values for a prompt of ", rows, " tokens");
  body.known({"sampling_session_id", "seq_id", "num_samples", "prompt", "sampling_params", "prompt_logprobs",
              "topk_prompt_logprobs", "topk_sample_logprobs", "prompt_alt_tokens_k", "prompt_logprobs_last_n",
              "target_prompt_logprobs", "record_stability_info", "base_model", "model_path"},
             unknown);
  return sample;
}

}  // namespace hearth::server
