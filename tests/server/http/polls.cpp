// Long polls: a thousand of them wait, all are woken, none is lost. And what becomes of them when the server drains.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "server/http/open_files.h"
#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::Client;
using test::RunningServer;

/// Requests that wait until somebody answers them by number.
struct Polls {
  std::function<void(Router&)> routes() {
    return [this](Router& router) {
      router.add("GET", "/poll/{id}", [this](Request r, Respond respond) {
        const int id = std::stoi(r.parameters[0]);
        respond.on_gone([this, id] { waiting.erase(id); });
        waiting.insert_or_assign(id, respond);
      });
    };
  }
  void answer(int id) {
    const auto found = waiting.find(id);
    if (found == waiting.end()) return;
    const Respond respond = found->second;
    waiting.erase(found);
    respond(json_response(std::to_string(id)));
  }
  std::map<int, Respond> waiting;
};

void ask(Client& client, int id) { client.request("GET", "/poll/" + std::to_string(id)); }

TEST(Polls, AThousandWaitAndEveryOneIsWoken) {
  Polls polls;
  RunningServer server({}, polls.routes());
  constexpr int count = 1000;
  if (raise_open_files() < 2 * count + 100) GTEST_SKIP() << "this system allows too few open files";
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(server.port());
    ask(clients.back(), i);
  }
  ASSERT_TRUE(server.eventually([&](Server&) { return polls.waiting.size() == count; }));
  EXPECT_EQ(Client(server.port()).get("/ping").status, 200);
  // Woken by another thread, in any order, some of them while they ask again.
  std::vector<int> order(count);
  for (int i = 0; i < count; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  for (int round = 0; round < 2; ++round) {
    std::thread waker([&] {
      for (const int id : order) server.loop().post([&, id] { polls.answer(id); });
    });
    for (int i = 0; i < count; ++i) EXPECT_EQ(clients[i].answer().body, std::to_string(i));
    waker.join();
    if (round == 1) break;
    for (int i = 0; i < count; ++i) ask(clients[i], i);
    ASSERT_TRUE(server.eventually([&](Server&) { return polls.waiting.size() == count; }));
  }
  EXPECT_EQ(server.counters().open_requests, 0u);
}

TEST(Polls, AreForgottenWhenTheirClientsGo) {
  Polls polls;
  RunningServer server({}, polls.routes());
  {
    std::vector<Client> clients;
    for (int i = 0; i < 50; ++i) {
      clients.emplace_back(server.port());
      ask(clients.back(), i);
    }
    ASSERT_TRUE(server.eventually([&](Server&) { return polls.waiting.size() == 50; }));
  }
  EXPECT_TRUE(server.eventually([&](Server&) { return polls.waiting.empty(); }));
  EXPECT_TRUE(server.eventually([](Server& s) { return s.counters().open_connections == 0; }));
}

TEST(Drain, LetsOpenRequestsBeAnsweredAndTakesNoNewOnes) {
  Polls polls;
  RunningServer server({}, polls.routes());
  Client polling(server.port()), idle(server.port()), sending(server.port());
  ask(polling, 7);
  sending.send("GET /poll/8 HTTP/1.1\r\nHost:");
  ASSERT_TRUE(
      server.eventually([&](Server& s) { return polls.waiting.size() == 1 && s.counters().open_connections == 3; }));
  bool done = false;
  server.on_loop([&](Server& s) { s.drain([&] { done = true; }); });
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(test::TcpBytes(server.port()).connected());
  EXPECT_FALSE(server.on_loop([&](Server&) { return done; }));
  sending.send(" localhost\r\n\r\n");
  ASSERT_TRUE(server.eventually([&](Server&) { return polls.waiting.size() == 2; }));
  server.on_loop([&](Server&) { polls.answer(7), polls.answer(8); });
  const Answer answer = polling.answer();
  EXPECT_EQ(answer.body, "7");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(sending.answer().body, "8");
  polling.close();
  sending.close();
  EXPECT_TRUE(server.eventually([&](Server&) { return done; }));
}

TEST(Drain, CutsWhatIsNotAnsweredInTime) {
  Polls polls;
  ServerOptions options;
  options.drain_time = milliseconds(200);
  RunningServer server(options, polls.routes());
  Client polling(server.port());
  ask(polling, 7);
  ASSERT_TRUE(server.eventually([&](Server&) { return polls.waiting.size() == 1; }));
  bool done = false;
  server.on_loop([&](Server& s) { s.drain([&] { done = true; }); });
  EXPECT_TRUE(server.eventually([&](Server&) { return done; }));
  EXPECT_EQ(polling.answer().status, 0);
  EXPECT_TRUE(server.on_loop([&](Server&) { return polls.waiting.empty(); }));
}

}  // namespace
}  // namespace hearth::server
