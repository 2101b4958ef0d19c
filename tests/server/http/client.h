// A client of few means: a blocking socket, requests as text, answers parsed by hand. And a server to talk to.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <future>
#include <string>
#include <thread>

#include "server/http/log.h"
#include "server/http/loop.h"
#include "server/http/router.h"
#include "server/http/server.h"

namespace hearth::server {

struct Answer {
  int status = 0;  // 0: the connection ended before an answer was complete
  std::string head, body;
  std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    timeval limit{20, 0};  // a test must end
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { close(); }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), rest_(std::move(other.rest_)) {}

  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  bool connected() const { return connected_; }
  int descriptor() const { return socket_; }

  bool send(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t n = ::send(socket_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return false;
      at += static_cast<std::size_t>(n);
    }
    return true;
  }

  /// Reads one answer, by its length, its chunks, or to the connection's end.
  Answer receive(bool without_body = false) {
    Answer answer;
    std::size_t end;
    while ((end = rest_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return {};
    answer.head = rest_.substr(0, end + 2);
    rest_.erase(0, end + 4);
    const int status = std::atoi(answer.head.c_str() + 9);
    if (!without_body && status >= 200 && !read_body(&answer)) return {};
    answer.status = status;
    return answer;
  }

  /// True where the server closes the connection, and sends nothing before.
  bool ends() { return rest_.empty() && !more(); }

  Answer get(const std::string& path, const std::string& headers = "") {
    send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    return receive();
  }
  Answer post(const std::string& path, const std::string& body, const std::string& headers = "") {
    send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body);
    return receive();
  }

 private:
  bool more() {
    char bytes[16384];
    const ssize_t n = ::recv(socket_, bytes, sizeof bytes, 0);
    if (n > 0) rest_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }
  bool take(std::size_t n, std::string* out) {
    while (rest_.size() < n)
      if (!more()) return false;
    out->append(rest_, 0, n);
    rest_.erase(0, n);
    return true;
  }
  bool read_body(Answer* answer) {
    if (const std::string length = answer->header("Content-Length"); !length.empty())
      return take(std::stoul(length), &answer->body);
    if (answer->header("Transfer-Encoding") != "chunked") {
      while (more()) {
      }
      answer->body = std::exchange(rest_, "");
      return true;
    }
    while (true) {
      std::size_t end;
      while ((end = rest_.find("\r\n")) == std::string::npos)
        if (!more()) return false;
      const std::size_t size = std::stoul(rest_.substr(0, end), nullptr, 16);
      rest_.erase(0, end + 2);
      std::string line_end;
      if (!take(size, &answer->body) || !take(2, &line_end)) return false;
      if (size == 0) return true;
    }
  }

  int socket_ = -1;
  bool connected_ = false;
  std::string rest_;
};

/// A server on a free port with its loop on a thread of its own. Add routes first, then start().
class RunningServer {
 public:
  RunningServer() {
    set_log_level(LogLevel::off);
    options.bind = "127.0.0.1:0";
  }
  ~RunningServer() { stop(); }

  void start() {
    server = std::make_unique<Server>(loop, router, options);
    server->listen();
    port = server->port();
    thread_ = std::thread([this] { loop.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop.stop();
    thread_.join();
    server.reset();
  }
  /// Runs `fn` on the loop thread and waits for it.
  template <class Fn>
  auto on_loop(Fn fn) {
    std::promise<decltype(fn())> result;
    loop.post([&] { result.set_value(fn()); });
    return result.get_future().get();
  }
  /// Waits until `fn()` is true on the loop thread; false after ten seconds.
  template <class Fn>
  bool reaches(Fn fn) {
    for (int i = 0; i < 2000; ++i) {
      if (on_loop(fn)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  Loop loop;
  Router router;
  ServerOptions options;
  std::unique_ptr<Server> server;
  int port = 0;

 private:
  std::thread thread_;
};

inline void add_echo(Router& router) {
  router.add("POST", "/echo", [](Request r, Respond respond) { respond(json_response(std::move(r.body))); });
  router.add("GET", "/hello", [](Request, Respond respond) { respond(json_response("\"hello\"")); });
}

}  // namespace hearth::server
