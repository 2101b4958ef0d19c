// Downloads: addresses work without a key, until they end, for what they name and nothing else.
#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <iterator>
#include <set>

#include "server/api/stage.h"

namespace hearth::server {
namespace {

struct DownloadRoutes : testing::Test, Stage {
  DownloadRoutes() {
    add_download_routes(router, api);
    add_session_record_routes(router, api);
    add_session("s");
    run = add_run("s", 0);
  }

  /// Fetches an absolute address as somebody without a key.
  Response fetch(const std::string& url) {
    EXPECT_TRUE(url.starts_with("http://127.0.0.1:8000/")) << url;
    return call("GET", url.substr(21), "", "");
  }
  std::string content(const Response& response) {
    std::ifstream in(response.file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  std::string address(const std::string& type, const std::string& name, const std::string& what) {
    return "/api/v1/training_runs/" + run.id + "/checkpoints/" + type + "/" + name + "/" + what;
  }

  ModelRecord run;
};

TEST_F(DownloadRoutes, EveryFileOfExternalWeightsHasAnAddress) {
  add_checkpoint(run, CheckpointType::external_weights, "x");
  auto answer = json("GET", address("external_weights", "x", "external_weights_urls"));
  const auto& urls = answer.at("urls").as_object();
  ASSERT_EQ(urls.size(), 2u);
  for (const auto& entry : urls) {
    Response file = fetch(entry.value().as_string().c_str());
    EXPECT_EQ(file.status, 200) << file.body;
    EXPECT_EQ(content(file), std::string_view(entry.key()));
  }
  EXPECT_GT(*parse_time(answer.at("expires").as_string()), time_now() + 300 * second);
}

TEST_F(DownloadRoutes, AnAddressThatWasChangedIsWorthless) {
  add_checkpoint(run, CheckpointType::external_weights, "x");
  add_checkpoint(run, CheckpointType::external_weights, "y");
  auto answer = json("GET", address("external_weights", "x", "external_weights_urls"));
  const std::string url = answer.at("urls").at("adapter_config.json").as_string().c_str();
  auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = url;
    other.replace(other.find(from), from.size(), to);
    return fetch(other).status;
  };
  EXPECT_EQ(fetch(url).status, 200);
  EXPECT_EQ(changed("/x/", "/y/"), 404);
  EXPECT_EQ(changed("adapter_config.json", "adapter_model.safetensors"), 404);
  EXPECT_EQ(changed("adapter_config.json", "archive.tar"), 404);
  EXPECT_EQ(changed("expires=", "expires=9"), 404);
  EXPECT_EQ(fetch(url.substr(0, url.find('?'))).status, 404);
  EXPECT_EQ(fetch(url.substr(0, url.size() - 1) + (url.back() == '0' ? "1" : "0")).status, 404);
}

TEST_F(DownloadRoutes, ADeletedCheckpointCannotBeFetchedAnyMore) {
  add_checkpoint(run, CheckpointType::external_weights, "x");
  auto answer = json("GET", address("external_weights", "x", "external_weights_urls"));
  store.write_now([&](Tables& tables) { tables.remove_checkpoint(run.id, CheckpointType::external_weights, "x"); });
  EXPECT_EQ(fetch(answer.at("urls").at("adapter_config.json").as_string().c_str()).status, 404);
}

TEST_F(DownloadRoutes, OnlyWhoMayReadGetsAddresses) {
  add_checkpoint(run, CheckpointType::external_weights, "x");
  const std::string path = address("external_weights", "x", "external_weights_urls");
  EXPECT_EQ(call("GET", path, "", "bob").status, 404);
  store.write_now([&](Tables& t) { t.set_public(run.id, CheckpointType::external_weights, "x", true); });
  EXPECT_EQ(call("GET", path, "", "bob").status, 200);
  store.write_now([&](Tables& t) { t.set_expires(run.id, CheckpointType::external_weights, "x", time_now() - 1); });
  EXPECT_EQ(call("GET", path).status, 404);
  add_checkpoint(run, CheckpointType::weights, "w");
  EXPECT_EQ(call("GET", address("weights", "w", "external_weights_urls")).status, 400);
  EXPECT_EQ(call("GET", address("other", "w", "archive")).status, 404);
}

TEST_F(DownloadRoutes, TheArchiveHoldsTheAdapterAndItsMark) {
  add_checkpoint(run, CheckpointType::sampler_weights, "x");
  auto answer = json("GET", address("sampler_weights", "x", "archive"));
  for (int repeat = 0; repeat < 2; ++repeat) {
    Response tar = fetch(answer.at("url").as_string().c_str());
    ASSERT_EQ(tar.status, 200) << tar.body;
    archive* reader = archive_read_new();
    archive_read_support_format_tar(reader);
    ASSERT_EQ(archive_read_open_filename(reader, tar.file.c_str(), 4096), ARCHIVE_OK);
    std::set<std::string> names;
    archive_entry* entry = nullptr;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) names.insert(archive_entry_pathname(entry));
    archive_read_free(reader);
    EXPECT_EQ(names,
              (std::set<std::string>{"adapter_config.json", "adapter_model.safetensors", "checkpoint_complete"}));
  }
}

TEST_F(DownloadRoutes, AHostThatIsNoNameGetsNoAddress) {
  add_checkpoint(run, CheckpointType::sampler_weights, "x");
  Response answer = call("GET", address("sampler_weights", "x", "archive"), "", "ann", {{"Host", "evil/\r\nX: y"}});
  EXPECT_EQ(answer.status, 400) << answer.body;
}

TEST_F(DownloadRoutes, TracesAreFetchedBySignedAddresses) {
  auto answer = json("GET", "/api/v1/sessions/s/trace_export");
  EXPECT_EQ(answer.at("status"), "ready");
  Response trace = fetch(answer.at("url").as_string().c_str());
  EXPECT_EQ(trace.status, 200);
  EXPECT_TRUE(boost::json::parse(trace.body).at("traceEvents").is_array());
  EXPECT_EQ(call("GET", "/api/v1/traces/s").status, 404);
}

}  // namespace
}  // namespace hearth::server
