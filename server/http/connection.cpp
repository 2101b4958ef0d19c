// Connections, from bytes to a request that its handler gets.
#include "server/http/connection.h"

#include <boost/asio/error.hpp>
#include <utility>

#include "server/http/address.h"
#include "server/http/log.h"
#include "server/http/url.h"

namespace hearth::server {

namespace {
constexpr std::size_t most_pipelined = 64 << 10;  // bytes of the next requests that are kept
constexpr std::size_t most_dropped = 64 << 10;    // of a refused body that is read so that the connection can go on
constexpr std::uint64_t most_lingered = 16 << 20;
constexpr std::chrono::milliseconds linger_time{2000};
}  // namespace

Connection::Connection(std::shared_ptr<ServerState> server, std::unique_ptr<Socket> socket, std::string peer)
    : server_(std::move(server)), socket_(std::move(socket)), peer_(std::move(peer)), since_(Clock::now()) {}

void Connection::enter(Phase phase) {
  phase_ = phase;
  since_ = Clock::now();
}

void Connection::start() {
  socket_->handshake([self = shared_from_this()](Error error) {
    if (self->is(Phase::closed)) return;
    if (error) return self->close();
    self->enter(Phase::idle);
    self->read();
  });
}

void Connection::read() {
  if (reading_ || ended_ || is(Phase::closed)) return;
  if (!takes_input() && !is(Phase::lingering) && input_.size() >= most_pipelined) return;
  reading_ = true;
  socket_->read([self = shared_from_this()](Error error, std::string_view bytes) { self->on_read(error, bytes); });
}

void Connection::on_read(Error error, std::string_view bytes) {
  reading_ = false;
  if (is(Phase::closed)) return;
  if (error || bytes.empty()) {
    ended_ = true;
    // A client that has sent all may close its side; the answer that is under way still reaches it.
    if (is(Phase::writing) && error == boost::asio::error::eof)
      close_after_ = true;
    else
      close();
    return;
  }
  server_->metrics.counters.bytes_in += bytes.size();
  if (is(Phase::lingering)) {
    lingered_ += bytes.size();
    if (lingered_ > most_lingered) return close();
  } else {
    take_input(bytes);
  }
  read();
}

void Connection::take_input(std::string_view bytes) {
  if (input_.empty()) {
    input_ = bytes.substr(consume(bytes));
  } else {
    input_.append(bytes);
    input_.erase(0, consume(input_));
  }
  if (input_.empty()) std::string().swap(input_);
}

std::size_t Connection::consume(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && takes_input()) {
    if (is(Phase::idle)) {
      // Some clients send an empty line after a body; it belongs to no request.
      if (bytes[at] == '\r' || bytes[at] == '\n') {
        ++at;
        continue;
      }
      begin_request();
    }
    const std::size_t used = parser_->feed(bytes.substr(at));
    at += used;
    record_.bytes_in += used;
    if (!step()) break;
  }
  return at;
}

void Connection::begin_request() {
  enter(Phase::header);
  record_ = Record();
  record_.begin = since_;
  parser_ = std::make_unique<RequestParser>(server_->options.limits);
}

/// Acts on what the parser has got to. False where it has taken all that it can, or the request is refused.
bool Connection::step() {
  using State = RequestParser::State;
  const bool decided = parser_->state() == State::decide;
  if (decided) decide();
  if (!takes_input()) return false;
  switch (parser_->state()) {
    case State::done:
      dispatch();
      return true;
    case State::failed: {
      Response response = error_response(parser_->failure().status, parser_->failure().detail);
      // Of a refused body that is too long to be read, the reason is the first refusal.
      if (refused_) response = std::move(*std::exchange(refused_, nullptr));
      refuse(std::move(response));
      return false;
    }
    case State::body:
      receive_body();
      return decided && takes_input();  // the body may have come together with the headers
    default:
      return false;
  }
}

/// The headers are there: who asks, for what, and whether the body is wanted.
void Connection::decide() {
  enter(Phase::body);
  const Request& request = parser_->request();
  record_.method = request.method;
  record_.head = request.method == "HEAD";
  record_.http_1_0 = parser_->http_1_0();
  record_.keep_alive = parser_->keep_alive();
  record_.sdk = client_version(request);
  Response response = refusal();
  if (response.status == 200) {
    server_->metrics.opened(record_.route->method + " " + record_.route->pattern);
    ++server_->metrics.counters.open_requests;
    ++server_->open_requests[record_.owner];
    record_.counted = true;
    parser_->take_body();
    if (parser_->expects_continue() && parser_->state() == RequestParser::State::body) {
      output_.push("HTTP/1.1 100 Continue\r\n\r\n");
      flush();
    }
    return;
  }
  if (parser_->expects_continue()) return refuse(std::move(response));
  refused_ = std::make_unique<Response>(std::move(response));
  parser_->drop_body(most_dropped);
}

/// 200, or why this request is refused before its body is read.
Response Connection::refusal() {
  const Request& request = parser_->request();
  const ServerOptions& options = server_->options;
  const std::string& target = parser_->target();
  const std::size_t mark = target.find('?');
  record_.path = target.substr(0, mark);
  Router::Match match = server_->router.find(request.method, record_.path);
  record_.route = match.route;
  record_.parameters = std::move(match.parameters);
  if (!options.keys) {
    // Web pages in this machine's browser can reach loopback too; they may not use it.
    const std::string_view origin = request.header("origin");
    if (!names_loopback(request.header("host")) && !record_.http_1_0)
      return error_response(403, "without a keys file this server answers only to localhost, not to the name in Host");
    if (!origin.empty() && !names_loopback(origin))
      return error_response(403, "without a keys file this server does not answer web pages of other origins");
  }
  const std::optional<std::string> owner = owner_of(request, options.keys);
  if (!owner && !(match.route && match.route->options.access == Access::open)) {
    Response response = error_response(401, "the API key is missing or not one of this server's keys (X-API-Key)");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  record_.owner = owner.value_or("");
  if (!match.route) {
    Response response = error_response(match.status, match.detail);
    if (!match.allow.empty()) response.headers.emplace_back("Allow", match.allow);
    return response;
  }
  if (mark != std::string::npos && !parse_query(std::string_view(target).substr(mark + 1), &record_.query))
    return error_response(400, "the query is not percent-encoded UTF-8");
  const auto open = server_->open_requests.find(record_.owner);
  if (open != server_->open_requests.end() && open->second >= options.limits.requests_per_owner)
    return busy_response("this key has " + std::to_string(open->second) + " requests open, as many as it may");
  return {};
}

void Connection::count_receiving(std::size_t bytes) {
  server_->receiving += bytes - receiving_;
  receiving_ = bytes;
}

void Connection::receive_body() {
  count_receiving(parser_->body_size());
  if (server_->receiving <= server_->options.limits.receiving_bytes) return;
  Response response = error_response(503, "this server is receiving as much as it may at a time; try again");
  response.headers.emplace_back("Retry-After", "1");
  refuse(std::move(response));
}

/// Answers a request that no handler gets. Where its rest was not read, the connection ends with the answer.
void Connection::refuse(Response response) {
  if (!parser_ || parser_->state() != RequestParser::State::done) close_after_ = true;
  record_.keep_alive = record_.keep_alive && !close_after_;
  parser_.reset();
  count_receiving(0);
  ++serial_;
  send(std::move(response));
}

void Connection::dispatch() {
  if (refused_) return refuse(std::move(*std::exchange(refused_, nullptr)));
  Request request = std::move(parser_->request());
  parser_.reset();
  count_receiving(0);
  if (record_.head) request.method = "GET";
  request.path = record_.path;
  request.parameters = std::move(record_.parameters);
  request.query = std::move(record_.query);
  request.owner = record_.owner;
  request.peer = peer_;
  enter(Phase::handling);
  const std::uint64_t serial = ++serial_;
  Respond respond(make_exchange(shared_from_this(), serial));
  try {
    record_.route->handler(std::move(request), respond);
  } catch (...) {
    answer(serial, response_for(std::current_exception(), record_.route->pattern));
  }
}

void Connection::check_time(Clock::time_point now) {
  const Limits& limits = server_->options.limits;
  const auto late = [&](Clock::time_point begin, std::chrono::milliseconds limit) { return now - begin > limit; };
  if (!output_.empty() && late(progress_, limits.write_time)) return close();
  if (is(Phase::handshake) && late(since_, limits.handshake_time)) return close();
  if (is(Phase::idle) && late(since_, limits.idle_time)) return close();
  if (is(Phase::lingering) && late(since_, linger_time)) return close();
  if (is(Phase::header) && late(since_, limits.header_time))
    return refuse(error_response(408, "the request's headers did not come in time"));
  if (!is(Phase::body)) return;
  const std::chrono::milliseconds more(parser_->received() * 1000 / limits.body_rate);
  if (late(since_, limits.body_time + more)) refuse(error_response(408, "the request's body did not come in time"));
}

void Connection::drain() {
  if (is(Phase::idle) || is(Phase::handshake)) close();
}

void Connection::close() {
  if (is(Phase::closed)) return;
  const auto self = shared_from_this();
  const bool open = !is(Phase::handshake) && !is(Phase::idle) && !is(Phase::lingering);
  if (open) record(499);
  const bool waits = is(Phase::handling) || streams() || is(Phase::writing);
  enter(Phase::closed);
  count_receiving(0);
  socket_->close();
  parser_.reset();
  std::vector<std::function<void()>> gone = std::exchange(gone_, {});
  if (waits)
    for (const auto& fn : gone) fn();
  server_->connections.erase(this);
  server_->metrics.counters.open_connections = server_->connections.size();
  if (server_->on_closed) server_->on_closed();
}

}  // namespace hearth::server
