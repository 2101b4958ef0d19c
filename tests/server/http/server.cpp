// Tests of the server as a whole: what it refuses to be, and what it counts. Connections and answers: connection.cpp,
// exchange.cpp.
#include "server/http/server.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"
#include "server/http/metrics_text.h"
#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using test::Client;
using test::RunningServer;

TEST(Server, WithoutKeysServesThisMachinesProgramsOnly) {
  Loop loop;
  Router router;
  ServerOptions options;
  options.bind = "0.0.0.0:0";
  EXPECT_THROW(Server(loop, router, options), ValueError);
  options.keys = Keys::parse(keys_line("ada", new_key()));
  EXPECT_NO_THROW(Server(loop, router, options));
  options.tls_certificate = "cert.pem";
  EXPECT_THROW(Server(loop, router, options), ValueError);

  RunningServer server;
  Client client(server.port());
  EXPECT_EQ(client.get("/ping", "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(client.get("/ping", "Origin: http://localhost:3000\r\n").status, 200);
  client.send("GET /ping HTTP/1.1\r\nHost: rebound.example:8000\r\n\r\n");
  EXPECT_EQ(client.answer().status, 403);
}

TEST(Server, CountsByRouteAndStatus) {
  RunningServer server;
  Client client(server.port());
  client.get("/ping");
  client.get("/ping");
  client.get("/nowhere");
  // An answer is counted after the client has it.
  ASSERT_TRUE(server.eventually([](Server& s) { return s.counters().open_requests == 0; }));
  const std::string text = server.on_loop([](Server& s) {
    MetricsText metrics;
    s.write_metrics(metrics);
    return metrics.text();
  });
  EXPECT_NE(text.find("hearth_http_requests_total{route=\"GET /ping\",status=\"200\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("hearth_http_requests_total{route=\"none\",status=\"404\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("hearth_http_request_seconds_count{route=\"GET /ping\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("hearth_http_open_connections 1\n"), std::string::npos);
}

TEST(Server, SaysThatItsAddressIsTaken) {
  RunningServer first;
  Loop loop;
  Router router;
  ServerOptions options;
  options.bind = "127.0.0.1:" + std::to_string(first.port());
  Server second(loop, router, options);
  EXPECT_THROW(second.listen(), IoError);
}

}  // namespace
}  // namespace hearth::server
