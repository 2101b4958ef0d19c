// One client's connection: reads requests one after another, hands them to their handlers, writes the answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/file_body.h"
#include "server/http/output_queue.h"
#include "server/http/request_parser.h"
#include "server/http/router.h"
#include "server/http/server_state.h"
#include "server/http/socket.h"

namespace hearth::server {

/// Everything on the loop thread. `serial` names the request that an answer is for: what comes for another one than
/// the present is dropped.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(std::shared_ptr<ServerState> server, std::unique_ptr<Socket> socket, std::string peer);
  void start();
  /// Closes the connection, or answers 408, where the client takes too long.
  void check_time(Clock::time_point now);
  /// Closes it where no request is open; else after the answer.
  void drain();
  void close();

  // What exchanges and streams call.
  bool waits_for(std::uint64_t serial) const { return serial == serial_ && (is(Phase::handling) || streams()); }
  bool streams_to(std::uint64_t serial) const { return serial == serial_ && streams(); }
  void answer(std::uint64_t serial, Response response);
  void begin_stream(std::uint64_t serial, Response head);
  bool write_stream(std::uint64_t serial, std::string_view piece);
  void end_stream(std::uint64_t serial);
  /// Nobody will answer, or end the stream.
  void abandon(std::uint64_t serial);
  void on_gone(std::uint64_t serial, std::function<void()> fn);
  std::size_t waiting() const { return output_.size(); }
  Loop& loop() const { return server_->loop; }

 private:
  using Error = Socket::Error;
  enum class Phase { handshake, idle, header, body, handling, streaming, writing, lingering, closed };
  /// What is known of the present request, for the log, the counters and the answer's head.
  struct Record {
    const Route* route = nullptr;
    std::string method, path, owner, sdk;
    std::vector<std::string> parameters;
    std::map<std::string, std::string> query;
    Clock::time_point begin;
    std::uint64_t bytes_in = 0, bytes_out = 0;
    int status = 0;
    bool head = false, http_1_0 = false, keep_alive = false, counted = false;
  };

  bool is(Phase phase) const { return phase_ == phase; }
  bool streams() const { return is(Phase::streaming); }
  bool takes_input() const { return is(Phase::idle) || is(Phase::header) || is(Phase::body); }
  void enter(Phase phase);

  // connection.cpp: from bytes to a request
  void read();
  void on_read(Error error, std::string_view bytes);
  void take_input(std::string_view bytes);
  std::size_t consume(std::string_view bytes);
  bool step();
  void begin_request();
  void decide();
  void receive_body();
  void count_receiving(std::size_t bytes);
  void dispatch();
  Response refusal();
  void refuse(Response response);

  // connection_output.cpp: from an answer to bytes
  void send(Response response);
  std::string head_of(const Response& response, const std::string& framing);
  void flush();
  void on_written(Error error, std::size_t bytes);
  bool refill();
  void finish_request();
  void record(int status);
  void linger();

  std::shared_ptr<ServerState> server_;
  std::unique_ptr<Socket> socket_;
  std::string peer_;
  Phase phase_ = Phase::handshake;
  Clock::time_point since_, progress_;  // of the phase; of the output
  std::uint64_t serial_ = 0;
  bool reading_ = false, writing_ = false, ended_ = false, close_after_ = false;
  std::string input_;  // came, and is not parsed yet
  std::unique_ptr<RequestParser> parser_;
  std::unique_ptr<Response> refused_;  // the answer, once the body was read and dropped
  std::size_t receiving_ = 0;
  std::uint64_t lingered_ = 0;
  Record record_;
  std::vector<std::function<void()>> gone_;
  OutputQueue output_;
  FileBody file_;
};

/// The words for the log of which client this is: the SDK's version, or the program's name; empty where unknown.
std::string client_version(const Request& request);

/// Whose key the request carries; null where it is not one of `keys`.
std::optional<std::string> owner_of(const Request& request, const std::optional<Keys>& keys);

/// The exchange that a handler gets for the present request of a connection.
std::shared_ptr<Respond::Exchange> make_exchange(const std::shared_ptr<Connection>& connection, std::uint64_t serial);

/// What an exception of a handler is answered with; says in the log what the client must not know.
Response response_for(std::exception_ptr error, const std::string& route);

}  // namespace hearth::server
