// RunningApi: all routes over an engine with a small model, called without sockets.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/api/routes.h"
#include "server/http/response.h"
#include "server/http/router.h"
#include "server/wire/unknown_fields.h"
#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {

class RunningApi {
 public:
  explicit RunningApi(EngineOptions options) : running_(folder_.store(), std::move(options)) { start(); }
  RunningApi() : running_(folder_.store(), small_options(folder_)) { start(); }
  static EngineOptions options_with(const Folder& folder, void (*change)(EngineOptions&)) {
    EngineOptions options = small_options(folder);
    change(options);
    return options;
  }
  explicit RunningApi(void (*change)(EngineOptions&)) : running_(folder_.store(), options_with(folder_, change)) {
    start();
  }

  /// Finds the route, calls its handler on the loop thread and waits for the answer.
  Response call(const std::string& method, const std::string& path, const std::string& body = "",
                const std::string& owner = "me", const std::string& content_type = "application/json") {
    const auto promise = std::make_shared<std::promise<Response>>();
    auto future = promise->get_future();
    running_.loop().post([=, this] {
      const Router::Match match = router_.find(method, path);
      if (match.route == nullptr) return promise->set_value(error_response(match.status, match.detail));
      Request request;
      request.method = method;
      request.path = path;
      request.parameters = match.parameters;
      request.body = body;
      request.owner = owner;
      request.headers = {{"content-type", content_type}};
      match.route->handler(std::move(request),
                           Respond::to([promise](Response r) { promise->set_value(std::move(r)); }));
    });
    return future.get();
  }
  Response post(const std::string& name, const std::string& body, const std::string& owner = "me") {
    return call("POST", "/api/v1/" + name, body, owner,
                name == "forward_backward" ? "application/x-protobuf" : "application/json");
  }
  /// A member of the JSON answer to a request that must succeed.
  std::string text(const std::string& name, const std::string& body, const char* key) {
    const Response response = post(name, body);
    if (response.status != 200) throw std::runtime_error(name + ": " + response.body);
    return std::string(boost::json::parse(response.body).at(key).as_string());
  }
  std::string session() { return text("create_session", "{}", "session_id"); }
  std::string submit(const std::string& name, const std::string& body) { return text(name, body, "request_id"); }
  /// Asks until there is a result.
  Response wait(const std::string& request_id, bool may_announce = false, const std::string& owner = "me") {
    while (true) {
      Response response = post(
          "retrieve_future",
          boost::json::serialize(boost::json::value{{"request_id", request_id}, {"allow_metadata_only", may_announce}}),
          owner);
      if (response.status != 408) return response;
    }
  }
  Response run(const std::string& name, const std::string& body) { return wait(submit(name, body)); }
  /// A session with a model "...:train:0".
  std::string model() {
    const std::string id = session();
    run("create_model", create_body(id, 0, 1));
    return training_id(id, 0);
  }
  /// A sampler of the base model.
  std::string sampler() {
    return text("create_sampling_session",
                R"({"session_id":")" + session() + R"(","sampling_session_seq_id":0,"base_model":"tiny"})",
                "sampling_session_id");
  }

  UnknownFields unknown;
  RunningEngine& engine() { return running_; }

 private:
  void start() {
    running_.on_loop([this](Engine& engine) {
      api_ = std::make_unique<Api>(Api{running_.loop(), engine, running_.store(), &unknown});
      api_->hold = std::chrono::milliseconds(100);
      add_routes(router_, *api_);
      return 0;
    });
  }

  Folder folder_;
  std::unique_ptr<Api> api_;
  Router router_;
  RunningEngine running_;
};

inline boost::json::value json_of(const Response& response) { return boost::json::parse(response.body); }
inline std::string quoted(const char* key, const std::string& value) {
  return boost::json::serialize(boost::json::value{{key, value}});
}

}  // namespace hearth::server::test
