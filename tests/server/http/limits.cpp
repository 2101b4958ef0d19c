// Tests of limits that need several clients or time: connections, requests of one owner, pipelines, bodies that
// dribble.
#include "server/http/limits.h"

#include <gtest/gtest.h>

#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::Client;
using test::RunningServer;

TEST(Limits, ConnectionsBeyondTheLimitAreRefusedAndTakenAgainLater) {
  ServerOptions options;
  options.limits.connections = 2;
  RunningServer server(options);
  Client first(server.port());
  {
    Client second(server.port());
    EXPECT_EQ(first.get("/ping").status, 200);
    EXPECT_EQ(second.get("/ping").status, 200);
    Client third(server.port());
    const Answer refused = third.answer();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
  }
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().open_connections == 1; }));
  EXPECT_EQ(Client(server.port()).get("/ping").status, 200);
}

TEST(Limits, OneOwnersOpenRequestsDoNotHinderAnother) {
  const std::string ada = new_key(), bo = new_key();
  const std::string key = "X-API-Key: " + ada + "\r\n", other = "X-API-Key: " + bo + "\r\n";
  ServerOptions options;
  options.limits.requests_per_owner = 2;
  options.keys = Keys::parse(keys_line("ada", ada) + "\n" + keys_line("bo", bo));
  RunningServer server(options);
  Client a(server.port()), b(server.port()), c(server.port()), d(server.port());
  for (Client* client : {&a, &b}) client->request("POST", "/wait", key, "x");
  ASSERT_TRUE(server.eventually([](Server& s) { return s.counters().open_requests == 2; }));
  const Answer refused = c.post("/echo", "x", key);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(d.post("/echo", "x", other).status, 200);
  b.close();
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().open_requests == 1; }));
  EXPECT_EQ(c.post("/echo", "x", key).status, 200) << "one that is gone counts no more";
  server.release();
  EXPECT_EQ(a.answer().status, 200);
}

TEST(Limits, BodiesThatDribbleAreCutAndThoseThatFlowAreNot) {
  ServerOptions options;
  options.limits.body_time = milliseconds(300);
  options.limits.body_rate = 1000;
  RunningServer server(options);
  Client slow(server.port()), flowing(server.port());
  slow.request("POST", "/count", "Content-Length: 100000\r\n");
  slow.send("x");
  EXPECT_EQ(slow.answer().status, 408);
  flowing.request("POST", "/count", "Content-Length: 2000\r\n");
  for (int i = 0; i < 10; ++i) {
    flowing.send(std::string(200, 'x'));
    std::this_thread::sleep_for(milliseconds(60));
  }
  EXPECT_EQ(flowing.answer().body, "2000");
}

TEST(Limits, FewBytesAreKeptOfRequestsThatComeBeforeTheirTurn) {
  RunningServer server;
  Client client(server.port());
  constexpr int pipelined = 20000;
  client.request("POST", "/wait", "", "first");
  std::thread sender([&] {
    std::string text;
    for (int i = 0; i < pipelined; ++i) text += "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.send(text);
  });
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().open_requests == 1; }));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LE(server.counters().bytes_in, 200000u);
  server.release();
  EXPECT_EQ(client.answer().body, "first");
  int answered = 0;
  for (int i = 0; i < pipelined; ++i) answered += client.answer().status == 200;
  EXPECT_EQ(answered, pipelined);
  sender.join();
}

}  // namespace
}  // namespace hearth::server
