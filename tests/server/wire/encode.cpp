// Tests of results: golden bytes, captures back and forth, JSON.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "captures.h"
#include "hearth/core/error.h"
#include "server/wire/result.h"
#include "tests/hearth/io/temporary_folder.h"

using namespace hearth;
using namespace hearth::server;
using namespace hearth::test;

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(EncodeForwardBackward, WritesTheGoldenBytes) {
  const ForwardBackwardResult result{{{{3}, {-1, -2, -3}}, {{2}, {-0.5f, -0.25f}}}, {{"loss:sum", 2.5}}};
  const Payload payload = encode(result);
  EXPECT_EQ(payload.content_type, "application/x-protobuf");
  EXPECT_EQ(payload.bytes, from_hex(golden_output_hex));
}

TEST(EncodeForwardBackward, PutsDatumsOfOtherShapesInRecordsOfTheirOwn) {
  const ForwardBackwardResult result{
      {{{2, 2}, {1, 2, 3, 4}}, {{1, 2}, {5, 6}}, {{1}, {7}}, {{3, 2}, {8, 9, 10, 11, 12, 13}}, {{0}, {}}},
      {{"a:sum", 1}, {"loss:sum", -2}}};
  const ForwardBackwardResult back = decode_forward_backward_result(encode(result).bytes);
  ASSERT_EQ(back.outputs.size(), result.outputs.size());
  for (size_t i = 0; i < back.outputs.size(); ++i) {
    EXPECT_EQ(back.outputs[i].shape, result.outputs[i].shape) << i;
    EXPECT_EQ(back.outputs[i].logprobs, result.outputs[i].logprobs) << i;
  }
  EXPECT_EQ(back.metrics, result.metrics);
  EXPECT_EQ(encode(back).bytes, encode(result).bytes);
}

TEST(EncodeForwardBackward, RefusesPartsThatDoNotFit) {
  EXPECT_EQ(error_of<ShapeError>([] {
              encode(ForwardBackwardResult{{{{3}, {1}}}, {}});
            }),
            "encode: logprobs: 1 values for shape [3]");
}

TEST(EncodeSample, WritesTheGoldenBytes) {
  SampleResult result;
  result.sequences = {{{3, 4}, {-0.5f, -1.0f}, false, {}}};
  result.prompt_logprobs = {nan, -1.5f};
  EXPECT_EQ(encode(result).bytes, from_hex(golden_sample_hex));
  // Arithmetic may make any NaN.
  result.prompt_logprobs = {-std::sqrt(-1.0f), -1.5f};
  EXPECT_EQ(encode(result).bytes, from_hex(golden_sample_hex));
}

TEST(EncodeSample, GoesThereAndBack) {
  SampleResult result;
  const TopTokens top{2, 1, {3, 9}, {-0.5f, TopTokens::unused}};
  result.sequences = {{{3}, {-0.5f}, true, top}, {{4}, {-1}, false, {}}};
  result.topk_prompt_logprobs = TopTokens{1, 2, {0, 5}, {TopTokens::unused, -1}};
  result.target_prompt_logprobs = TargetLogprobs{{2, 3}, {-1, -2}, SparseRows{{0, 2, 2}, {0, 2}}};
  result.prompt_alt_tokens = AlternativeTokens{2, 1, {7, 8}, {-1, -2}};
  result.cache_hit_tokens = 5;
  const std::string bytes = encode(result).bytes;
  const SampleResult back = decode_sample_result(bytes);
  EXPECT_TRUE(back.sequences[0].stopped);
  EXPECT_EQ(back.sequences[0].top->tokens, top.tokens);
  EXPECT_FALSE(back.prompt_logprobs.has_value());
  EXPECT_EQ(back.topk_prompt_logprobs->rows, 2);
  EXPECT_EQ(back.target_prompt_logprobs->sparse, result.target_prompt_logprobs->sparse);
  EXPECT_EQ(back.prompt_alt_tokens->tokens, (std::vector<int32_t>{7, 8}));
  EXPECT_EQ(back.cache_hit_tokens, 5);
  EXPECT_EQ(encode(back).bytes, bytes);
}

TEST(EncodeSample, RefusesPartsThatDoNotFit) {
  SampleResult result;
  result.sequences = {{{3, 4}, {-1}, true, {}}};
  EXPECT_EQ(error_of<ShapeError>([&] { encode(result); }),
            "encode: a sampled sequence: 2 tokens with 1 log-probabilities");
  result.sequences.clear();
  result.topk_prompt_logprobs = TopTokens{2, 2, {1, 2, 3}, {1, 2, 3}};
  EXPECT_EQ(error_of<ShapeError>([&] { encode(result); }),
            "encode: top tokens: 3 tokens and 3 log-probabilities for 2 rows of 2");
}

// What a client accepted comes out of our encoder as the same bytes.
TEST(DecodeResult, GivesTheBytesOfEveryCaptureBack) {
  if (!has_captures()) GTEST_SKIP() << "shared data is absent: " << captures_folder();
  for (const std::string& path : captured("result-Sample-")) {
    const std::string bytes = read_all(path);
    EXPECT_EQ(encode(decode_sample_result(bytes)).bytes, bytes) << path;
  }
  for (const std::string& path : captured("result-Forward")) {
    const std::string bytes = read_all(path);
    EXPECT_EQ(encode(decode_forward_backward_result(bytes)).bytes, bytes) << path;
  }
  EXPECT_EQ(captured("result-").size(), 15u);
}

TEST(DecodeResult, SurvivesEveryCutAndEveryFlippedByte) {
  for (const std::string_view hex : {golden_output_hex, golden_sample_hex}) {
    const std::string golden = from_hex(hex);
    for (size_t i = 0; i < golden.size(); ++i) {
      std::string bent = golden;
      bent[i] = char(~bent[i]);
      for (const std::string& bytes : {golden.substr(0, i), bent}) {
        error_of<ValueError>([&] { decode_forward_backward_result(bytes); });
        error_of<ValueError>([&] { decode_sample_result(bytes); });
      }
    }
  }
}

TEST(EncodeJson, WritesWhatTheClientExpects) {
  const auto text = [](const auto& result) { return encode(result).bytes; };
  EXPECT_EQ(text(CreateModelResult{"s:train:0"}), R"({"model_id":"s:train:0","type":"create_model"})");
  EXPECT_EQ(text(UnloadModelResult{"s:train:0"}), R"({"model_id":"s:train:0","type":"unload_model"})");
  EXPECT_EQ(text(OptimStepResult{{{"a:mean", 0.5}, {"b:mean", double(nan)}}}), R"({"metrics":{"a:mean":5E-1}})");
  EXPECT_EQ(text(LoadWeightsResult{"tinker://a/weights/b", "s:train:1"}),
            R"({"path":"tinker://a/weights/b","model_id":"s:train:1","type":"load_weights"})");
  EXPECT_EQ(text(SaveWeightsResult{SaveWeights::sampler, {}, "s:sample:1", {}}),
            R"({"sampling_session_id":"s:sample:1","type":"save_weights_for_sampler"})");
  EXPECT_EQ(text(SaveWeightsResult{SaveWeights::external, "tinker://a/external_weights/b", {}, 12}),
            R"({"path":"tinker://a/external_weights/b","size_bytes":12,"type":"save_weights_external"})");
  EXPECT_EQ(text(Failure{"no \"such\" loss", FailureCategory::user}),
            R"({"error":"no \"such\" loss","category":"user"})");
  EXPECT_EQ(encode(Failure{}).content_type, "application/json");
}

}  // namespace
