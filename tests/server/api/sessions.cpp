// Tests of sessions' and models' routes.
#include <gtest/gtest.h>

#include "running_api.h"

using namespace hearth::server;
using namespace hearth::server::test;

namespace {

TEST(SessionRoutes, BeginBeatAndEndOnce) {
  RunningApi api;
  const Response made = api.post("create_session", R"({"tags":["a"],"user_metadata":{"k":[1]},"sdk_version":"0.38.0",
      "project_id":"p","display_name":"d","type":"create_session"})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(json_of(made).at("type").as_string(), "create_session");
  const std::string id(json_of(made).at("session_id").as_string());
  const std::string beat = quoted("session_id", id);
  EXPECT_EQ(api.post("session_heartbeat", beat).body, R"({"type":"session_heartbeat"})");
  const std::string finish = "sessions/" + id + "/finish";
  EXPECT_EQ(api.post(finish, R"({"reason":{"type":"success"},"detail":null})").status, 200);
  EXPECT_EQ(api.post(finish, R"({"reason":{"type":"errored"},"detail":"late"})").status, 200);
  EXPECT_EQ(api.post("session_heartbeat", beat).status, 410);
  EXPECT_TRUE(api.unknown.names().empty());
}

TEST(SessionRoutes, DoNotKnowWhatIsNotThereOrNotYours) {
  RunningApi api;
  const std::string id = api.session();
  EXPECT_EQ(api.post("session_heartbeat", quoted("session_id", "none")).status, 404);
  EXPECT_EQ(api.post("session_heartbeat", quoted("session_id", id), "other").status, 404);
  EXPECT_EQ(api.post("sessions/" + id + "/finish", "{}", "other").status, 404);
  EXPECT_EQ(api.post("sessions/none/finish", "{}").status, 404);
  EXPECT_EQ(api.post("session_heartbeat", quoted("session_id", id)).status, 200);
}

TEST(SessionRoutes, RefuseWrongBodiesWithABody) {
  RunningApi api;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"tags":"a"})", R"({"detail":"create_session: tags: wants a list, is a string"})"},
      {R"({"tags":[1]})",
       R"({"detail":"create_session: tags: wants strings of at most 1024 bytes, holds an integer"})"},
      {R"({"user_metadata":1})", R"({"detail":"create_session: user_metadata: wants an object, is an integer"})"},
      {R"({"sdk_version":1})", R"({"detail":"create_session: sdk_version: wants a string, is an integer"})"},
      {R"({"type":"x"})", R"({"detail":"create_session: type: wants \"create_session\", is \"x\""})"}};
  for (const auto& [body, detail] : cases) {
    const Response response = api.post("create_session", body);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body, detail);
  }
  EXPECT_EQ(api.post("create_session", "{").status, 400);
  EXPECT_EQ(api.post("session_heartbeat", "{}").status, 400);
}

TEST(SessionRoutes, NoteFieldsOfNewerClients) {
  RunningApi api;
  api.post("create_session", R"({"colour":"blue"})");
  EXPECT_EQ(api.unknown.names(), (std::set<std::string>{"create_session.colour"}));
}

TEST(ModelRoutes, MakeDescribeAndDropAModel) {
  RunningApi api;
  const std::string session = api.session();
  const Response made = api.run("create_model", create_body(session, 0, 7));
  EXPECT_EQ(made.body, R"({"model_id":")" + session + R"(:train:0","type":"create_model"})");
  const std::string id = session + ":train:0";
  const auto info = json_of(api.post("get_info", R"({"model_id":")" + id + R"(","type":"get_info"})"));
  EXPECT_EQ(info.at("type").as_string(), "get_info");
  EXPECT_EQ(info.at("model_id").as_string(), id.c_str());
  EXPECT_TRUE(info.at("is_lora").as_bool());
  EXPECT_EQ(info.at("lora_rank").as_int64(), 4);
  EXPECT_EQ(info.at("model_data").at("model_name").as_string(), "tiny");
  EXPECT_EQ(info.at("model_data").at("arch").as_string(), "llama");
  EXPECT_EQ(api.post("get_info", quoted("model_id", id), "other").status, 404);
  EXPECT_EQ(api.post("get_info", quoted("model_id", "none")).status, 404);
  EXPECT_EQ(api.post("unload_model", quoted("model_id", id), "other").status, 404);
  EXPECT_EQ(api.run("unload_model", quoted("model_id", id)).body,
            R"({"model_id":")" + id + R"(","type":"unload_model"})");
}

TEST(ModelRoutes, AnswerARetryWithTheSameFuture) {
  RunningApi api;
  const std::string body = create_body(api.session(), 0, 7);
  EXPECT_EQ(api.submit("create_model", body), api.submit("create_model", body));
}

TEST(ModelRoutes, FailTheFutureOfWhatIsNotOffered) {
  RunningApi api;
  std::string body = create_body(api.session(), 0, 7);
  body.insert(1, R"("optimizer_config":{"type":"dimuon"},)");
  const auto failed = json_of(api.run("create_model", body));
  EXPECT_EQ(failed.at("category").as_string(), "user");
  EXPECT_EQ(failed.at("error").as_string(),
            "create_model: optimizer_config: type: is not offered: \"dimuon\"; use \"adamw\"");
  EXPECT_EQ(api.post("create_model", create_body("none", 0, 7)).status, 404);
  EXPECT_EQ(api.post("create_model", "{").status, 400);
}

}  // namespace
