// Connections, from an answer to bytes.
#include <fmt/format.h>

#include <utility>

#include "server/http/connection.h"
#include "server/http/log.h"

namespace hearth::server {

namespace {
/// Answers that this server makes and clients' text may be in: no header may hold what begins another one.
bool is_header(const std::string& name, const std::string& value) {
  for (const std::string* text : {&name, &value})
    for (const char c : *text)
      if (static_cast<unsigned char>(c) < ' ' || c == 127) return false;
  return !name.empty();
}

bool has_no_body(int status) { return status == 204 || status == 304 || status < 200; }
}  // namespace

void Connection::answer(std::uint64_t serial, Response response) {
  if (serial != serial_ || !is(Phase::handling)) return;
  send(std::move(response));
}

std::string Connection::head_of(const Response& response, const std::string& framing) {
  const bool keep = record_.keep_alive && !close_after_ && !server_->draining;
  close_after_ = !keep;
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, status_words(response.status), server_->date());
  if (!has_no_body(response.status)) head += fmt::format("Content-Type: {}\r\n{}", response.content_type, framing);
  for (const auto& [name, value] : response.headers)
    if (is_header(name, value)) head += fmt::format("{}: {}\r\n", name, value);
  if (!keep)
    head += "Connection: close\r\n";
  else if (record_.http_1_0)
    head += "Connection: keep-alive\r\n";
  return head + "\r\n";
}

void Connection::send(Response response) {
  if (!response.file.empty() && !file_.open(response.file, response.remove_file)) {
    LogLine(LogLevel::error, "unreadable-file").field("file", response.file);
    response = error_response(500, "internal error");
  }
  const bool with_file = !response.file.empty();
  if (response.status >= 400 && response.body.empty() && !with_file) {
    Response standard = error_response(response.status, status_words(response.status));
    response.body = std::move(standard.body);
    response.content_type = std::move(standard.content_type);
  }
  record_.status = response.status;
  enter(Phase::writing);
  const std::uint64_t length = with_file ? file_.size() : response.body.size();
  output_.push(head_of(response, fmt::format("Content-Length: {}\r\n", length)));
  const bool without_body = record_.head || has_no_body(response.status);
  if (without_body)
    file_ = FileBody();
  else
    output_.push(std::move(response.body));
  flush();
}

void Connection::begin_stream(std::uint64_t serial, Response head) {
  if (serial != serial_ || !is(Phase::handling)) return;
  record_.status = head.status;
  if (record_.http_1_0) close_after_ = true;
  enter(Phase::streaming);
  output_.push(head_of(head, record_.http_1_0 ? "" : "Transfer-Encoding: chunked\r\n"));
  if (!write_stream(serial, head.body)) return;
  flush();
}

bool Connection::write_stream(std::uint64_t serial, std::string_view piece) {
  if (serial != serial_ || !streams()) return false;
  if (piece.empty() || record_.head) return true;
  if (record_.http_1_0)
    output_.push(std::string(piece));
  else
    output_.push(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
  if (output_.size() > server_->options.limits.stream_bytes) {
    close();
    return false;
  }
  flush();
  return true;
}

void Connection::end_stream(std::uint64_t serial) {
  if (serial != serial_ || !streams()) return;
  enter(Phase::writing);
  if (!record_.http_1_0 && !record_.head) output_.push("0\r\n\r\n");
  flush();
}

void Connection::abandon(std::uint64_t serial) {
  if (serial != serial_) return;
  if (streams()) return close();
  if (!is(Phase::handling)) return;
  LogLine(LogLevel::error, "unanswered").field("route", record_.route->pattern);
  send(error_response(500, "internal error"));
}

void Connection::on_gone(std::uint64_t serial, std::function<void()> fn) {
  if (waits_for(serial)) return gone_.push_back(std::move(fn));
  if (serial == serial_ && is(Phase::closed)) fn();
}

void Connection::flush() {
  if (writing_ || is(Phase::closed)) return;
  if (output_.empty() && !refill()) {
    if (is(Phase::writing)) finish_request();
    return;
  }
  writing_ = true;
  progress_ = Clock::now();
  socket_->write_some(output_.next(),
                      [self = shared_from_this()](Error error, std::size_t n) { self->on_written(error, n); });
}

void Connection::on_written(Error error, std::size_t bytes) {
  writing_ = false;
  if (is(Phase::closed)) return;
  if (error) return close();
  record_.bytes_out += bytes;
  server_->metrics.counters.bytes_out += bytes;
  output_.consume(bytes);
  flush();
}

/// Puts the file's next piece into the output. False where there is none.
bool Connection::refill() {
  if (!is(Phase::writing) || file_.done()) return false;
  std::string piece = file_.next();
  if (piece.empty()) {
    // The length was promised already: only a connection that breaks tells the client.
    LogLine(LogLevel::error, "unreadable-file").field("route", record_.route ? record_.route->pattern : "");
    close();
    return false;
  }
  output_.push(std::move(piece));
  return true;
}

void Connection::finish_request() {
  record(record_.status);
  gone_.clear();
  file_ = FileBody();
  // Whatever comes for this request from now on is not for the next one.
  ++serial_;
  if (close_after_ || server_->draining) return linger();
  enter(Phase::idle);
  const std::string input = std::exchange(input_, {});
  if (!input.empty()) take_input(input);
  read();
}

void Connection::record(int status) {
  const std::string route = record_.route ? record_.route->method + " " + record_.route->pattern : "none";
  const double seconds = std::chrono::duration<double>(Clock::now() - record_.begin).count();
  server_->metrics.finished(route, status, seconds, record_.counted);
  if (std::exchange(record_.counted, false)) {
    --server_->metrics.counters.open_requests;
    const auto open = server_->open_requests.find(record_.owner);
    if (open != server_->open_requests.end() && --open->second == 0) server_->open_requests.erase(open);
  }
  const bool quiet = record_.route && record_.route->options.quiet && status < 500;
  const LogLevel level = status >= 500 ? LogLevel::error : quiet ? LogLevel::debug : LogLevel::info;
  if (!is_logged(level)) return;
  LogLine line(level, "request");
  line.field("method", record_.method).field("route", record_.route ? record_.route->pattern : "none");
  // The path of a request that no route takes is what somebody looks for in the log.
  if (!record_.route) line.field("path", record_.path);
  line.field("status", status).milliseconds("ms", seconds * 1000).field("owner", record_.owner);
  line.field("sdk", record_.sdk).field("peer", peer_);
  line.field("in", int64_t(record_.bytes_in)).field("out", int64_t(record_.bytes_out));
}

/// The client may still be sending what was refused: closing now would take the answer from it.
void Connection::linger() {
  enter(Phase::lingering);
  std::string().swap(input_);
  if (ended_) return close();
  socket_->shutdown_send(shared_from_this());
  read();
}

}  // namespace hearth::server
