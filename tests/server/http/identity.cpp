// Tests of who asks: keys in both headers, 401 for all else, and that no key is ever in the log.
#include <gtest/gtest.h>

#include "server/http/connection.h"
#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using test::Answer;
using test::Client;
using test::RunningServer;

ServerOptions with_key(const std::string& key) {
  ServerOptions options;
  options.keys = Keys::parse(keys_line("ann", key));
  return options;
}

TEST(Identity, AKeyInEitherHeaderNamesItsOwner) {
  const std::string key = new_key();
  RunningServer server(with_key(key));
  Client client(server.port());
  EXPECT_EQ(client.post("/echo", "x", "X-API-Key: " + key + "\r\n").body, "ann:x");
  EXPECT_EQ(client.post("/echo", "x", "Authorization: bearer " + key + "\r\n").body, "ann:x");
  client.send("POST /echo HTTP/1.1\r\nHost: example.com\r\nX-Api-Key: " + key + "\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(client.answer().body, "ann:x") << "with keys any Host may be asked for";
}

TEST(Identity, OpenRoutesKnowWhoAsksToo) {
  const std::string key = new_key(), other = new_key();
  ServerOptions options;
  options.keys = Keys::parse(keys_line("ann", key) + "\n" + keys_line("bo", other));
  RunningServer server(options, [](Router& router) {
    router.add(
        "GET", "/open", [](Request r, Respond respond) { respond(json_response("[" + r.owner + "]")); }, Access::open);
  });
  Client client(server.port());
  EXPECT_EQ(client.get("/open").body, "[]");
  EXPECT_EQ(client.get("/open", "X-API-Key: " + key + "\r\n").body, "[ann]");
  EXPECT_EQ(client.get("/open", "X-API-Key: " + other + "\r\n").body, "[bo]");
}

TEST(Identity, WithoutAKeyOnlyOpenRoutesAreThere) {
  const std::string key = new_key();
  RunningServer server(with_key(key));
  Client client(server.port());
  for (const std::string& headers :
       {std::string(), std::string("X-API-Key: \r\n"), "X-API-Key: " + new_key() + "\r\n",
        "X-API-Key: " + key + "x\r\n", "Authorization: Basic " + key + "\r\n", "Authorization: " + key + "\r\n"}) {
    const Answer answer = client.post("/echo", "x", headers);
    EXPECT_EQ(answer.status, 401) << headers;
    EXPECT_EQ(answer.body.substr(0, 11), "{\"detail\":\"");
    EXPECT_EQ(answer.header("www-authenticate"), "Bearer");
    EXPECT_EQ(client.post("/nothing", "x", headers).status, 401) << "which paths there are is not told either";
  }
  EXPECT_EQ(client.get("/ping").status, 200);
  EXPECT_EQ(client.get("/nothing", "X-API-Key: " + key + "\r\n").status, 404);
  client.request("POST", "/echo", "X-API-Key: " + key + "\r\nX-API-Key: " + key + "\r\n", "x");
  EXPECT_EQ(client.answer().status, 400) << "two keys";
}

TEST(Identity, ABodyWithoutAKeyIsNotKept) {
  RunningServer server(with_key(new_key()));
  Client client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n" + std::string(1 << 20, 'x'));
  EXPECT_EQ(client.answer().status, 401) << "before it was sent";
}

TEST(Identity, KeysAreNeverInTheLog) {
  const std::string key = new_key(), wrong = new_key();
  testing::internal::CaptureStderr();
  {
    RunningServer server(with_key(key));
    set_log_level(LogLevel::debug);
    Client client(server.port());
    for (const std::string& one : {key, wrong}) {
      client.post("/echo", one, "X-API-Key: " + one + "\r\n");
      client.post("/echo", "x", "Authorization: Bearer " + one + "\r\n");
      client.get("/nothing?api_key=" + one, "X-API-Key: " + one + "\r\n");
      client.get("/ping?key=" + one, "Cookie: key=" + one + "\r\n");
      Client(server.port()).send("GET /ping HTTP/1.1\r\nX-API-Key: " + one + "\r\nX-API-Key: " + one + "\r\n\r\n");
    }
    client.get("/ping");
    set_log_level(LogLevel::off);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("owner=ann"), std::string::npos) << log;
  EXPECT_NE(log.find("status=401"), std::string::npos) << log;
  for (const std::string& one : {key, wrong}) {
    EXPECT_EQ(log.find(one), std::string::npos);
    EXPECT_EQ(log.find(one.substr(4, 20)), std::string::npos) << "nor a part of it";
  }
}

TEST(Identity, VersionsOfClientsAreShort) {
  Request request;
  request.headers = {{"User-Agent", "AsyncTinker/Python 0.38.0"}};
  EXPECT_EQ(client_version(request), "0.38.0");
  request.headers.emplace_back("X-Stainless-Package-Version", std::string(5000, '9'));
  EXPECT_EQ(client_version(request).size(), 64u);
}

}  // namespace
}  // namespace hearth::server
