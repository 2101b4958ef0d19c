// Tests of answers that come later: from other threads, as streams, never, and for clients that are gone.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "hearth/core/error.h"
#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::Client;
using test::RunningServer;

/// Streams that the test writes to: GET /stream.
struct Streams {
  std::vector<StreamWriter> open;
  std::atomic<int> gone{0};

  std::function<void(Router&)> routes() {
    return [this](Router& router) {
      router.add("GET", "/stream", [this](Request, Respond respond) {
        respond.on_gone([this] { ++gone; });
        Response head;
        head.content_type = "text/event-stream";
        head.body = "first";
        open.push_back(respond.stream(std::move(head)));
      });
    };
  }
};

TEST(Exchange, StreamsComePieceByPiece) {
  Streams streams;
  RunningServer server({}, streams.routes());
  Client client(server.port());
  client.request("GET", "/stream");
  EXPECT_EQ(client.head(), 200);
  EXPECT_EQ(client.chunk(), "first");
  server.on_loop([&](Server&) { return streams.open[0].write("second"); });
  EXPECT_EQ(client.chunk(), "second");
  server.on_loop([&](Server&) {
    streams.open[0].write("");
    streams.open[0].write("third");
    streams.open[0].end();
    EXPECT_FALSE(streams.open[0].write("late"));
    streams.open.clear();
  });
  EXPECT_EQ(client.chunk(), "third");
  EXPECT_EQ(client.chunk(), "");
  EXPECT_EQ(client.get("/ping").status, 200) << "the connection goes on";
  EXPECT_EQ(streams.gone, 0);
}

TEST(Exchange, AStreamNoticesThatItsClientIsGone) {
  Streams streams;
  RunningServer server({}, streams.routes());
  {
    Client client(server.port());
    client.request("GET", "/stream");
    EXPECT_EQ(client.head(), 200);
  }
  EXPECT_TRUE(server.eventually([&](Server&) { return streams.gone == 1; })) << "without writing anything";
  server.on_loop([&](Server&) {
    EXPECT_TRUE(streams.open[0].gone());
    EXPECT_FALSE(streams.open[0].write("x"));
    streams.open[0].end();
    streams.open.clear();
  });
}

TEST(Exchange, AStreamThatNobodyEndsIsCut) {
  Streams streams;
  RunningServer server({}, streams.routes());
  Client client(server.port());
  client.request("GET", "/stream");
  EXPECT_EQ(client.head(), 200);
  EXPECT_EQ(client.chunk(), "first");
  server.on_loop([&](Server&) { streams.open.clear(); });
  EXPECT_TRUE(client.closed()) << "no last chunk: the client sees that something is missing";
}

TEST(Exchange, AStreamWhoseClientReadsNothingIsCut) {
  Streams streams;
  ServerOptions options;
  options.limits.stream_bytes = 1 << 20;
  RunningServer server(options, streams.routes());
  Client client(server.port());
  client.request("GET", "/stream");
  EXPECT_EQ(client.head(), 200);
  server.on_loop([&](Server&) {
    const std::string piece(100000, 'x');
    int written = 0;
    while (written < 1000 && streams.open[0].write(piece)) ++written;
    EXPECT_LT(written, 1000);
    EXPECT_TRUE(streams.open[0].gone());
    streams.open.clear();
  });
}

TEST(Exchange, OldClientsGetStreamsWithoutChunks) {
  Streams streams;
  RunningServer server({}, streams.routes());
  Client client(server.port());
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.head(), 200);
  server.on_loop([&](Server&) {
    streams.open[0].end();
    streams.open.clear();
  });
  EXPECT_FALSE(client.closed()) << "the text comes";
}

TEST(Exchange, APollNoticesThatItsClientIsGone) {
  std::atomic<int> gone{0};
  std::vector<Respond> held;
  RunningServer server({}, [&](Router& router) {
    router.add("GET", "/hold", [&](Request, Respond respond) {
      respond.on_gone([&] { ++gone; });
      held.push_back(std::move(respond));
    });
  });
  { Client(server.port()).request("GET", "/hold"); }
  EXPECT_TRUE(server.eventually([&](Server&) { return gone == 1; }));
  server.on_loop([&](Server&) {
    EXPECT_TRUE(held[0].gone());
    held[0](json_response("nobody hears this"));
    held.clear();
  });
  EXPECT_EQ(server.counters().open_requests, 0u);
  EXPECT_EQ(Client(server.port()).get("/ping").status, 200);
}

TEST(Exchange, OnlyTheFirstAnswerCountsAndOneIsAlwaysGiven) {
  std::vector<Respond> held;
  RunningServer server({}, [&](Router& router) {
    router.add("GET", "/twice", [](Request, Respond respond) {
      respond(json_response("1"));
      respond(json_response("2"));
    });
    router.add("GET", "/keep", [&](Request, Respond respond) {
      held.push_back(respond);
      respond(json_response("kept"));
    });
    router.add("GET", "/never", [](Request, Respond) {});
    router.add("GET", "/value", [](Request, Respond) { fail<ValueError>("rank: must be positive"); });
    router.add("GET", "/disk", [](Request, Respond) { fail<IoError>("/secret/place: broken"); });
    router.add("GET", "/defect", [](Request, Respond) { throw std::runtime_error("/secret/place"); });
    router.add("GET", "/nothing", [](Request, Respond respond) { respond(json_response("", 204)); });
    router.add("GET", "/empty", [](Request, Respond respond) { respond(json_response("", 418)); });
    router.add("GET", "/header", [](Request, Respond respond) {
      Response response = json_response("x");
      response.headers = {{"X-A", "b\r\nSet-Cookie: c"}, {"X-B", "fine"}};
      respond(std::move(response));
    });
  });
  Client client(server.port());
  EXPECT_EQ(client.get("/twice").body, "1");
  EXPECT_EQ(client.get("/keep").body, "kept");
  server.on_loop([&](Server&) {
    held[0](json_response("for a request that is over"));
    held.clear();
  });
  EXPECT_EQ(client.get("/ping").body, "{}") << "an old answer does not reach the next request";
  EXPECT_EQ(client.get("/never").status, 500);
  const Answer value = client.get("/value"), disk = client.get("/disk"), header = client.get("/header");
  EXPECT_EQ(value.status, 400);
  EXPECT_NE(value.body.find("rank: must be positive"), std::string::npos);
  EXPECT_EQ(disk.status, 500);
  EXPECT_EQ(disk.body.find("secret"), std::string::npos) << "what is ours is in the log only";
  const Answer defect = client.get("/defect"), nothing = client.get("/nothing");
  EXPECT_EQ(defect.status, 500);
  EXPECT_EQ(defect.body, disk.body);
  EXPECT_EQ(nothing.status, 204);
  EXPECT_EQ(nothing.header("content-length"), "") << "204 has none";
  EXPECT_NE(client.get("/empty").body, "") << "every error has a body";
  EXPECT_EQ(header.headers.size(), 4u) << "a value that would begin another header is dropped";
  EXPECT_EQ(header.header("x-b"), "fine");
}

TEST(Exchange, AnswersMayComeFromOtherThreads) {
  std::vector<std::thread> threads;
  RunningServer server({}, [&](Router& router) {
    router.add("GET", "/thread", [&](Request, Respond respond) {
      threads.emplace_back([respond = std::move(respond)] { respond(json_response("from afar")); });
    });
  });
  Client client(server.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.get("/thread").body, "from afar");
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hearth::server
