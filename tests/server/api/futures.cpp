// Tests of sampling's and futures' routes.
#include <gtest/gtest.h>

#include <cmath>

#include "running_api.h"
#include "server/wire/result.h"

using namespace hearth::server;
using namespace hearth::server::test;

namespace {

const std::vector<int32_t> prompt{1, 2, 3, 4};

SampleResult sample_of(const Response& response) {
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.content_type, protobuf_type) << response.body;
  return decode_sample_result(response.body);
}

TEST(SamplingRoutes, DescribeAndJoinASampler) {
  RunningApi api;
  const std::string id = api.sampler();
  EXPECT_TRUE(id.ends_with(":sample:0"));
  EXPECT_EQ(api.call("GET", "/api/v1/samplers/" + id).body,
            R"({"sampler_id":")" + id + R"(","base_model":"tiny","model_path":null})");
  EXPECT_EQ(api.call("GET", "/api/v1/samplers/" + id, "", "other").status, 404);
  for (const int64_t counter : {1, 2, 3}) {
    const auto joined = json_of(api.post("join_sampling_session", quoted("sampling_session_id", id)));
    EXPECT_EQ(joined.at("client_counter").as_int64(), counter);
  }
  EXPECT_EQ(api.post("join_sampling_session", quoted("sampling_session_id", id), "other").status, 404);
  EXPECT_EQ(api.post("create_sampling_session",
                     R"({"session_id":")" + id.substr(0, id.find(':')) + R"(","sampling_session_seq_id":1})")
                .body,
            R"({"detail":"create_sampling_session: base_model: is missing, and so is model_path"})");
}

TEST(SamplingRoutes, SampleFromSnapshotsWithAndWithoutName) {
  RunningApi api;
  const std::string model = api.model(), session = model.substr(0, model.find(':'));
  const auto saved =
      json_of(api.run("save_weights_for_sampler", save_body(model, 1, "s", "", "save_weights_for_sampler")));
  const std::string path(saved.at("path").as_string());
  EXPECT_EQ(path, "tinker://" + model + "/sampler_weights/s");
  const std::string ephemeral(
      json_of(api.run("save_weights_for_sampler", ephemeral_body(model, 2, 0))).at("sampling_session_id").as_string());
  EXPECT_EQ(ephemeral, session + ":sample:0");
  const std::string named =
      api.text("create_sampling_session",
               R"({"session_id":")" + session + R"(","sampling_session_seq_id":1,"model_path":")" + path + R"("})",
               "sampling_session_id");
  EXPECT_EQ(json_of(api.call("GET", "/api/v1/samplers/" + named)).at("model_path").as_string(), path.c_str());
  const std::string more = R"(,"prompt_logprobs":true)", seed = R"(,"seed":7)";
  const auto a = sample_of(api.run("asample", sample_body(ephemeral, 0, prompt, 5, more, 2, seed)));
  const auto b = sample_of(api.run("asample", sample_body(named, 0, prompt, 5, more, 2, seed)));
  ASSERT_EQ(a.sequences.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(a.sequences[i].tokens, b.sequences[i].tokens);
    EXPECT_EQ(a.sequences[i].logprobs, b.sequences[i].logprobs);
  }
  ASSERT_EQ(a.prompt_logprobs->size(), prompt.size());
  EXPECT_TRUE(std::isnan(a.prompt_logprobs->front()));
}

TEST(SamplingRoutes, NameEverySequenceTheSameForARetry) {
  RunningApi api;
  const std::string id = api.sampler(), body = sample_body(id, 4, prompt, 3, "", 3);
  const Response first = api.post("asample", body);
  EXPECT_EQ(json_of(first).at("sample_sequence_ids").as_array().size(), 3u);
  EXPECT_EQ(api.post("asample", body).body, first.body);
}

TEST(SamplingRoutes, AnswerEveryKindOfScore) {
  RunningApi api;
  const std::string id = api.sampler();
  const SampleResult r = sample_of(api.run(
      "asample",
      sample_body(id, 0, prompt, 2,
                  R"(,"prompt_logprobs":true,"topk_prompt_logprobs":2,"topk_sample_logprobs":3,"prompt_alt_tokens_k":2,
                     "prompt_logprobs_last_n":2,"target_prompt_logprobs":{"data":[5,-1,7],"dtype":"int64",
                     "shape":[3,1]})")));
  EXPECT_TRUE(std::isnan((*r.prompt_logprobs)[1]) && !std::isnan((*r.prompt_logprobs)[2]));
  EXPECT_EQ(r.topk_prompt_logprobs->k, 2);
  EXPECT_EQ(r.topk_prompt_logprobs->rows, 4);
  EXPECT_EQ(r.topk_prompt_logprobs->logprobs[0], TopTokens::unused);
  EXPECT_EQ(r.sequences[0].top->k, 3);
  EXPECT_EQ(r.target_prompt_logprobs->shape, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(r.target_prompt_logprobs->logprobs[1], 0);
  EXPECT_EQ(r.prompt_alt_tokens->rows, 3);
}

TEST(SamplingRoutes, RefuseAndFail) {
  RunningApi api;
  const std::string id = api.sampler();
  EXPECT_EQ(api.post("asample", sample_body(id, 0, prompt, 3), "other").status, 404);
  EXPECT_EQ(api.post("asample", sample_body("none", 0, prompt, 3)).status, 404);
  EXPECT_EQ(api.post("asample", "{").status, 400);
  for (const std::string& body :
       {sample_body(id, 1, {500}, 3), sample_body(id, 2, prompt, 3, "", 1, R"(,"min_p":0.5)")}) {
    // At once or by its future: never as a server's fault.
    const Response response = api.post("asample", body);
    if (response.status == 400) continue;
    ASSERT_EQ(response.status, 200) << response.body;
    const auto failed = json_of(api.wait(std::string(json_of(response).at("request_id").as_string())));
    EXPECT_EQ(failed.at("category").as_string(), "user");
  }
}

TEST(SamplingRoutes, PushBackWhenTooManyWait) {
  RunningApi api(+[](EngineOptions& options) { options.quotas.waiting_samples = 0; });
  const Response response = api.post("asample", sample_body(api.sampler(), 0, prompt, 3));
  EXPECT_EQ(response.status, 429);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].first, "Retry-After");
  EXPECT_GE(std::stoi(response.headers[0].second), 1);
}

TEST(FutureRoutes, AreUnknownToOthers) {
  RunningApi api;
  const std::string request = api.submit("asample", sample_body(api.sampler(), 0, prompt, 3));
  EXPECT_EQ(api.post("retrieve_future", quoted("request_id", request), "other").status, 404);
  EXPECT_EQ(api.post("retrieve_future", quoted("request_id", "none")).status, 404);
  EXPECT_EQ(api.post("retrieve_future", "{}").status, 400);
  EXPECT_EQ(api.post("cancel_future", quoted("request_id", request), "other").status, 200);
  sample_of(api.wait(request));
}

TEST(FutureRoutes, AnnounceWhatIsLarge) {
  RunningApi api;
  const std::vector<int32_t> long_prompt(1500, 5);
  const std::string request = api.submit(
      "asample",
      sample_body(api.sampler(), 0, long_prompt, 1, R"(,"prompt_logprobs":true,"topk_prompt_logprobs":100)"));
  const auto announced = json_of(api.wait(request, true));
  EXPECT_EQ(announced.at("status").as_string(), "complete_metadata");
  const Response payload = api.wait(request, false);
  EXPECT_EQ(announced.at("response_payload_size").as_int64(), int64_t(payload.body.size()));
  EXPECT_EQ(sample_of(payload).topk_prompt_logprobs->rows, 1500);
}

TEST(FutureRoutes, TellWhatFinishedSinceACursor) {
  RunningApi api;
  const std::string id = api.sampler();
  const auto ask = [&](int64_t cursor, int64_t clone, const std::string& more = "") {
    return json_of(api.post("retrieve_futures", R"({"target":{"type":"sampling_session","sampling_session_id":")" + id +
                                                    R"(","cloned_sampler_id":)" + std::to_string(clone) +
                                                    R"(},"prev_cursor":)" + std::to_string(cursor) + more +
                                                    R"(,"retrieved_request_ids":[]})"));
  };
  const auto none = ask(0, 0, ",\"timeout\":0");
  EXPECT_TRUE(none.at("completions").as_array().empty());
  EXPECT_EQ(none.at("cursor").as_int64(), 0);
  const std::string a = api.submit("asample", sample_body(id, 0, prompt, 3));
  const std::string b = api.submit("asample", sample_body(id, 1'000'000'000, prompt, 3));
  const size_t size = api.wait(a).body.size();
  api.wait(b);
  const auto first = ask(0, 0);
  ASSERT_EQ(first.at("completions").as_array().size(), 1u);
  const auto& one = first.at("completions").at(0);
  EXPECT_EQ(one.at("state").as_string(), "finished");
  EXPECT_EQ(one.at("request_id").as_string(), a.c_str());
  EXPECT_EQ(one.at("response_payload_uncompressed_size").as_int64(), int64_t(size));
  EXPECT_TRUE(ask(first.at("cursor").as_int64(), 0).at("completions").as_array().empty());
  EXPECT_EQ(ask(0, 1).at("completions").at(0).at("request_id").as_string(), b.c_str());
  EXPECT_EQ(api.post("retrieve_futures", R"({"target":{"type":"model","sampling_session_id":"x"}})").status, 400);
  EXPECT_EQ(api.post("retrieve_futures", R"({"target":{"sampling_session_id":")" + id + R"("}})", "other").status, 404);
}

TEST(FutureRoutes, CancelWhatWaits) {
  RunningApi api;
  const std::string id = api.sampler();
  const std::string request = api.submit("asample", sample_body(id, 0, prompt, 4000, "", 1, R"(,"stop":[])"));
  EXPECT_EQ(api.post("cancel_future", quoted("request_id", request)).body, "{}");
  EXPECT_EQ(api.post("cancel_future", quoted("request_id", request)).status, 200);
  EXPECT_TRUE(json_of(api.wait(request)).as_object().contains("error"));
}

}  // namespace
