// Tests of connections over real sockets: requests one after another and at once, limits, times, what is refused.
#include "server/http/connection.h"

#include <gtest/gtest.h>

#include "tests/server/http/compressed.h"
#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::Client;
using test::RunningServer;

ServerOptions short_times() {
  ServerOptions options;
  Limits& l = options.limits;
  l.header_time = l.body_time = l.idle_time = l.write_time = milliseconds(150);
  return options;
}

TEST(Connection, AnswersOneRequestAfterAnother) {
  RunningServer server;
  Client client(server.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.post("/echo", std::to_string(i)).body, "local:" + std::to_string(i));
  const Answer pong = client.get("/ping?x=1");
  EXPECT_EQ(pong.status, 200);
  EXPECT_EQ(pong.header("content-type"), "application/json");
  EXPECT_NE(pong.header("date").find("GMT"), std::string::npos);
  EXPECT_EQ(pong.header("connection"), "");
  EXPECT_EQ(server.counters().connections, 1u);
}

TEST(Connection, TakesWhatClientsSendWithoutABody) {
  RunningServer server;
  Client client(server.port());
  client.request("DELETE", "/things/a%3Ab");
  EXPECT_EQ(client.answer().body, "a:b") << "DELETE without a length";
  EXPECT_EQ(client.post("/count", "").body, "0") << "POST with length 0";
  client.request("POST", "/count");
  EXPECT_EQ(client.answer().status, 411) << "POST without a length could be anything";
  Client next(server.port());
  next.request("HEAD", "/ping");
  const Answer head = next.answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), "2");
  EXPECT_EQ(next.get("/ping").body, "{}") << "no body came after HEAD";
  next.request("GET", "/ping", "", "unexpected");
  EXPECT_EQ(next.answer().body, "{}");
  EXPECT_EQ(next.get("/ping").status, 200);
}

TEST(Connection, PipelinedRequestsAreAnsweredInOrder) {
  RunningServer server;
  Client client(server.port());
  std::string many;
  for (int i = 100; i < 300; ++i)
    many += "\r\nPOST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n" + std::to_string(i);
  client.send(many);
  for (int i = 100; i < 300; ++i) ASSERT_EQ(client.answer().body, "local:" + std::to_string(i));
}

TEST(Connection, ARequestThatWaitsHoldsBackThoseBehindIt) {
  RunningServer server;
  Client client(server.port());
  client.request("POST", "/wait", "", "first");
  client.request("GET", "/ping");
  ASSERT_TRUE(server.eventually([&](Server& s) { return s.counters().open_requests == 1; }));
  EXPECT_TRUE(client.quiet(milliseconds(50)));
  server.release();
  EXPECT_EQ(client.answer().body, "first");
  EXPECT_EQ(client.answer().body, "{}");
}

TEST(Connection, RequestsMayComeByteByByte) {
  RunningServer server;
  Client client(server.port());
  const std::string text =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n1;x=y\r\nc\r\n0\r\nT: u\r\n\r\n";
  for (const char c : text) client.send(std::string(1, c));
  EXPECT_EQ(client.answer().body, "local:abc");
  EXPECT_EQ(client.get("/ping").status, 200);
}

TEST(Connection, KeepAliveIsTheClientsChoice) {
  RunningServer server;
  Client closing(server.port());
  EXPECT_EQ(closing.get("/ping", "Connection: close\r\n").header("connection"), "close");
  EXPECT_TRUE(closing.closed());
  Client old(server.port());
  old.send("GET /ping HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.answer().body, "{}");
  EXPECT_TRUE(old.closed());
  Client kept(server.port());
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.answer().header("connection"), "keep-alive");
  }
}

TEST(Connection, BodiesMayBeCompressed) {
  RunningServer server;
  Client client(server.port());
  std::string text;
  for (int i = 0; i < 700000; ++i) text += std::to_string(i);
  for (const std::string encoding : {"zstd", "gzip", "identity"})
    EXPECT_TRUE(client.post("/echo", test::encoded(encoding, text), "Content-Encoding: " + encoding + "\r\n").body ==
                "local:" + text)
        << encoding;
}

TEST(Connection, EveryRefusalHasABodyAndTheNextRequestIsFine) {
  RunningServer server;
  Client client(server.port());
  const auto refused = [&](const Answer& answer, int status) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body.substr(0, 11), "{\"detail\":\"") << answer.body;
  };
  refused(client.get("/nothing"), 404);
  refused(client.post("/nothing", std::string(60000, 'x')), 404);
  const Answer method = client.get("/echo");
  refused(method, 405);
  EXPECT_EQ(method.header("allow"), "POST");
  refused(client.get("/ping?a=%zz"), 400);
  refused(client.get("/%zz"), 400);
  EXPECT_EQ(client.get("/ping").status, 200) << "on the same connection";
  refused(client.get("/ping", "Origin: http://example.com\r\n"), 403);
  client.send("GET /ping HTTP/1.1\r\nHost: example.com\r\n\r\n");
  refused(client.answer(), 403);
  refused(client.get("/../../etc/passwd"), 404);
  refused(client.get("/%2e%2e/%2e%2e/etc/passwd"), 404);
  EXPECT_EQ(client.get("/ping").status, 200);
}

TEST(Connection, BadRequestsAreAnsweredAndTheConnectionEnds) {
  RunningServer server;
  for (const std::string text :
       {"nonsense\r\n\r\n", "GET /ping HTTP/1.1\r\n\r\n", "GET /ping HTTP/1.1\r\nHost: localhost\n\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: zstd\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"}) {
    Client client(server.port());
    // What follows a request whose end is not known must not be taken for a request.
    client.send(text + "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, 400) << text;
    EXPECT_EQ(answer.header("connection"), "close") << text;
    EXPECT_TRUE(client.closed()) << text;
  }
}

TEST(Connection, HeadersAndBodiesAreLimited) {
  ServerOptions options;
  options.limits.header_bytes = 4096;
  options.limits.body_bytes = 100000;
  options.limits.decompressed_bytes = 200000;
  RunningServer server(options);
  EXPECT_EQ(Client(server.port()).get("/ping", "X: " + std::string(5000, 'x') + "\r\n").status, 431);
  EXPECT_EQ(Client(server.port()).get("/" + std::string(5000, 'x')).status, 431);
  std::string fields;
  for (int i = 0; i < 300; ++i) fields += "X-" + std::to_string(i) + ": some words\r\n";
  EXPECT_EQ(Client(server.port()).get("/ping", fields).status, 431);
  EXPECT_EQ(Client(server.port()).post("/count", std::string(100000, 'x')).body, "100000");
  const Answer refused = Client(server.port()).post("/count", std::string(100001, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("100000 bytes"), std::string::npos) << refused.body;
  // A client that sends all before it reads gets the answer too.
  EXPECT_EQ(Client(server.port()).post("/count", std::string(8 << 20, 'x')).status, 413);
  Client chunks(server.port());
  chunks.request("POST", "/count", "Transfer-Encoding: chunked\r\n");
  for (int i = 0; i < 20; ++i) chunks.send("2710\r\n" + std::string(10000, 'x') + "\r\n");
  EXPECT_EQ(chunks.answer().status, 413);
  for (const std::string encoding : {"zstd", "gzip"}) {
    const auto post = [&](std::size_t size, std::size_t cut) {
      std::string body = test::encoded(encoding, std::string(size, 'x'));
      body.resize(body.size() - cut);
      return Client(server.port()).post("/count", body, "Content-Encoding: " + encoding + "\r\n");
    };
    EXPECT_EQ(post(200000, 0).body, "200000");
    EXPECT_EQ(post(200001, 0).status, 413);
    EXPECT_EQ(post(20 << 20, 0).status, 413) << "a bomb";
    EXPECT_EQ(post(1000, 1).status, 400) << "a truncated frame";
  }
  EXPECT_EQ(Client(server.port()).post("/count", "x", "Content-Encoding: br\r\n").status, 415);
  EXPECT_EQ(Client(server.port()).get("/ping").status, 200);
}

TEST(Connection, AllBodiesTogetherAreLimited) {
  ServerOptions options;
  options.limits.receiving_bytes = 150000;
  RunningServer server(options);
  Client first(server.port());
  first.send("POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n" + std::string(100000, 'x'));
  ASSERT_TRUE(server.eventually([](Server& s) { return s.counters().bytes_in > 100000; }));
  const Answer refused = Client(server.port()).post("/count", std::string(100000, 'x'));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  first.send("x");
  EXPECT_EQ(first.answer().body, "100001") << "the one that came first is not harmed";
  EXPECT_EQ(Client(server.port()).post("/count", std::string(100000, 'x')).status, 200) << "and there is room again";
}

TEST(Connection, ClientsThatWaitForContinueAreToldSoOrRefused) {
  RunningServer server;
  Client client(server.port());
  client.request("POST", "/echo", "Expect: 100-continue\r\nContent-Length: 2\r\n");
  EXPECT_EQ(client.answer().status, 100);
  client.send("ok");
  EXPECT_EQ(client.answer().body, "local:ok");
  client.request("POST", "/nothing", "Expect: 100-continue\r\nContent-Length: 2\r\n");
  EXPECT_EQ(client.answer().status, 404);
  EXPECT_TRUE(client.closed());
}

TEST(Connection, SlowAndIdleClientsAreCutAndOthersAreServed) {
  RunningServer server(short_times());
  Client idle(server.port()), headers(server.port()), body(server.port()), drop(server.port());
  headers.send("GET /ping HTTP/1.1\r\n");
  body.request("POST", "/echo", "Content-Length: 100\r\n");
  drop.send("GET /ping HT");
  for (int i = 0; i < 8; ++i) {
    // A byte now and then does not prolong anything.
    headers.send("X: y\r\n");
    body.send("z");
    idle.send("\r\n");
    EXPECT_EQ(Client(server.port()).get("/ping").status, 200);
    std::this_thread::sleep_for(milliseconds(40));
  }
  EXPECT_EQ(headers.answer().status, 408);
  EXPECT_EQ(body.answer().status, 408);
  EXPECT_EQ(drop.answer().status, 408);
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().open_connections == 0; }));
}

TEST(Connection, ARequestThatWaitsIsNotIdle) {
  RunningServer server(short_times());
  Client client(server.port());
  client.request("POST", "/wait", "", "late");
  EXPECT_TRUE(client.quiet(milliseconds(500)));
  server.release();
  EXPECT_EQ(client.answer().body, "late");
}

TEST(Connection, AClientThatReadsNothingIsCut) {
  const std::string large(32 << 20, 'x');
  RunningServer server(short_times(), [&](Router& router) {
    router.add("GET", "/large", [&](Request, Respond respond) { respond(json_response(large)); });
  });
  Client client(server.port());
  client.request("GET", "/large");
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().requests == 1; }));
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().open_connections == 0; }));
}

}  // namespace
}  // namespace hearth::server
