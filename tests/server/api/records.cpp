// Records by their routes: runs, checkpoints, sessions, accounts: what owners see, and that others see nothing.
#include <gtest/gtest.h>

#include "server/api/stage.h"

namespace hearth::server {
namespace {

struct Records : testing::Test, Stage {
  Records() {
    add_run_routes(router, api);
    add_checkpoint_routes(router, api);
    add_weights_routes(router, api);
    add_session_record_routes(router, api);
    add_account_routes(router, api);
  }

  int64_t count(const boost::json::value& value, const char* list) { return int64_t(value.at(list).as_array().size()); }
};

TEST_F(Records, RunsAreListedInPagesWithTheirNewestCheckpoints) {
  add_session("s");
  ModelRecord first = add_run("s", 0), second = add_run("s", 1);
  add_checkpoint(second, CheckpointType::weights, "a");
  add_checkpoint(second, CheckpointType::weights, "b");
  add_checkpoint(second, CheckpointType::sampler_weights, "c");
  auto page = json("GET", "/api/v1/training_runs?limit=1&offset=0&access_scope=owned");
  EXPECT_EQ(count(page, "training_runs"), 1);
  EXPECT_EQ(page.at("cursor"), boost::json::parse(R"({"offset":0,"limit":1,"total_count":2})"));
  const auto& run = page.at("training_runs").as_array()[0];
  EXPECT_EQ(run.at("training_run_id").as_string(), second.id);
  EXPECT_EQ(run.at("last_checkpoint").at("checkpoint_id"), "weights/b");
  EXPECT_EQ(run.at("last_sampler_checkpoint").at("checkpoint_id"), "sampler_weights/c");
  EXPECT_EQ(run.at("user_metadata"), boost::json::parse(R"({"renderer_name":"role_colon","steps":"3"})"));
  EXPECT_EQ(run.at("lora_rank"), 4);
  EXPECT_EQ(json("GET", "/api/v1/training_runs/" + first.id).at("training_run_id").as_string(), first.id);
  EXPECT_EQ(count(json("GET", "/api/v1/training_runs?limit=0"), "training_runs"), 0);
}

TEST_F(Records, OthersSeeNothing) {
  add_session("s");
  ModelRecord run = add_run("s", 0);
  CheckpointRecord saved = add_checkpoint(run, CheckpointType::weights, "a");
  const std::string one = "/api/v1/training_runs/" + run.id + "/checkpoints/weights/a";
  EXPECT_EQ(count(json("GET", "/api/v1/training_runs", "", "bob"), "training_runs"), 0);
  EXPECT_EQ(count(json("GET", "/api/v1/checkpoints", "", "bob"), "checkpoints"), 0);
  EXPECT_EQ(count(json("GET", "/api/v1/sessions", "", "bob"), "sessions"), 0);
  for (const auto& [method, path, body] : std::vector<std::array<std::string, 3>>{
           {"GET", "/api/v1/training_runs/" + run.id, ""},
           {"GET", "/api/v1/training_runs/" + run.id + "/checkpoints", ""},
           {"DELETE", one, ""},
           {"POST", one + "/publish", ""},
           {"DELETE", one + "/publish", ""},
           {"PUT", one + "/ttl", R"({"ttl_seconds":3600})"},
           {"POST", "/api/v1/weights_info", R"({"tinker_path":"tinker://)" + run.id + R"(/weights/a"})"},
           {"GET", "/api/v1/sessions/s", ""},
           {"PUT", "/api/v1/sessions/s/project", R"({"project_id":"p"})"},
           {"GET", "/api/v1/sessions/s/trace_export", ""}}) {
    Response answer = call(method, path, body, "bob");
    EXPECT_EQ(answer.status, 404) << method << " " << path << " " << answer.body;
    EXPECT_NE(answer.body.find("detail"), std::string::npos);
  }
  EXPECT_TRUE(store.read().checkpoint(run.id, CheckpointType::weights, "a"));
}

TEST_F(Records, CheckpointsOfARunAndOfAll) {
  add_session("s");
  ModelRecord run = add_run("s", 0);
  for (const char* name : {"a", "b", "c"}) add_checkpoint(run, CheckpointType::weights, name);
  add_checkpoint(run, CheckpointType::external_weights, "x");
  auto all = json("GET", "/api/v1/training_runs/" + run.id + "/checkpoints");
  ASSERT_EQ(count(all, "checkpoints"), 4);
  const auto& newest = all.at("checkpoints").as_array()[0];
  EXPECT_EQ(newest.at("checkpoint_id"), "external_weights/x");
  EXPECT_EQ(newest.at("checkpoint_type"), "external");
  EXPECT_EQ(newest.at("tinker_path"), "tinker://s:train:0/external_weights/x");
  EXPECT_EQ(newest.at("user_metadata"), boost::json::parse(R"({"step":"12"})"));
  EXPECT_FALSE(newest.at("public").as_bool());
  EXPECT_FALSE(newest.as_object().contains("expires_at"));
  auto page = json("GET", "/api/v1/checkpoints?limit=2&offset=3");
  EXPECT_EQ(count(page, "checkpoints"), 1);
  EXPECT_EQ(page.at("cursor"), boost::json::parse(R"({"offset":3,"limit":2,"total_count":4})"));
  // SDKs before 0.28 do not know the word "external" and would refuse the whole list.
  Response old = call("GET", "/api/v1/checkpoints", "", "ann", {{"X-Stainless-Package-Version", "0.25.0"}});
  EXPECT_EQ(count(boost::json::parse(old.body), "checkpoints"), 3);
}

TEST_F(Records, WhatHasExpiredIsNotListed) {
  add_session("s");
  ModelRecord run = add_run("s", 0);
  add_checkpoint(run, CheckpointType::weights, "old");
  store.write_now([&](Tables& tables) { tables.set_expires(run.id, CheckpointType::weights, "old", time_now() - 1); });
  EXPECT_EQ(count(json("GET", "/api/v1/checkpoints"), "checkpoints"), 0);
  EXPECT_FALSE(json("GET", "/api/v1/training_runs/" + run.id).as_object().contains("last_checkpoint"));
}

TEST_F(Records, PublishTtlAndDeleteCanBeRepeated) {
  add_session("s");
  ModelRecord run = add_run("s", 0);
  add_checkpoint(run, CheckpointType::weights, "a");
  const std::string one = "/api/v1/training_runs/" + run.id + "/checkpoints/weights/a";
  auto record = [&] { return *store.read().checkpoint(run.id, CheckpointType::weights, "a"); };
  for (int repeat = 0; repeat < 2; ++repeat) EXPECT_EQ(call("POST", one + "/publish").status, 200);
  EXPECT_TRUE(record().is_public);
  for (int repeat = 0; repeat < 2; ++repeat) EXPECT_EQ(call("DELETE", one + "/publish").status, 200);
  EXPECT_FALSE(record().is_public);
  EXPECT_EQ(call("PUT", one + "/ttl", R"({"ttl_seconds":3600})").status, 200);
  ASSERT_TRUE(record().expires);
  EXPECT_NEAR(double(*record().expires - time_now()), 3600.0 * second, 60.0 * second);
  EXPECT_EQ(call("PUT", one + "/ttl", R"({"ttl_seconds":null})").status, 200);
  EXPECT_FALSE(record().expires);
  for (const char* bad : {R"({"ttl_seconds":0})", R"({"ttl_seconds":-5})", R"({"ttl_seconds":"x"})", "{",
                          R"({"ttl_seconds":9000000000})"})
    EXPECT_EQ(call("PUT", one + "/ttl", bad).status, 400) << bad;
  EXPECT_EQ(call("DELETE", one).status, 200);
  EXPECT_FALSE(store.read().checkpoint(run.id, CheckpointType::weights, "a"));
  EXPECT_EQ(call("DELETE", "/api/v1/training_runs/" + run.id + "/checkpoints/weights/never").status, 404);
}

TEST_F(Records, NamesThatCannotBeAreNotFound) {
  for (const char* path :
       {"/api/v1/training_runs/r/checkpoints/weights/a%2Fb", "/api/v1/training_runs/r/checkpoints/other/a",
        "/api/v1/training_runs/r/checkpoints/weights/..", "/api/v1/training_runs/%2e%2e/checkpoints/weights/a"})
    EXPECT_EQ(call("DELETE", path).status, 404) << path;
  for (const char* query : {"limit=x", "limit=-1", "offset=1e3", "access_scope=all"})
    EXPECT_EQ(call("GET", std::string("/api/v1/training_runs?") + query).status, 400) << query;
}

TEST_F(Records, WeightsInfoNamesRankAndFlags) {
  add_session("s");
  ModelRecord run = add_run("s", 0);
  add_checkpoint(run, CheckpointType::weights, "a");
  auto info = json("POST", "/api/v1/weights_info", R"({"tinker_path":"tinker://s:train:0/weights/a"})");
  EXPECT_EQ(info, boost::json::parse(R"({"base_model":"stories","is_lora":true,"lora_rank":4,"train_unembed":true,
                                         "train_mlp":true,"train_attn":true})"));
  for (const char* bad : {R"({"tinker_path":"s:train:0/weights/a"})", R"({"tinker_path":"tinker://a/b"})", "{}"})
    EXPECT_EQ(call("POST", "/api/v1/weights_info", bad).status, 400) << bad;
}

TEST_F(Records, Sessions) {
  add_session("s");
  add_session("t");
  ModelRecord run = add_run("s", 0);
  EXPECT_EQ(json("GET", "/api/v1/sessions?limit=1").at("sessions").as_array().size(), 1u);
  EXPECT_EQ(json("GET", "/api/v1/sessions").at("sessions").as_array().size(), 2u);
  EXPECT_EQ(json("GET", "/api/v1/sessions/s").at("training_run_ids"), boost::json::array{run.id});
  EXPECT_EQ(call("PUT", "/api/v1/sessions/s/project", R"({"project_id":"p1"})").status, 200);
  EXPECT_EQ(count(json("GET", "/api/v1/training_runs?project_id=p1"), "training_runs"), 1);
  EXPECT_EQ(count(json("GET", "/api/v1/training_runs?project_id=p2"), "training_runs"), 0);
  EXPECT_EQ(call("PUT", "/api/v1/sessions/s/project", "{}").status, 400);
}

TEST_F(Records, SearchBySessionNameMetadataAndStatusInPages) {
  for (int i = 0; i < 5; ++i) {
    SessionRecord session;
    session.id = "s" + std::to_string(i);
    session.owner = "ann";
    session.created = Time(1000 + i) * second;
    session.display_name = i % 2 ? "Blue whale" : "red fox";
    session.user_metadata = R"({"round":")" + std::to_string(i / 2) + R"("})";
    store.write_now([&](Tables& tables) { tables.insert(session); });
  }
  store.write_now([](Tables& tables) { tables.finish_session("s4", time_now(), "errored", "out of luck"); });
  auto found = [&](const std::string& body) {
    std::string ids;
    auto answer = json("POST", "/api/v1/sessions/search", body);
    for (const auto& one : answer.at("sessions").as_array())
      ids += one.at("session_id").as_string().c_str() + std::string(" ");
    return ids;
  };
  EXPECT_EQ(found("{}"), "s4 s3 s2 s1 s0 ");
  EXPECT_EQ(found(R"({"display_name":"WHALE blue"})"), "s3 s1 ");
  EXPECT_EQ(found(R"({"display_name":"whale","session_id":"s0"})"), "s3 s1 s0 ");
  EXPECT_EQ(found(R"({"user_metadata":{"round":"1"}})"), "s3 s2 ");
  EXPECT_EQ(found(R"({"statuses":[{"type":"active"}]})"), "s3 s2 s1 s0 ");
  EXPECT_EQ(found(R"({"statuses":[{"type":"client_finished","reasons":["errored"]}]})"), "s4 ");
  EXPECT_EQ(found(R"({"statuses":[{"type":"client_finished","reasons":["success"]}]})"), "");
  auto page = json("POST", "/api/v1/sessions/search", R"({"limit":2})");
  EXPECT_EQ(page.at("sessions").as_array()[0].at("status").at("reason").at("type"), "errored");
  boost::json::object next{{"limit", 2}, {"cursor", page.at("next_cursor")}};
  EXPECT_EQ(found(boost::json::serialize(next)), "s2 s1 ");
  EXPECT_EQ(call("POST", "/api/v1/sessions/search", R"({"owner":{"type":"accessible"}})").status, 400);
  EXPECT_EQ(call("POST", "/api/v1/sessions/search", R"({"limit":0})").status, 400);
}

TEST_F(Records, AccountAuditAndUsage) {
  EXPECT_EQ(json("GET", "/api/v1/auth/apikey/me").at("name"), "ann");
  EXPECT_EQ(call("POST", "/api/v1/auth/token", "{}").status, 404);
  EXPECT_EQ(call("DELETE", "/api/v1/auth/apikey/me").status, 403);
  SessionRecord session = add_session("s");
  const Time now = time_now();
  store.write_now([&](Tables& tables) {
    tables.insert(AuditRecord{now, "ann", "checkpoint_deleted", "s:train:0", "tinker://s:train:0/weights/a", "{}"});
    tables.insert(AuditRecord{now, "ann", "session_finished", "", "", "{}"});
    tables.insert(AuditRecord{now, "bob", "checkpoint_deleted", "", "tinker://b/weights/a", "{}"});
    tables.add_usage({now / (3600 * second) * (3600 * second), "ann", "s", stage_model, "training", 120});
  });
  EXPECT_EQ(count(json("GET", "/api/v1/audit?event_type=all"), "entries"), 2);
  EXPECT_EQ(count(json("GET", "/api/v1/audit?event_type=checkpoints"), "entries"), 1);
  EXPECT_EQ(count(json("GET", "/api/v1/audit?day=2001-01-01"), "entries"), 0);
  EXPECT_EQ(call("GET", "/api/v1/audit?day=soon").status, 400);
  auto usage = json("GET", "/api/v1/billing/usage/events?starting_on=2020-01-01&ending_before=2099-01-01");
  ASSERT_EQ(count(usage, "data"), 1);
  EXPECT_EQ(usage.at("data").as_array()[0].at("event_info"),
            boost::json::parse(R"({"type":"training","token_count":120})"));
  EXPECT_TRUE(usage.at("sessions").as_object().contains("s"));
  EXPECT_EQ(call("GET", "/api/v1/billing/usage/events?starting_on=2020-01-01").status, 400);
  add_checkpoint(add_run("s", 0), CheckpointType::weights, "a");
  auto storage = json("GET", "/api/v1/billing/usage/checkpoints/current");
  EXPECT_EQ(storage.at("data").as_array()[0].at("checkpoint_count"), 1);
}

}  // namespace
}  // namespace hearth::server
