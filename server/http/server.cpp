// The server: accepts connections, watches their times, drains.
#include "server/http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <ctime>
#include <utility>
#include <vector>

#include "hearth/core/error.h"
#include "server/http/address.h"
#include "server/http/connection.h"
#include "server/http/log.h"
#include "server/http/loop_impl.h"
#include "server/http/metrics_text.h"
#include "server/http/server_state.h"

namespace hearth::server {

namespace {
namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}
}  // namespace

const std::string& ServerState::date() {
  const std::time_t now = std::time(nullptr);
  if (now == date_second_) return date_;
  date_second_ = now;
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  // Not by the locale's names of days and months.
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::strftime(text, sizeof text, "%H:%M:%S GMT", &parts);
  date_ = fmt::format("{}, {:02} {} {} {}", days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                      parts.tm_year + 1900, text);
  return date_;
}

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(Loop& loop, const Router& router, ServerOptions given)
      : address(parse_address(given.bind)),
        state(std::make_shared<ServerState>(loop, router, std::move(given))),
        acceptor(loop.impl().context) {}

  void open();
  void accept();
  void accepted(tcp::socket socket);
  void refuse(tcp::socket socket);
  void watch();
  void finish_drain(bool in_time);

  Address address;
  std::shared_ptr<ServerState> state;
  tcp::acceptor acceptor;
  std::unique_ptr<TlsContext> tls;
  Timer watch_timer, drain_timer, retry_timer;
  std::function<void()> drained;
};

Server::Server(Loop& loop, const Router& router, ServerOptions options)
    : impl_(std::make_shared<Impl>(loop, router, std::move(options))) {
  const ServerOptions& o = impl_->state->options;
  check<ValueError>(o.keys || impl_->address.loopback, "bind: ", o.bind,
                    " can be reached by others, and without a keys file everybody may do everything: give --keys FILE, "
                    "or bind to 127.0.0.1");
  check<ValueError>(o.tls_certificate.empty() == o.tls_key.empty(),
                    "tls: the certificate and its key belong together: only one of them was given");
}

Server::~Server() {
  Impl& impl = *impl_;
  Error ignored;
  impl.acceptor.close(ignored);
  for (Timer* timer : {&impl.watch_timer, &impl.drain_timer, &impl.retry_timer}) timer->cancel();
  impl.state->on_closed = nullptr;
  const auto connections = std::exchange(impl.state->connections, {});
  for (const auto& [unused, connection] : connections) connection->close();
}

void Server::listen() {
  const ServerOptions& o = impl_->state->options;
  if (!o.tls_certificate.empty()) impl_->tls = std::make_unique<TlsContext>(o.tls_certificate, o.tls_key);
  impl_->open();
  impl_->accept();
  impl_->watch();
}

void Server::Impl::open() {
  constexpr int backlog = 4096;
  const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
  try {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true));
    acceptor.bind(endpoint);
    acceptor.listen(backlog);
  } catch (const boost::system::system_error& error) {
    fail<IoError>("bind: cannot listen on ", text_of(endpoint), ": ", error.code().message());
  }
}

void Server::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](Error error, tcp::socket socket) {
    if (!self->acceptor.is_open()) return;
    if (!error) self->accepted(std::move(socket));
    if (error && error != asio::error::connection_aborted) {
      // Out of descriptors or memory: they come back when connections close.
      LogLine(LogLevel::warning, "cannot-accept").field("error", error.message());
      self->retry_timer = self->state->loop.after(std::chrono::milliseconds(100), [self] { self->accept(); });
      return;
    }
    self->accept();
  });
}

void Server::Impl::accepted(tcp::socket socket) {
  Counters& counters = state->metrics.counters;
  ++counters.connections;
  if (state->connections.size() >= state->options.limits.connections) return refuse(std::move(socket));
  Error error;
  socket.set_option(tcp::no_delay(true), error);
  socket.set_option(asio::socket_base::keep_alive(true), error);
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  auto bytes = tls ? tls->make_socket(std::move(socket)) : make_tcp_socket(std::move(socket), state->scratch);
  const auto connection = std::make_shared<Connection>(state, std::move(bytes), text_of(peer));
  state->connections.emplace(connection.get(), connection);
  counters.open_connections = state->connections.size();
  connection->start();
}

void Server::Impl::refuse(tcp::socket socket) {
  ++state->metrics.counters.refused_connections;
  if (tls) return;
  const Response response = error_response(503, "this server has as many connections as it may");
  const std::string text = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {}\r\nRetry-After: 1\r\n"
      "Connection: close\r\n\r\n{}",
      response.body.size(), response.body);
  Error ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
  // Reading what came already keeps the system from answering it with a reset, which would take the answer away.
  char request[4096];
  socket.read_some(asio::buffer(request), ignored);
}

/// Looks at all connections a few times in the shortest limit.
void Server::Impl::watch() {
  const Limits& l = state->options.limits;
  const auto shortest = std::min(
      {l.header_time, l.body_time, l.idle_time, l.write_time, l.handshake_time, std::chrono::milliseconds(4000)});
  const auto pause = std::max(shortest / 4, std::chrono::milliseconds(10));
  watch_timer = state->loop.after(pause, [self = shared_from_this()] {
    std::vector<std::shared_ptr<Connection>> all;
    all.reserve(self->state->connections.size());
    for (const auto& [unused, connection] : self->state->connections) all.push_back(connection);
    const auto now = Connection::Clock::now();
    for (const auto& connection : all) connection->check_time(now);
    self->watch();
  });
}

std::uint16_t Server::port() const {
  Error error;
  const tcp::endpoint endpoint = impl_->acceptor.local_endpoint(error);
  return error ? 0 : endpoint.port();
}

void Server::drain(std::function<void()> done) {
  Impl& impl = *impl_;
  if (impl.state->draining) return;
  impl.state->draining = true;
  impl.drained = std::move(done);
  Error ignored;
  impl.acceptor.close(ignored);
  const auto all = impl.state->connections;
  for (const auto& [unused, connection] : all) connection->drain();
  const auto self = impl_;
  impl.state->on_closed = [weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto there = weak.lock()) there->finish_drain(true);
  };
  impl.drain_timer = impl.state->loop.after(impl.state->options.drain_time, [self] { self->finish_drain(false); });
  impl.state->loop.post([self] { self->finish_drain(true); });
}

void Server::Impl::finish_drain(bool in_time) {
  if (!drained || (in_time && !state->connections.empty())) return;
  state->on_closed = nullptr;
  drain_timer.cancel();
  watch_timer.cancel();
  const auto all = state->connections;
  for (const auto& [unused, connection] : all) connection->close();
  std::exchange(drained, nullptr)();
}

bool Server::draining() const { return impl_->state->draining; }

Counters Server::counters() const { return impl_->state->metrics.counters; }

void Server::write_metrics(MetricsText& text) const { impl_->state->metrics.write(text); }

}  // namespace hearth::server
