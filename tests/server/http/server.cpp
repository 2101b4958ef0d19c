// The server over real sockets: keep-alive, pipelining, bodies, streams, files, keys, handlers that fail.
#include "server/http/server.h"

#include <filesystem>
#include <fstream>

#include "client.h"
#include "compress.h"
#include "hearth/core/error.h"
#include "server/http/metrics_text.h"

namespace hearth::server {
namespace {

TEST(Server, AnswersOneRequestAfterAnotherOnOneConnection) {
  RunningServer running;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  for (int i = 0; i < 3; ++i) {
    const Answer answer = client.post("/echo", "{\"n\":" + std::to_string(i) + "}");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "{\"n\":" + std::to_string(i) + "}");
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
  }
  EXPECT_EQ(client.post("/echo", "").status, 200);
  EXPECT_EQ(running.on_loop([&] { return running.server->counters().connections; }), 1u);
}

TEST(Server, AnswersPipelinedRequestsInTheirOrder) {
  RunningServer running;
  std::vector<Respond> waiting;
  running.router.add("GET", "/later", [&](Request, Respond respond) {
    running.loop.after(std::chrono::milliseconds(30), [respond] { respond(json_response("\"later\"")); });
  });
  add_echo(running.router);
  running.start();
  Client client(running.port);
  client.send(
      "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
      "3\r\n\r\nabc\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.receive().body, "\"later\"");
  EXPECT_EQ(client.receive().body, "abc");
  EXPECT_EQ(client.receive().body, "\"hello\"");
}

TEST(Server, TakesChunkedAndCompressedBodiesOfEverySize) {
  RunningServer running;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.receive().body, "abcde");
  std::string large;
  for (int i = 0; i < 700000; ++i) large += std::to_string(i);
  EXPECT_EQ(client.post("/echo", large).body, large);
  EXPECT_EQ(client.post("/echo", zstd_of(large), "Content-Encoding: zstd\r\n").body, large);
  EXPECT_EQ(client.post("/echo", gzip_of(large), "Content-Encoding: gzip\r\n").body, large);
}

TEST(Server, SaysContinueWhereTheClientWaitsForIt) {
  RunningServer running;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  client.send("abc");
  EXPECT_EQ(client.receive().body, "abc");
  client.send("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 404);
  EXPECT_TRUE(client.ends());
}

TEST(Server, TakesDeleteWithoutLengthHeadAndHttp10) {
  RunningServer running;
  add_echo(running.router);
  running.router.add("DELETE", "/a/{x}", [](Request r, Respond respond) { respond(json_response(r.parameters[0])); });
  running.router.add("DELETE", "/none", [](Request, Respond respond) { respond(json_response("", 204)); });
  running.start();
  Client client(running.port);
  client.send("DELETE /a/1:train:0 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n");
  EXPECT_EQ(client.receive().body, "1:train:0");
  client.send("DELETE /none HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Answer none = client.receive(true);
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.header("Content-Length"), "");
  client.send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Answer head = client.receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "7");
  EXPECT_EQ(client.get("/hello").body, "\"hello\"");
  client.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.receive().body, "\"hello\"");
  EXPECT_TRUE(client.ends());
}

TEST(Server, RefusesWithABodyAndKeepsTheConnection) {
  RunningServer running;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  EXPECT_EQ(client.post("/nowhere", "{}").body, "{\"detail\":\"no such path\"}");
  const Answer wrong = client.get("/echo");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "POST");
  EXPECT_EQ(client.get("/hello?a=%zz").status, 400);
  EXPECT_EQ(client.get("/hello").status, 200);
  client.send("nonsense\r\n\r\n");
  const Answer broken = client.receive();
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(broken.body, "");
  EXPECT_TRUE(client.ends());
}

TEST(Server, RefusesABodyThatIsTooLongWhileItIsStillBeingSent) {
  RunningServer running;
  running.options.limits.body_bytes = 1000;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" + std::string(3000000, 'x'));
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 413);
  EXPECT_NE(answer.body.find("1000 bytes"), std::string::npos);
}

TEST(Server, TellsTheClientNothingOfWhatWentWrongInside) {
  RunningServer running;
  add_echo(running.router);
  running.router.add("GET", "/defect", [](Request, Respond) { throw std::runtime_error("/secret/path"); });
  running.router.add("GET", "/disk", [](Request, Respond) { fail<IoError>("/secret/path"); });
  running.router.add("GET", "/wrong", [](Request, Respond) { fail<ValueError>("rank: must be positive: seen -1"); });
  running.router.add("GET", "/silent", [](Request, Respond) {});
  running.router.add("GET", "/twice", [](Request, Respond respond) {
    respond(json_response("1"));
    respond(json_response("2"));
  });
  running.router.add("GET", "/split", [](Request, Respond respond) {
    Response response = json_response("1");
    response.headers.emplace_back("X-Name", "a\r\nX-Evil: 1");
    respond(response);
  });
  running.start();
  Client client(running.port);
  for (const char* path : {"/defect", "/disk", "/silent"}) {
    const Answer answer = client.get(path);
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(answer.body, "{\"detail\":\"internal error\"}");
  }
  EXPECT_EQ(client.get("/wrong").status, 400);
  EXPECT_EQ(client.get("/wrong").body, "{\"detail\":\"rank: must be positive: seen -1\"}");
  EXPECT_EQ(client.get("/twice").body, "1");
  EXPECT_EQ(client.get("/split").head.find("Evil"), std::string::npos);
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Server, AnswersFromAnotherThread) {
  RunningServer running;
  std::thread worker;
  running.router.add("GET", "/work", [&](Request, Respond respond) {
    worker = std::thread([respond = std::move(respond)] { respond(json_response("\"done\"")); });
  });
  running.start();
  Client client(running.port);
  EXPECT_EQ(client.get("/work").body, "\"done\"");
  worker.join();
}

TEST(Server, StreamsPiecesAndNoticesThatTheClientIsGone) {
  RunningServer running;
  std::unique_ptr<StreamWriter> stream;
  bool gone = false;
  running.router.add("GET", "/stream", [&](Request, Respond respond) {
    respond.on_gone([&] { gone = true; });
    Response head;
    head.content_type = "text/event-stream";
    head.body = "data: 0\n\n";
    stream = std::make_unique<StreamWriter>(respond.stream(head));
  });
  add_echo(running.router);
  running.start();
  Client client(running.port);
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(running.reaches([&] { return stream != nullptr; }));
  EXPECT_TRUE(running.on_loop([&] { return stream->write("data: 1\n\n"); }));
  running.on_loop([&] { return stream->end(), true; });
  EXPECT_EQ(client.receive().body, "data: 0\n\ndata: 1\n\n");
  EXPECT_EQ(client.get("/hello").status, 200);

  running.on_loop([&] { return stream.reset(), true; });
  client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(running.reaches([&] { return stream != nullptr; }));
  client.close();
  EXPECT_TRUE(running.reaches([&] { return gone && stream->gone(); }));
  EXPECT_FALSE(running.on_loop([&] { return stream->write("data: 2\n\n"); }));
  running.on_loop([&] { return stream.reset(), true; });
}

TEST(Server, CutsAStreamThatIsDroppedWithoutItsEnd) {
  RunningServer running;
  running.router.add("GET", "/stream", [&](Request, Respond respond) { respond.stream(json_response("{")); });
  running.start();
  Client client(running.port);
  EXPECT_EQ(client.get("/stream").status, 0);
}

TEST(Server, SendsFiles) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("hearth-http-" + std::to_string(getpid()))).string();
  std::string bytes;
  for (int i = 0; i < 300000; ++i) bytes += std::to_string(i);
  std::ofstream(path) << bytes;
  RunningServer running;
  const auto send = [](const std::string& file, bool remove) {
    return [file, remove](Request, Respond respond) {
      Response response;
      response.content_type = "application/x-tar";
      response.file = file;
      response.remove_file = remove;
      respond(response);
    };
  };
  running.router.add("GET", "/file", send(path, false));
  running.router.add("GET", "/once", send(path, true));
  running.router.add("GET", "/missing", send(path + ".missing", false));
  running.router.add("GET", "/folder", send("/tmp", false));
  running.start();
  Client client(running.port);
  EXPECT_EQ(client.get("/file").body, bytes);
  client.send("HEAD /file HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.receive(true).header("Content-Length"), std::to_string(bytes.size()));
  EXPECT_EQ(client.get("/once").body, bytes);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(client.get("/missing").status, 500);
  EXPECT_EQ(client.get("/folder").status, 500);
}

TEST(Server, AsksForKeys) {
  const std::string key = new_key(), other = new_key();
  RunningServer running;
  running.options.keys = Keys::parse(keys_line("ada", key) + "\n" + keys_line("bo", other));
  running.router.add("GET", "/who", [](Request r, Respond respond) { respond(json_response(r.owner)); });
  running.router.add(
      "GET", "/open", [](Request r, Respond respond) { respond(json_response("[" + r.owner + "]")); }, Access::open);
  running.start();
  Client client(running.port);
  EXPECT_EQ(client.get("/who", "X-API-Key: " + key + "\r\n").body, "ada");
  EXPECT_EQ(client.get("/who", "x-api-KEY: " + other + "\r\n").body, "bo");
  EXPECT_EQ(client.get("/who", "Authorization: Bearer " + key + "\r\n").body, "ada");
  for (const std::string& header : {std::string(), "X-API-Key: " + key + "x\r\n", std::string("X-API-Key: tml-\r\n"),
                                    "Authorization: Basic " + key + "\r\n"}) {
    const Answer answer = client.get("/who", header);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.header("WWW-Authenticate"), "Bearer");
    EXPECT_NE(answer.body.find("detail"), std::string::npos);
  }
  EXPECT_EQ(client.get("/nowhere").status, 401);
  EXPECT_EQ(client.get("/open").body, "[]");
  EXPECT_EQ(client.get("/open", "X-API-Key: " + key + "\r\n").body, "[ada]");
}

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

  RunningServer running;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  EXPECT_EQ(client.get("/hello", "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(client.get("/hello", "Origin: http://localhost:3000\r\n").status, 200);
  client.send("GET /hello HTTP/1.1\r\nHost: rebound.example:8000\r\n\r\n");
  EXPECT_EQ(client.receive().status, 403);
}

TEST(Server, CountsByRouteAndStatus) {
  RunningServer running;
  add_echo(running.router);
  running.start();
  Client client(running.port);
  client.get("/hello");
  client.get("/hello");
  client.get("/nowhere");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // an answer is counted after the client has it
  const std::string text = running.on_loop([&] {
    MetricsText metrics;
    running.server->write_metrics(metrics);
    return metrics.text();
  });
  EXPECT_NE(text.find("hearth_http_requests_total{route=\"GET /hello\",status=\"200\"} 2\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("hearth_http_requests_total{route=\"none\",status=\"404\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("hearth_http_request_seconds_count{route=\"GET /hello\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("hearth_http_open_connections 1\n"), std::string::npos);
}

TEST(Server, SaysThatItsAddressIsTaken) {
  RunningServer running;
  running.start();
  Loop loop;
  ServerOptions options;
  options.bind = "127.0.0.1:" + std::to_string(running.port);
  Server second(loop, running.router, options);
  EXPECT_THROW(second.listen(), IoError);
}

}  // namespace
}  // namespace hearth::server
