// Thousands of open long polls over real sockets: memory, the time of other requests meanwhile, and that every poll is
// answered when its result is there. Prints JSON; fails where a poll is lost. Arguments: [POLLS [REQUESTS]].
#include <arpa/inet.h>
#include <fmt/format.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hearth/core/error.h"
#include "server/engine/futures.h"
#include "server/http/log.h"
#include "server/http/loop.h"
#include "server/http/open_files.h"
#include "server/http/router.h"
#include "server/http/server.h"

using namespace hearth;
using namespace hearth::server;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Memory of this process that is in use, in bytes.
double resident() {
  std::ifstream in("/proc/self/statm");
  double all = 0, pages = 0;
  in >> all >> pages;
  return pages * double(sysconf(_SC_PAGESIZE));
}

/// The HTTP layer and the engine's futures, without models: the server's own share of a poll.
struct PollServer {
  PollServer() : futures(loop, 1 << 20, {}) {
    router.add("POST", "/poll", [this](Request request, Respond respond) {
      futures.retrieve("local", request.body, std::chrono::milliseconds(300000), [respond](Reply<FutureAnswer> reply) {
        if (std::holds_alternative<Refusal>(reply)) return respond(error_response(404, "no such future"));
        respond(json_response(std::get<FutureAnswer>(reply).bytes));
      });
    });
    router.add("POST", "/echo", [](Request request, Respond respond) { respond(json_response(request.body)); });
    router.add("POST", "/begin", [this](Request request, Respond respond) {
      for (int i = 0; i < std::atoi(request.body.c_str()); ++i) futures.begin(fmt::format("future-{}", i), "local");
      respond(json_response("{}"));
    });
    router.add("POST", "/finish", [this](Request request, Respond respond) {
      for (int i = 0; i < std::atoi(request.body.c_str()); ++i) {
        FutureAnswer answer;
        answer.state = FutureAnswer::State::done;
        answer.bytes = fmt::format("result-{}", i);
        futures.finish(fmt::format("future-{}", i), std::move(answer));
      }
      respond(json_response("{}"));
    });
    router.add("GET", "/state", [this](Request, Respond respond) {
      malloc_trim(0);
      respond(json_response(fmt::format("{} {}", futures.open_polls(), resident())));
    });
  }

  Loop loop;
  Router router;
  Futures futures;
};

/// Serves until killed, in a process of its own, so that its memory is the server's only.
[[noreturn]] void serve(int port_pipe) {
  set_log_level(LogLevel::error);
  PollServer service;
  ServerOptions options;
  options.bind = "127.0.0.1:0";
  Server server(service.loop, service.router, options);
  server.listen();
  const std::uint16_t port = server.port();
  if (write(port_pipe, &port, sizeof port) != sizeof port) _exit(1);
  service.loop.run();
  _exit(0);
}

class Peer {
 public:
  explicit Peer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check<IoError>(socket_ >= 0 && ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0,
                   "cannot connect");
  }
  Peer(Peer&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  ~Peer() {
    if (socket_ >= 0) ::close(socket_);
  }
  void ask(const char* method, const char* path, const std::string& body) {
    const std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", method,
                                         path, body.size(), body);
    check<IoError>(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == ssize_t(text.size()), "cannot send");
  }
  /// The body of the next answer, none within a minute: "(lost)".
  std::string answer() {
    std::string text;
    while (true) {
      const std::size_t end = text.find("\r\n\r\n"), at = text.find("Content-Length: ");
      if (end != std::string::npos && text.size() >= end + 4 + std::strtoul(text.c_str() + at + 16, nullptr, 10))
        return text.substr(end + 4);
      char bytes[4096];
      pollfd waiting{socket_, POLLIN, 0};
      const ssize_t n = ::poll(&waiting, 1, 60000) == 1 ? ::recv(socket_, bytes, sizeof bytes, 0) : 0;
      if (n <= 0) return "(lost)";
      text.append(bytes, static_cast<std::size_t>(n));
    }
  }
  std::string call(const char* method, const char* path, const std::string& body = "") {
    ask(method, path, body);
    return answer();
  }

 private:
  int socket_;
};

struct ServerNow {
  int64_t polls;
  double bytes;
};

ServerNow state_of(Peer& peer) {
  const std::string text = peer.call("GET", "/state");
  return {std::atoll(text.c_str()), std::atof(text.c_str() + text.find(' '))};
}

/// Median and 99th percentile of a small request's time, in milliseconds.
std::pair<double, double> times_of_requests(Peer& peer, int requests) {
  std::vector<double> times;
  for (int i = 0; i < requests; ++i) {
    const auto begin = Clock::now();
    check<IoError>(peer.call("POST", "/echo", "hello") == "hello", "a request was not answered");
    times.push_back(seconds_since(begin) * 1000);
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

int measure(std::uint16_t port, int polls, int requests) {
  Peer other(port);
  const auto [alone, alone_99] = times_of_requests(other, requests);
  const double bytes_before = state_of(other).bytes;
  other.call("POST", "/begin", std::to_string(polls));
  std::vector<Peer> peers;
  for (int i = 0; i < polls; ++i) {
    peers.emplace_back(port);
    peers.back().ask("POST", "/poll", fmt::format("future-{}", i));
  }
  while (state_of(other).polls < polls) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double bytes = state_of(other).bytes - bytes_before;
  const auto [median, late] = times_of_requests(other, requests);
  const auto begin = Clock::now();
  other.ask("POST", "/finish", std::to_string(polls));
  int lost = 0;
  for (int i = 0; i < polls; ++i) lost += peers[i].answer() != fmt::format("result-{}", i);
  const double all = seconds_since(begin);
  other.answer();
  fmt::print(
      "{{\"polls\": {}, \"lost\": {}, \"request_ms_alone\": {:.3f}, \"request_ms_alone_p99\": {:.3f}, "
      "\"request_ms\": {:.3f}, \"request_ms_p99\": {:.3f}, \"megabytes\": {:.1f}, \"bytes_per_poll\": {:.0f}, "
      "\"all_answered_seconds\": {:.3f}}}\n",
      polls, lost, alone, alone_99, median, late, bytes / 1e6, bytes / polls, all);
  return lost == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int polls = argc > 1 ? std::atoi(argv[1]) : 10000, requests = argc > 2 ? std::atoi(argv[2]) : 2000;
  if (raise_open_files() < std::size_t(polls) + 100) {
    fmt::print(stderr, "server_polls: the system gives too few descriptors for {} connections\n", polls);
    return 2;
  }
  int ends[2];
  if (pipe(ends) != 0) return 2;
  const pid_t child = fork();
  if (child == 0) serve(ends[1]);
  std::uint16_t port = 0;
  int status = 2;
  try {
    if (read(ends[0], &port, sizeof port) == sizeof port) status = measure(port, polls, requests);
  } catch (const std::exception& error) {
    fmt::print(stderr, "server_polls: {}\n", error.what());
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return status;
}
