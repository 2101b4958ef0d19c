// Tests of training routes: a run as a client drives it, its failures, and whose it is.
#include <gtest/gtest.h>

#include <cmath>

#include "running_api.h"
#include "server/wire/result.h"

using namespace hearth::server;
using namespace hearth::server::test;

namespace {

ForwardBackwardResult loss_of(const Response& response) {
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.content_type, protobuf_type) << response.body;
  return decode_forward_backward_result(response.body);
}
void expect_failure(const Response& response, const std::string& words) {
  EXPECT_EQ(response.status, 200);
  const auto failed = json_of(response);
  EXPECT_EQ(failed.at("category").as_string(), "user") << response.body;
  EXPECT_NE(std::string(failed.at("error").as_string()).find(words), std::string::npos) << response.body;
}

TEST(TrainingRoutes, TrainAndSaveAndLoad) {
  RunningApi api;
  const std::string id = api.model();
  const auto data = test_data(3, {5, 9});
  const ForwardBackwardResult first = loss_of(api.run("forward_backward", forward_backward_body(id, 1, data)));
  ASSERT_EQ(first.outputs.size(), 2u);
  EXPECT_EQ(first.outputs[0].shape, (std::vector<int64_t>{5}));
  EXPECT_EQ(first.outputs[1].shape, (std::vector<int64_t>{9}));
  double loss = 0;
  for (size_t d = 0; d < data.size(); ++d) {
    const std::vector<float>& weights = data[d].inputs.at("weights");
    for (size_t t = 0; t < weights.size(); ++t) loss -= double(weights[t]) * first.outputs[d].logprobs[t];
  }
  EXPECT_NEAR(first.metrics.at("loss:sum"), loss, 1e-4);
  EXPECT_TRUE(json_of(api.run("optim_step", optim_body(id, 2))).at("metrics").is_object());
  EXPECT_EQ(api.run("save_weights", save_body(id, 3, "a")).body,
            R"({"path":"tinker://)" + id + R"(/weights/a","type":"save_weights"})");
  const auto third = loss_of(api.run("forward_backward", forward_backward_body(id, 4, data, "cross_entropy", true)));
  EXPECT_NE(third.outputs[0].logprobs, first.outputs[0].logprobs);
  api.run("optim_step", optim_body(id, 5));
  const std::string path = "tinker://" + id + "/weights/a";
  EXPECT_EQ(json_of(api.run("load_weights", load_body(id, 6, path, true))).at("type").as_string(), "load_weights");
  const auto loaded = loss_of(api.run("forward_backward", forward_backward_body(id, 7, data, "cross_entropy", true)));
  EXPECT_EQ(loaded.outputs[1].logprobs, third.outputs[1].logprobs);
  const std::string session = id.substr(0, id.find(':'));
  EXPECT_EQ(json_of(api.run("load_weights", load_new_body(session, 1, path, false))).at("model_id").as_string(),
            (session + ":train:1").c_str());
  const auto made =
      loss_of(api.run("forward_backward", forward_backward_body(session + ":train:1", 1, data, "cross_entropy", true)));
  EXPECT_EQ(made.outputs[1].logprobs, third.outputs[1].logprobs);
}

TEST(TrainingRoutes, RunInTheOrderOfNumbersAndAnswerRetriesTheSame) {
  RunningApi api;
  const std::string id = api.model();
  const std::string second = api.submit("optim_step", optim_body(id, 2));
  const Response waiting = api.post("retrieve_future", quoted("request_id", second));
  EXPECT_EQ(waiting.status, 408);
  const auto again = json_of(waiting);
  EXPECT_EQ(again.at("type").as_string(), "try_again");
  EXPECT_EQ(again.at("request_id").as_string(), second.c_str());
  EXPECT_EQ(again.at("queue_state").as_string(), "active");
  const std::string body = forward_backward_body(id, 1, test_data(3, {5}));
  const std::string first = api.submit("forward_backward", body);
  EXPECT_EQ(api.submit("forward_backward", body), first);
  EXPECT_EQ(api.wait(second).status, 200);
  loss_of(api.wait(first));
  EXPECT_EQ(api.wait(first).body, api.wait(first).body);
}

TEST(TrainingRoutes, FailWithTheFieldAndGoOn) {
  RunningApi api;
  const std::string id = api.model();
  auto data = test_data(3, {4});
  data[0].inputs["weights"][2] = std::nanf("");
  expect_failure(api.run("forward_backward", forward_backward_body(id, 1, data)), "weights[2]: is not finite");
  data = test_data(3, {4});
  expect_failure(api.run("forward_backward", forward_backward_body(id, 2, data, "nonsense")), "nonsense");
  expect_failure(api.run("forward_backward", forward_backward_body(id, 3, data, "stable_reinforce")),
                 "importance_sampling");
  expect_failure(api.run("forward_backward", forward_backward_body(id, 4, data, "ppo", false, {{"beta", 1}})), "beta");
  data[0].tokens[1] = 5000;
  expect_failure(api.run("forward_backward", forward_backward_body(id, 5, data)), "5000");
  std::string body = forward_backward_body(id, 6, test_data(3, {4}));
  expect_failure(api.run("forward_backward", body.substr(0, body.size() - 7)), "cut short or broken");
  expect_failure(api.run("optim_step", R"({"model_id":")" + id + R"(","seq_id":7})"), "adam_params: is missing");
  expect_failure(api.run("save_weights", save_body(id, 8, "a/b")), "a name is");
  expect_failure(api.run("load_weights", load_body(id, 9, "tinker://" + id + "/weights/none", false)), "none");
  loss_of(api.run("forward_backward", forward_backward_body(id, 10, test_data(3, {4}))));
}

TEST(TrainingRoutes, RefuseWhatNamesNoModelOfYours) {
  RunningApi api;
  const std::string id = api.model();
  EXPECT_EQ(api.post("optim_step", optim_body(id, 1), "other").status, 404);
  EXPECT_EQ(api.post("optim_step", optim_body("none", 1)).status, 404);
  EXPECT_EQ(api.post("optim_step", "{}").status, 400);
  EXPECT_EQ(api.post("forward_backward", "\xff").status, 400);
  EXPECT_FALSE(api.post("forward_backward", "").body.empty());
  const Response json = api.call("POST", "/api/v1/forward_backward", "{}");
  EXPECT_EQ(json.status, 415);
  EXPECT_NE(json.body.find("application/x-protobuf"), std::string::npos);
  EXPECT_EQ(api.call("POST", "/api/v1/forward_backward", forward_backward_body(id, 1, test_data(3, {4})), "me",
                     "Application/X-Protobuf; charset=x")
                .status,
            200);
}

}  // namespace
