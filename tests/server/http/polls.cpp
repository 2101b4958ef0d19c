// Long polls: a thousand of them wait, all are woken, none is lost. And what becomes of them when the server drains.
#include <random>

#include "client.h"
#include "server/http/open_files.h"

namespace hearth::server {
namespace {

using std::chrono::milliseconds;

/// Requests that wait until somebody answers them by number.
struct Polls {
  explicit Polls(RunningServer& running) {
    running.router.add("GET", "/poll/{id}", [this](Request r, Respond respond) {
      const int id = std::stoi(r.parameters[0]);
      respond.on_gone([this, id] { waiting.erase(id); });
      waiting.insert_or_assign(id, respond);
    });
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

void ask(Client& client, int id) {
  client.send("GET /poll/" + std::to_string(id) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

TEST(Polls, AThousandWaitAndEveryOneIsWoken) {
  RunningServer running;
  Polls polls(running);
  add_echo(running.router);
  running.start();
  constexpr int count = 1000;
  if (raise_open_files() < 2 * count + 100) GTEST_SKIP() << "this system allows too few open files";
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(running.port);
    ask(clients.back(), i);
  }
  ASSERT_TRUE(running.reaches([&] { return polls.waiting.size() == count; }));
  EXPECT_EQ(Client(running.port).get("/hello").status, 200);
  // Woken by another thread, in any order, some of them while they ask again.
  std::vector<int> order(count);
  for (int i = 0; i < count; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  for (int round = 0; round < 2; ++round) {
    std::thread waker([&] {
      for (const int id : order) running.loop.post([&, id] { polls.answer(id); });
    });
    for (int i = 0; i < count; ++i) EXPECT_EQ(clients[i].receive().body, std::to_string(i));
    waker.join();
    if (round == 1) break;
    for (int i = 0; i < count; ++i) ask(clients[i], i);
    ASSERT_TRUE(running.reaches([&] { return polls.waiting.size() == count; }));
  }
  EXPECT_EQ(running.on_loop([&] { return running.server->counters().open_requests; }), 0u);
}

TEST(Polls, AreForgottenWhenTheirClientsGo) {
  RunningServer running;
  Polls polls(running);
  running.start();
  {
    std::vector<Client> clients;
    for (int i = 0; i < 50; ++i) {
      clients.emplace_back(running.port);
      ask(clients.back(), i);
    }
    ASSERT_TRUE(running.reaches([&] { return polls.waiting.size() == 50; }));
  }
  EXPECT_TRUE(running.reaches([&] { return polls.waiting.empty(); }));
  EXPECT_TRUE(running.reaches([&] { return running.server->counters().open_connections == 0; }));
}

TEST(Drain, LetsOpenRequestsBeAnsweredAndTakesNoNewOnes) {
  RunningServer running;
  Polls polls(running);
  running.start();
  Client polling(running.port), idle(running.port), sending(running.port);
  ask(polling, 7);
  sending.send("GET /poll/8 HTTP/1.1\r\nHost:");
  ASSERT_TRUE(
      running.reaches([&] { return polls.waiting.size() == 1 && running.server->counters().open_connections == 3; }));
  bool done = false;
  running.on_loop([&] { return running.server->drain([&] { done = true; }), true; });
  EXPECT_TRUE(idle.ends());
  EXPECT_FALSE(Client(running.port).connected());
  EXPECT_FALSE(running.on_loop([&] { return done; }));
  sending.send(" localhost\r\n\r\n");
  ASSERT_TRUE(running.reaches([&] { return polls.waiting.size() == 2; }));
  running.on_loop([&] { return polls.answer(7), polls.answer(8), true; });
  const Answer answer = polling.receive();
  EXPECT_EQ(answer.body, "7");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(sending.receive().body, "8");
  polling.close();
  sending.close();
  EXPECT_TRUE(running.reaches([&] { return done; }));
}

TEST(Drain, CutsWhatIsNotAnsweredInTime) {
  RunningServer running;
  running.options.drain_time = milliseconds(200);
  Polls polls(running);
  running.start();
  Client polling(running.port);
  ask(polling, 7);
  ASSERT_TRUE(running.reaches([&] { return polls.waiting.size() == 1; }));
  bool done = false;
  running.on_loop([&] { return running.server->drain([&] { done = true; }), true; });
  EXPECT_TRUE(running.reaches([&] { return done; }));
  EXPECT_EQ(polling.receive().status, 0);
  EXPECT_TRUE(running.on_loop([&] { return polls.waiting.empty(); }));
}

}  // namespace
}  // namespace hearth::server
