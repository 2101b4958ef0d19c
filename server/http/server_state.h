// What the connections of one server share.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "server/http/metrics.h"
#include "server/http/server.h"
#include "server/http/socket.h"

namespace hearth::server {

class Connection;

struct ServerState {
  ServerState(Loop& loop, const Router& router, ServerOptions options)
      : loop(loop), router(router), options(std::move(options)) {}

  Loop& loop;
  const Router& router;
  const ServerOptions options;
  Metrics metrics;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections;
  std::map<std::string, std::size_t> open_requests;  // by owner
  std::size_t receiving = 0;                         // bytes of bodies that are being received
  bool draining = false;
  std::function<void()> on_closed;  // after each connection that closes
  Scratch scratch = std::make_shared<std::string>(64 << 10, '\0');

  /// "Tue, 24 Nov 2026 00:28:30 GMT", made once a second.
  const std::string& date();

 private:
  std::int64_t date_second_ = 0;
  std::string date_;
};

}  // namespace hearth::server
