// RunningServer: a server at a free port with its loop on a thread; and a folder for what it serves.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/http/log.h"
#include "server/http/loop.h"
#include "server/http/request.h"
#include "server/http/router.h"
#include "server/http/server.h"
#include "tests/server/http/client.h"

namespace hearth::server::test {

/// Routes: GET /ping; POST /echo gives the body back; /count the body's length; POST /wait answers at release();
/// and what `more` adds.
class RunningServer {
 public:
  explicit RunningServer(ServerOptions options = {}, const std::function<void(Router&)>& more = {}) {
    set_log_level(LogLevel::off);
    router_.add(
        "GET", "/ping", [](Request, Respond respond) { respond(json_response("{}")); }, Access::open);
    router_.add("DELETE", "/things/{id}",
                [](Request request, Respond respond) { respond(json_response(request.parameters[0])); });
    router_.add("POST", "/echo",
                [](Request request, Respond respond) { respond(json_response(request.owner + ":" + request.body)); });
    router_.add("POST", "/count",
                [](Request request, Respond respond) { respond(json_response(std::to_string(request.body.size()))); });
    router_.add("POST", "/wait", [this](Request request, Respond respond) {
      waiting_.emplace_back(std::move(request.body), std::move(respond));
    });
    if (more) more(router_);
    options.bind = "127.0.0.1:0";
    server_ = std::make_unique<Server>(loop_, router_, std::move(options));
    server_->listen();
    port_ = server_->port();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~RunningServer() {
    loop_.post([this] {
      waiting_.clear();
      server_.reset();
      loop_.stop();
    });
    thread_.join();
    set_log_level(LogLevel::info);
  }

  std::uint16_t port() const { return port_; }
  Loop& loop() { return loop_; }
  /// Runs `fn(server)` on the loop thread.
  template <class Fn>
  auto on_loop(Fn fn) {
    std::packaged_task<std::invoke_result_t<Fn, Server&>()> task([&] { return fn(*server_); });
    auto result = task.get_future();
    loop_.post([&task] { task(); });
    return result.get();
  }
  Counters counters() {
    return on_loop([](Server& s) { return s.counters(); });
  }
  std::size_t waiting() {
    return on_loop([this](Server&) { return waiting_.size(); });
  }
  /// Answers everything that waits at /wait with its own body.
  void release() {
    on_loop([this](Server&) {
      for (auto& [body, respond] : waiting_) respond(json_response(body));
      waiting_.clear();
    });
  }
  /// Waits until `holds` on the loop thread. False where it does not within ten seconds.
  bool eventually(const std::function<bool(Server&)>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (on_loop([&](Server& s) { return holds(s); })) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

 private:
  Loop loop_;
  Router router_;
  std::vector<std::pair<std::string, Respond>> waiting_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// A folder of its own, gone with it.
class HttpFolder {
 public:
  HttpFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hearth-http-XXXXXX").string();
    if (!::mkdtemp(name.data())) ADD_FAILURE() << "no temporary folder";
    path_ = name;
  }
  ~HttpFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  HttpFolder(const HttpFolder&) = delete;
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace hearth::server::test
