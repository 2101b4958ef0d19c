// Client: speaks HTTP to a server byte by byte and keeps what comes as it came.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/request.h"

namespace hearth::server::test {

using std::chrono::milliseconds;

/// An answer as it came.
struct Answer {
  int status = 0;  // 0: the connection ended before one was complete
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (same_name(key, name)) return value;
    return {};
  }
};

/// Where bytes go to and come from; empty text is the end, or that nothing came in time.
struct Bytes {
  virtual ~Bytes() = default;
  virtual bool send(std::string_view text) = 0;
  virtual std::string receive(milliseconds longest) = 0;
  /// Whether receive() gave nothing because the server ended the connection.
  virtual bool ended() const = 0;
};

class TcpBytes : public Bytes {
 public:
  explicit TcpBytes(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    const timeval longest{20, 0};  // a test must end, also where it reads the socket itself
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  }
  ~TcpBytes() override { ::close(socket_); }
  bool send(std::string_view text) override {
    while (!text.empty()) {
      const ssize_t n = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  std::string receive(milliseconds longest) override {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(longest.count())) != 1) return {};
    std::string text(64 << 10, '\0');
    const ssize_t n = ::recv(socket_, text.data(), text.size(), 0);
    ended_ = n <= 0;
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  bool ended() const override { return ended_; }
  bool connected() const { return connected_; }
  int socket() const { return socket_; }

 private:
  int socket_;
  bool connected_ = false;
  bool ended_ = false;
};

class Client {
 public:
  explicit Client(std::uint16_t port) {
    auto bytes = std::make_unique<TcpBytes>(port);
    EXPECT_TRUE(bytes->connected());
    bytes_ = std::move(bytes);
  }
  explicit Client(std::unique_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}

  bool send(std::string_view text) { return bytes_->send(text); }
  /// Sends a request with the Host header that every request needs; `headers` as lines that end in \r\n.
  bool request(const std::string& method, const std::string& target, const std::string& headers = "",
               const std::string& body = "") {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return send(text + "\r\n" + body);
  }
  Answer get(const std::string& target, const std::string& headers = "") {
    request("GET", target, headers);
    return answer();
  }
  Answer post(const std::string& target, const std::string& body, const std::string& headers = "") {
    request("POST", target, headers + (body.empty() ? "Content-Length: 0\r\n" : ""), body);
    return answer();
  }
  /// The next answer; `to_head`: it has no body.
  Answer answer(bool to_head = false) {
    Answer got;
    std::string line;
    if (!read_line(&line) || line.substr(0, 9) != "HTTP/1.1 ") return {};
    got.status = std::atoi(line.c_str() + 9);
    while (read_line(&line) && !line.empty()) {
      const std::size_t colon = line.find(": ");
      got.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    if (to_head || got.status == 100 || got.status == 204) return got;
    const bool whole = got.header("Transfer-Encoding") == "chunked"
                           ? read_chunks(&got.body)
                           : read_bytes(std::strtoull(got.header("Content-Length").c_str(), nullptr, 10), &got.body);
    return whole ? got : Answer{};
  }
  /// The next piece of a chunked answer; empty at its end.
  std::string chunk() {
    std::string line, piece, end;
    if (!read_line(&line)) return {};
    read_bytes(std::strtoull(line.c_str(), nullptr, 16), &piece);
    read_line(&end);
    return piece;
  }
  /// Head of an answer whose body comes as chunks.
  int head() {
    std::string line;
    if (!read_line(&line)) return 0;
    const int status = std::atoi(line.c_str() + 9);
    while (read_line(&line) && !line.empty()) continue;
    return status;
  }
  /// Whether the server closes the connection within `longest` and sends nothing before.
  bool closed(milliseconds longest = milliseconds(5000)) {
    if (!came_.empty()) return false;
    came_ = bytes_->receive(longest);
    return came_.empty() && bytes_->ended();
  }
  bool quiet(milliseconds time) { return came_.empty() && (came_ = bytes_->receive(time)).empty() && !bytes_->ended(); }
  /// Ends the connection from this side.
  void close() { bytes_.reset(); }

 private:
  bool more() {
    const std::string piece = bytes_->receive(milliseconds(20000));
    came_ += piece;
    return !piece.empty();
  }
  bool read_line(std::string* line) {
    std::size_t end;
    while ((end = came_.find("\r\n")) == std::string::npos)
      if (!more()) return false;
    *line = came_.substr(0, end);
    came_.erase(0, end + 2);
    return true;
  }
  bool read_bytes(std::size_t n, std::string* out) {
    while (came_.size() < n)
      if (!more()) return false;
    *out += came_.substr(0, n);
    came_.erase(0, n);
    return true;
  }
  bool read_chunks(std::string* out) {
    while (true) {
      std::string line;
      if (!read_line(&line)) return false;
      const std::size_t n = std::strtoull(line.c_str(), nullptr, 16);
      if (!read_bytes(n, out) || !read_line(&line)) return false;
      if (n == 0) return true;
    }
  }

  std::unique_ptr<Bytes> bytes_;
  std::string came_;
};

}  // namespace hearth::server::test
