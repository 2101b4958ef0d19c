// Tests of the service's own routes: configuration, capabilities, health, metrics, telemetry.
#include <gtest/gtest.h>

#include <sstream>

#include "running_api.h"

using namespace hearth::server;
using namespace hearth::server::test;

namespace {

TEST(ServiceRoutes, TellClientsHowToTalk) {
  RunningApi api;
  const auto config = json_of(api.post("client/config", R"({"sdk_version":"0.38.0"})")).as_object();
  EXPECT_FALSE(config.at("use_pyqwest_transport").as_bool());
  EXPECT_FALSE(config.at("custom_loss_server_side").as_bool());
  EXPECT_FALSE(config.at("pjwt_auth_enabled").as_bool());
  for (const char* flag : {"parallel_fwdbwd_chunks", "sample_use_retrieve_futures", "sample_join_sampling_session"}) {
    EXPECT_TRUE(config.at(flag).as_bool()) << flag;
  }
  EXPECT_GT(config.at("fwdbwd_max_chunk_len").as_int64(), 1024);
  EXPECT_GT(config.at("fwdbwd_max_chunk_bytes_count").as_int64(), 5000000);
  EXPECT_TRUE(json_of(api.post("client/dynamic_config", "")).at("sample_cancel_enabled").as_bool());
}

TEST(ServiceRoutes, ListModels) {
  RunningApi api;
  const Response response = api.call("GET", "/api/v1/get_server_capabilities");
  EXPECT_EQ(response.body, R"({"supported_models":[{"model_name":"tiny","max_context_length":4096,"trainable":true,)"
                           R"("sampleable":true}]})");
}

TEST(ServiceRoutes, SayThatAllIsWell) {
  RunningApi api;
  for (const char* path : {"/healthz", "/api/v1/healthz"}) {
    const Response response = api.call("GET", path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"status":"ok"})");
  }
}

TEST(ServiceRoutes, GiveMetricsThatPrometheusReads) {
  RunningApi api;
  api.run("optim_step", optim_body(api.model(), 1));
  const Response response = api.call("GET", "/metrics");
  EXPECT_TRUE(response.content_type.starts_with("text/plain; version=0.0.4"));
  std::istringstream lines(response.body);
  std::set<std::string> described, seen;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_TRUE(described.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
    }
    if (line.starts_with("#")) continue;
    const size_t space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    EXPECT_NO_THROW(std::stod(line.substr(space + 1))) << line;
    const std::string name = line.substr(0, line.find_first_of("{ "));
    EXPECT_TRUE(described.contains(name)) << line;
    EXPECT_TRUE(seen.insert(line.substr(0, space)).second) << line;
  }
  EXPECT_NE(response.body.find("hearth_ready 1\n"), std::string::npos);
  EXPECT_NE(response.body.find("hearth_models 1\n"), std::string::npos);
  EXPECT_NE(response.body.find("hearth_operations_total{kind=\"optim_step\",state=\"done\"} 1\n"), std::string::npos)
      << response.body;
}

TEST(ServiceRoutes, AcceptAnyTelemetry) {
  RunningApi api;
  for (const char* body : {"", "nonsense", "[]", R"({"events":7})", R"({"events":[1,{"event":"UNHANDLED_EXCEPTION",
       "error_type":"E","error_message":"line\nbreak"},{"event":{"a":1}}],"session_id":"s"})"}) {
    const Response response = api.post("telemetry", body);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"status":"accepted"})");
  }
}

TEST(ServiceRoutes, LeaveWhatIsNotOfferedUnknown) {
  RunningApi api;
  for (const char* name : {"forward", "create_custom_loss", "nothing"}) {
    const Response response = api.post(name, "{}");
    EXPECT_EQ(response.status, 404) << name;
    EXPECT_FALSE(response.body.empty()) << name;
  }
}

}  // namespace
