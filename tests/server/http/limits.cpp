// Limits one by one: connections, open requests, slow clients of every kind.
#include "server/http/limits.h"

#include "client.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;

/// Seconds until `fn` returns.
template <class Fn>
double seconds_of(Fn fn) {
  const auto begin = std::chrono::steady_clock::now();
  fn();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

TEST(Limits, RefusesConnectionsBeyondTheLimitAndTakesThemAgainLater) {
  RunningServer running;
  running.options.limits.connections = 2;
  add_echo(running.router);
  running.start();
  Client first(running.port);
  {
    Client second(running.port);
    EXPECT_EQ(first.get("/hello").status, 200);
    EXPECT_EQ(second.get("/hello").status, 200);
    Client third(running.port);
    const Answer refused = third.receive();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
  }
  EXPECT_TRUE(running.reaches([&] { return running.server->counters().open_connections == 1; }));
  EXPECT_EQ(Client(running.port).get("/hello").status, 200);
}

TEST(Limits, LetsAnOwnerHaveSoManyRequestsOpen) {
  const std::string key = "X-API-Key: " + new_key() + "\r\n", other = "X-API-Key: " + new_key() + "\r\n";
  RunningServer running;
  running.options.limits.requests_per_owner = 2;
  running.options.keys =
      Keys::parse(keys_line("ada", key.substr(11, 47)) + "\n" + keys_line("bo", other.substr(11, 47)));
  add_echo(running.router);
  std::vector<Respond> waiting;
  running.router.add("GET", "/poll", [&](Request, Respond respond) { waiting.push_back(respond); });
  running.start();
  Client a(running.port), b(running.port), c(running.port), d(running.port);
  for (Client* client : {&a, &b}) client->send("GET /poll HTTP/1.1\r\nHost: localhost\r\n" + key + "\r\n");
  EXPECT_TRUE(running.reaches([&] { return waiting.size() == 2; }));
  const Answer busy = c.get("/hello", key);
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.header("Retry-After"), "1");
  EXPECT_EQ(d.get("/hello", other).status, 200);
  running.on_loop([&] { return waiting[0](json_response("1")), true; });
  EXPECT_EQ(a.receive().status, 200);
  EXPECT_EQ(c.get("/hello", key).status, 200);
  b.close();
  EXPECT_TRUE(running.reaches([&] { return running.server->counters().open_requests == 0; }));
  running.on_loop([&] { return waiting.clear(), true; });
}

TEST(Limits, EndsHeadersThatDribble) {
  RunningServer running;
  running.options.limits.header_time = milliseconds(200);
  add_echo(running.router);
  running.start();
  Client slow(running.port), quick(running.port);
  const double seconds = seconds_of([&] {
    slow.send("GET /hello HTTP/1.1\r\n");
    for (int i = 0; i < 200 && running.on_loop([&] { return running.server->counters().requests; }) == 0; ++i) {
      slow.send("X: y\r\n");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_LT(seconds, 1.5);
  EXPECT_EQ(slow.receive().status, 408);
  EXPECT_EQ(quick.get("/hello").status, 200);
}

TEST(Limits, EndsBodiesThatDribbleButNotThoseThatFlow) {
  RunningServer running;
  running.options.limits.body_time = milliseconds(300);
  running.options.limits.body_rate = 1000;
  add_echo(running.router);
  running.start();
  Client slow(running.port), flowing(running.port);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
  slow.send(head + "100000\r\n\r\nx");
  EXPECT_EQ(slow.receive().status, 408);
  flowing.send(head + "2000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    flowing.send(std::string(200, 'x'));
    std::this_thread::sleep_for(milliseconds(60));
  }
  EXPECT_EQ(flowing.receive().body.size(), 2000u);
}

TEST(Limits, ClosesIdleConnectionsButNotThoseThatWaitForTheirAnswer) {
  RunningServer running;
  running.options.limits.idle_time = milliseconds(150);
  running.router.add("GET", "/poll", [&](Request, Respond respond) {
    running.loop.after(milliseconds(600), [respond] { respond(json_response("1")); });
  });
  running.start();
  Client idle(running.port), polling(running.port);
  polling.send("GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_LT(seconds_of([&] { EXPECT_TRUE(idle.ends()); }), 0.55);
  EXPECT_EQ(polling.receive().status, 200);
  EXPECT_TRUE(polling.ends());
}

TEST(Limits, GivesUpAClientThatDoesNotReadItsAnswer) {
  RunningServer running;
  running.options.limits.write_time = milliseconds(300);
  running.router.add("GET", "/large",
                     [](Request, Respond respond) { respond(json_response(std::string(64 << 20, 'x'))); });
  running.start();
  Client client(running.port);
  client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(running.reaches([&] { return running.server->counters().open_requests == 1; }));
  EXPECT_TRUE(running.reaches([&] { return running.server->counters().open_connections == 0; }));
}

TEST(Limits, CutsAStreamWhoseClientReadsTooSlowly) {
  RunningServer running;
  running.options.limits.stream_bytes = 1 << 20;
  std::unique_ptr<StreamWriter> stream;
  running.router.add("GET", "/stream", [&](Request, Respond respond) {
    stream = std::make_unique<StreamWriter>(respond.stream(Response{}));
  });
  running.start();
  Client client(running.port);
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(running.reaches([&] { return stream != nullptr; }));
  EXPECT_TRUE(running.reaches([&] { return !stream->write(std::string(100000, 'x')); }));
  EXPECT_TRUE(running.on_loop([&] { return stream->gone(); }));
  running.on_loop([&] { return stream.reset(), true; });
}

TEST(Limits, ReceivesSoManyBytesAtATime) {
  RunningServer running;
  running.options.limits.receiving_bytes = 100000;
  add_echo(running.router);
  running.start();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n";
  Client first(running.port), second(running.port);
  first.send(head + std::string(80000, 'x'));
  EXPECT_TRUE(running.reaches([&] { return running.server->counters().bytes_in >= 80000; }));
  second.send(head + std::string(80000, 'x'));
  EXPECT_EQ(second.receive().status, 503);
  first.send(std::string(10000, 'x'));
  EXPECT_EQ(first.receive().status, 200);
}

TEST(Limits, KeepsFewBytesOfRequestsThatComeBeforeTheirTurn) {
  RunningServer running;
  std::vector<Respond> waiting;
  running.router.add("GET", "/poll", [&](Request, Respond respond) { waiting.push_back(respond); });
  add_echo(running.router);
  running.start();
  Client client(running.port);
  std::string text = "GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n";
  constexpr int pipelined = 20000;
  std::thread sender([&] {
    for (int i = 0; i < pipelined; ++i) text += "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(text);
  });
  EXPECT_TRUE(running.reaches([&] { return waiting.size() == 1; }));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LE(running.on_loop([&] { return running.server->counters().bytes_in; }), 200000u);
  running.on_loop([&] { return waiting[0](json_response("1")), waiting.clear(), true; });
  int answered = 0;
  for (int i = 0; i <= pipelined; ++i) answered += client.receive().status == 200;
  EXPECT_EQ(answered, pipelined + 1);
  sender.join();
}

}  // namespace
}  // namespace hearth::server
