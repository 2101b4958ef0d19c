// Tests of asample: every field, every refusal.
#include <gtest/gtest.h>

#include <string>

#include "hearth/core/error.h"
#include "server/wire/command.h"
#include "server/wire/unknown_fields.h"
#include "tests/hearth/io/temporary_folder.h"

using namespace hearth;
using namespace hearth::server;
using hearth::test::error_of;

namespace {

// A request with these parameters and these other fields (each beginning with a comma, or empty).
std::string body(const std::string& params = "", const std::string& more = "",
                 const std::string& prompt = R"({"chunks":[{"type":"encoded_text","tokens":[1,2,3]}]})") {
  return R"({"sampling_session_id":"S:sample:0","seq_id":5,"type":"sample","prompt":)" + prompt +
         R"(,"sampling_params":{)" + params + "}" + more + "}";
}
std::string refusal(const std::string& bytes, const WireLimits& limits = {}) {
  return error_of<ValueError>([&] { decode_sample(bytes, nullptr, limits); });
}
std::string params_refusal(const std::string& params) {
  const std::string text = refusal(body(params)), prefix = "asample: sampling_params: ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

TEST(DecodeSample, HasDefaults) {
  const Sample sample = decode_sample(body());
  EXPECT_EQ(sample.sampler_id, "S:sample:0");
  EXPECT_EQ(sample.seq_id, 5);
  EXPECT_EQ(sample.num_samples, 1);
  EXPECT_EQ(sample.prompt, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_FALSE(sample.max_tokens || sample.seed || sample.ignore_eos || sample.prompt_logprobs);
  EXPECT_EQ(sample.temperature, 1);
  EXPECT_EQ(sample.top_p, 1);
  EXPECT_EQ(sample.top_k, -1);
  EXPECT_TRUE(sample.stop_texts.empty() && sample.stop_tokens.empty());
}

TEST(DecodeSample, ReadsEveryField) {
  const Sample sample =
      decode_sample(body(R"("max_tokens":9,"seed":18446744073709551615,"temperature":0,"top_k":5,"top_p":0.5)",
                         R"(,"num_samples":3,"prompt_logprobs":true,"topk_prompt_logprobs":2,"topk_sample_logprobs":4,
              "prompt_alt_tokens_k":6,"prompt_logprobs_last_n":1,"record_stability_info":true)",
                         R"({"chunks":[{"type":"encoded_text","tokens":[1]},{"tokens":[2]}]})"));
  EXPECT_EQ(sample.max_tokens, 9);
  EXPECT_EQ(sample.seed, UINT64_MAX);
  EXPECT_EQ(sample.temperature, 0);
  EXPECT_EQ(sample.top_k, 5);
  EXPECT_EQ(sample.top_p, 0.5);
  EXPECT_EQ(sample.num_samples, 3);
  EXPECT_TRUE(sample.prompt_logprobs && sample.record_stability_info);
  EXPECT_EQ(sample.topk_prompt_logprobs, 2);
  EXPECT_EQ(sample.topk_sample_logprobs, 4);
  EXPECT_EQ(sample.prompt_alt_tokens_k, 6);
  EXPECT_EQ(sample.prompt_logprobs_last_n, 1);
  EXPECT_EQ(sample.prompt, (std::vector<int32_t>{1, 2}));
}

TEST(DecodeSample, KnowsFiveFormsOfStop) {
  EXPECT_FALSE(decode_sample(body("\"stop\":null")).ignore_eos);
  EXPECT_EQ(decode_sample(body("\"stop\":\"\\n\"")).stop_texts, std::vector<std::string>{"\n"});
  EXPECT_EQ(decode_sample(body("\"stop\":[\"a\",\"b\"]")).stop_texts, (std::vector<std::string>{"a", "b"}));
  const Sample ids = decode_sample(body("\"stop\":[7,8]"));
  EXPECT_EQ(ids.stop_tokens, (std::vector<int32_t>{7, 8}));
  EXPECT_FALSE(ids.ignore_eos);
  EXPECT_TRUE(decode_sample(body("\"stop\":[]")).ignore_eos);
  EXPECT_EQ(params_refusal("\"stop\":[\"a\",1]"), "stop: mixes strings with an integer");
  EXPECT_EQ(params_refusal("\"stop\":[1,\"a\"]"), "stop[1]: wants an integer, is a string");
  EXPECT_EQ(params_refusal("\"stop\":\"\""), "stop: an empty text would stop everything");
  EXPECT_EQ(params_refusal("\"stop\":5"), "stop: wants a string or a list, is an integer");
  WireLimits limits;
  limits.stops = 1;
  EXPECT_EQ(refusal(body("\"stop\":[1,2]"), limits), "asample: sampling_params: stop: more than 1: 2");
}

TEST(DecodeSample, RefusesWrongParameters) {
  EXPECT_EQ(params_refusal("\"max_tokens\":0"), "max_tokens: must be from 1 to 2147483647: 0");
  EXPECT_EQ(params_refusal("\"temperature\":-0.5"), "temperature: must be from 0 to 1e+06: -0.5");
  EXPECT_EQ(params_refusal("\"temperature\":1e999"), "temperature: is too large for a number");
  EXPECT_EQ(params_refusal("\"temperature\":null"), "temperature: wants a number, is null");
  EXPECT_EQ(params_refusal("\"top_p\":null"), "top_p: wants a number, is null");
  EXPECT_EQ(params_refusal("\"max_tokens\":null,\"seed\":null"), "");
  EXPECT_EQ(params_refusal("\"top_p\":0"), "top_p: must be greater than 0: 0");
  EXPECT_EQ(params_refusal("\"top_p\":1.1"), "top_p: must be from 0 to 1: 1.1");
  EXPECT_EQ(params_refusal("\"top_k\":0"), "top_k: must be -1 (off) or at least 1: 0");
  EXPECT_EQ(params_refusal("\"seed\":\"x\""), "seed: wants an integer, is a string");
  EXPECT_EQ(params_refusal("\"min_p\":0.1"), "min_p: is not known to this server, so it cannot be honoured");
  EXPECT_EQ(params_refusal("\"min_p\":0"), "");
}

TEST(DecodeSample, RefusesWrongFields) {
  EXPECT_EQ(refusal("{}"), "asample: sampling_session_id: is missing");
  EXPECT_EQ(refusal(body("", ",\"num_samples\":0")), "asample: num_samples: must be from 1 to 4096: 0");
  EXPECT_EQ(refusal(body("", ",\"base_model\":\"m\"")),
            "asample: base_model: is not offered; name a sampling_session_id");
  EXPECT_EQ(refusal(body("", ",\"topk_prompt_logprobs\":-1")),
            "asample: topk_prompt_logprobs: must be from 0 to 1024: -1");
  EXPECT_EQ(refusal(body("", "", R"({"chunks":[]})")), "asample: prompt: holds no tokens");
  EXPECT_EQ(refusal(body("", "", R"({"chunks":[{"type":"image","data":""}]})")),
            "asample: prompt: chunks: type: is not offered: \"image\"; only encoded_text is");
  EXPECT_EQ(refusal(body("", "", R"({"chunks":[{"tokens":[1,-2]}]})")),
            "asample: prompt: chunks: tokens[1]: is no token id: -2");
  EXPECT_EQ(refusal(body("", "", R"({"chunks":[{"tokens":[1.5]}]})")),
            "asample: prompt: chunks: tokens[0]: wants an integer, is a number");
  EXPECT_EQ(refusal(body("", "", R"({"chunks":[{}]})")), "asample: prompt: chunks: tokens: is missing");
  WireLimits limits;
  limits.values = 5;
  EXPECT_EQ(
      refusal(body("", ",\"topk_prompt_logprobs\":1,\"prompt_alt_tokens_k\":1"), limits),
      "asample: topk_prompt_logprobs, prompt_alt_tokens_k: would give more than 5 values for a prompt of 3 tokens");
}

TEST(DecodeSample, ReadsTargets) {
  const auto with = [](const std::string& tensor) { return body("", ",\"target_prompt_logprobs\":" + tensor); };
  const Sample dense = decode_sample(with(R"({"data":[5,-1],"dtype":"int64","shape":[2,1]})"));
  EXPECT_EQ(dense.target_prompt_logprobs->ids, (std::vector<int64_t>{5, -1}));
  EXPECT_FALSE(dense.target_prompt_logprobs->sparse.has_value());
  const Sample sparse = decode_sample(
      with(R"({"data":[5],"dtype":"int64","shape":[2,3],"sparse_crow_indices":[0,0,1],"sparse_col_indices":[2]})"));
  EXPECT_EQ(sparse.target_prompt_logprobs->sparse, (SparseRows{{0, 0, 1}, {2}}));
  const std::string where = "asample: target_prompt_logprobs: ";
  EXPECT_EQ(refusal(with(R"({"data":[5],"dtype":"float32","shape":[2,1]})")),
            where + "dtype: wants \"int64\": \"float32\"");
  EXPECT_EQ(refusal(with(R"({"data":[5,6,7],"dtype":"int64","shape":[3,1]})")),
            where + "shape: wants [tokens of the prompt - 1, candidates] = [2, K]: [3, 1]");
  EXPECT_EQ(refusal(with(R"({"data":[5],"dtype":"int64","shape":[2,1]})")), where + "data: 1 values for shape [2, 1]");
  EXPECT_EQ(refusal(with(R"({"data":[5,-2],"dtype":"int64","shape":[2,1]})")), where + "data: is no token id: -2");
  EXPECT_EQ(refusal(with(R"({"data":[],"dtype":"int64","shape":[2,9999]})")),
            where + "shape: wants 0 to 1024 candidates: 9999");
  EXPECT_EQ(refusal(with(R"({"data":[5],"dtype":"int64","shape":[2,3],"sparse_crow_indices":[0,0,1]})")),
            where + "sparse_col_indices: is missing");
  EXPECT_EQ(
      refusal(
          with(R"({"data":[5],"dtype":"int64","shape":[2,3],"sparse_crow_indices":[0,0,1],"sparse_col_indices":[3]})")),
      where + "col_indices[0]: outside of 3 columns: 3");
}

TEST(DecodeSample, NotesUnknownFields) {
  UnknownFields unknown;
  decode_sample(body("\"min_p\":0", ",\"speculative\":true", R"({"chunks":[{"tokens":[1],"hint":"x"}],"y":0})"),
                &unknown);
  EXPECT_EQ(unknown.names(), (std::set<std::string>{"asample.prompt.chunks.hint", "asample.prompt.y",
                                                    "asample.sampling_params.min_p", "asample.speculative"}));
}

}  // namespace
