// Stage: a store in a folder of its own, an engine and a router, so that tests can call routes as clients do.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/http/loop.h"
#include "server/http/url.h"
#include "server/store/names.h"
#include "server/store/store.h"

namespace hearth::server {

struct TemporaryFolder {
  TemporaryFolder() {
    static int made = 0;
    path = std::filesystem::temp_directory_path() /
           ("hearth-api-" + std::to_string(getpid()) + "-" + std::to_string(++made));
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

inline constexpr const char* stage_model = "stories";

struct Stage {
  Stage() : store(folder.path / "store"), engine(loop, store, options()), api{loop, engine, store} {}

  static EngineOptions options() {
    EngineOptions options;
    options.models = {{stage_model, std::string(HEARTH_TEST_DATA) + "/../../models/stories-2m"}};
    return options;
  }

  /// Calls the route of `target` (a path with or without a query) and runs the loop until it has answered.
  Response call(const std::string& method, const std::string& target, const std::string& body = "",
                const std::string& owner = "ann", std::vector<std::pair<std::string, std::string>> headers = {}) {
    const size_t question = target.find('?');
    Request request;
    request.method = method;
    request.path = target.substr(0, question);
    if (question != std::string::npos) EXPECT_TRUE(parse_query(target.substr(question + 1), &request.query));
    Router::Match match = router.find(method, request.path);
    if (!match.route) return error_response(match.status, match.detail);
    request.parameters = match.parameters;
    request.headers = std::move(headers);
    request.headers.emplace_back("Host", "127.0.0.1:8000");
    request.body = body;
    request.owner = owner;
    struct Answer {
      std::optional<Response> response;
      bool runs = false;
    };
    auto answer = std::make_shared<Answer>();
    match.route->handler(std::move(request), Respond::to([this, answer](Response response) {
                           answer->response = std::move(response);
                           if (answer->runs) loop.stop();
                         }));
    if (!answer->response) {
      answer->runs = true;
      Timer late = loop.after(std::chrono::seconds(30), [&] { loop.stop(); });
      loop.run();
      late.cancel();
      answer->runs = false;
    }
    std::optional<Response> got = std::move(answer->response);
    EXPECT_TRUE(got) << method << " " << target << " was not answered";
    return got.value_or(error_response(500, "not answered"));
  }

  boost::json::value json(const std::string& method, const std::string& target, const std::string& body = "",
                          const std::string& owner = "ann") {
    Response response = call(method, target, body, owner);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return response.status == 200 ? boost::json::parse(response.body) : boost::json::value(boost::json::object());
  }

  SessionRecord add_session(const std::string& id, const std::string& owner = "ann") {
    SessionRecord session;
    session.id = id;
    session.owner = owner;
    session.created = session.last_seen = time_now();
    store.write_now([&](Tables& tables) { tables.insert(session); });
    return session;
  }

  ModelRecord add_run(const std::string& session, int number, const std::string& owner = "ann") {
    ModelRecord model;
    model.id = session + ":train:" + std::to_string(number);
    model.session_id = session;
    model.owner = owner;
    model.base_model = stage_model;
    model.rank = 4;
    model.created = model.last_request = time_now();
    model.user_metadata = R"({"renderer_name":"role_colon","steps":3})";
    store.write_now([&](Tables& tables) { tables.insert(model); });
    return model;
  }

  /// A checkpoint with the files of an adapter, which hold their own names.
  CheckpointRecord add_checkpoint(const ModelRecord& run, CheckpointType type, const std::string& name) {
    Draft draft = store.folders().draft();
    for (const char* file : {"adapter_config.json", "adapter_model.safetensors"})
      std::ofstream(draft.path() + "/" + file) << file;
    Sealed sealed = draft.seal(Folders::place_of_checkpoint(run.id, type, name));
    CheckpointRecord record;
    record.run = run.id;
    record.type = type;
    record.name = name;
    record.owner = run.owner;
    record.folder = sealed.folder;
    record.size = sealed.size;
    record.hash = sealed.hash;
    record.created = time_now();
    record.base_model = run.base_model;
    record.rank = run.rank;
    record.user_metadata = R"({"step":"12"})";
    store.write_now([&](Tables& tables) { tables.insert(record); });
    return record;
  }

  TemporaryFolder folder;
  Loop loop;  // outlives the store, whose writer reports to it
  Store store;
  Engine engine;
  Router router;
  Api api;
};

}  // namespace hearth::server
