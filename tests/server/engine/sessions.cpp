// Lifetimes and limits: sessions that end, models that are unloaded, gaps, quotas, owners, memory.
#include <gtest/gtest.h>

#include "server/wire/result.h"
#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {
namespace {

using namespace std::chrono_literals;
using State = FutureAnswer::State;
using Kind = CommandKind;

int status_of(const std::function<void()>& request) {
  try {
    request();
  } catch (const Refused& refused) {
    return refused.status;
  }
  return 200;
}

// Waits for what the engine does by itself.
template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

int64_t live_models(RunningEngine& engine) {
  return engine.on_loop([](Engine& e) { return e.status().models; });
}

int heartbeat(RunningEngine& engine, const std::string& session, const std::string& owner = "me") {
  const auto reply = engine.on_loop([&](Engine& e) { return e.heartbeat(owner, session); });
  return std::holds_alternative<Nothing>(reply) ? 200 : std::get<Refusal>(reply).status;
}

void finish(RunningEngine& engine, const std::string& session) {
  engine.ask<Nothing>([=](Engine& e, auto then) { e.finish_session("me", session, "success", "", then); });
}

TEST(EngineSessions, AFinishedSessionRunsWhatWasAcknowledgedAndThenFreesItsModels) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string model = engine.create(session);
  const auto pass = engine.submit(Kind::forward_backward, forward_backward_body(model, 1, test_data(1, {9})));
  const auto saved = engine.submit(Kind::save_weights, save_body(model, 2, "last"));
  const auto stuck = engine.submit(Kind::optim_step, optim_body(model, 4));  // 3 never comes
  finish(engine, session);
  EXPECT_EQ(engine.wait(pass).state, State::done);
  EXPECT_EQ(engine.wait(saved).state, State::done);
  EXPECT_EQ(engine.wait(stuck).state, State::failed);
  EXPECT_TRUE(soon([&] { return live_models(engine) == 0; }));
  EXPECT_EQ(heartbeat(engine, session), 410);
  finish(engine, session);  // a repeat is no error
  EXPECT_EQ(status_of([&] { engine.submit(Kind::optim_step, optim_body(model, 5)); }), 410);
  EXPECT_EQ(engine.submit(Kind::save_weights, save_body(model, 2, "last")), saved);
  // The checkpoint is there for another session.
  const auto loaded =
      engine.run(Kind::load_weights, load_new_body(engine.session(), 0, "tinker://" + model + "/weights/last", false));
  EXPECT_EQ(loaded.state, State::done) << loaded.error;
  EXPECT_EQ(engine.on_loop([&](Engine& e) { return std::get<ModelInfo>(e.model_info("me", model)).rank; }), 4);
}

TEST(EngineSessions, WithoutHeartbeatsASessionExpires) {
  const Folder folder;
  auto options = small_options(folder);
  options.session_grace = 1s;
  options.housekeeping = 20ms;
  RunningEngine engine(folder.store(), options);
  const std::string silent = engine.session(), beating = engine.session();
  engine.create(silent);
  engine.create(beating);
  EXPECT_TRUE(soon([&] {
    heartbeat(engine, beating);
    return heartbeat(engine, beating) == 200 && live_models(engine) == 1;
  }));
  EXPECT_EQ(heartbeat(engine, silent), 410);
  EXPECT_TRUE(soon([&] {
    return engine.on_loop([&](Engine&) { return engine.store().read().session(silent)->finish_reason; }) == "expired";
  }));
}

TEST(EngineSessions, AnUnloadedModelIsGoneAndItsRequestsSaySo) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session());
  const std::string body = R"({"model_id":")" + model + R"(","type":"unload_model"})";
  const auto pass = engine.submit(Kind::forward_backward, forward_backward_body(model, 1, test_data(1, {9})));
  const auto unload = engine.submit(Kind::unload_model, body);
  EXPECT_EQ(engine.wait(pass).state, State::done);
  const auto answer = engine.wait(unload);
  EXPECT_EQ(answer.state, State::done);
  EXPECT_NE(answer.bytes.find(model), std::string::npos);
  EXPECT_EQ(engine.submit(Kind::unload_model, body), unload);
  EXPECT_EQ(status_of([&] { engine.submit(Kind::optim_step, optim_body(model, 2)); }), 410);
  EXPECT_EQ(live_models(engine), 0);
}

TEST(EngineSessions, AGapThatNeverFillsFailsWhatWaitsAndNamesTheNumber) {
  const Folder folder;
  auto options = small_options(folder);
  options.gap_timeout = 1s;
  options.housekeeping = 20ms;
  RunningEngine engine(folder.store(), options);
  const std::string model = engine.create(engine.session());
  const auto waiting = engine.submit(Kind::optim_step, optim_body(model, 2));
  const auto answer = engine.wait(waiting);
  EXPECT_EQ(answer.state, State::failed);
  EXPECT_EQ(answer.category, "server");
  EXPECT_NE(answer.error.find("seq_id 1 "), std::string::npos) << answer.error;
  // What comes later goes on; what comes too late fails.
  EXPECT_EQ(engine.run(Kind::optim_step, optim_body(model, 3)).state, State::done);
  const auto late = engine.run(Kind::optim_step, optim_body(model, 1));
  EXPECT_EQ(late.state, State::failed);
  EXPECT_NE(late.error.find("too late"), std::string::npos) << late.error;
  EXPECT_EQ(engine.run(Kind::optim_step, optim_body(model, 4)).state, State::done);
}

TEST(EngineSessions, WhatIsAnothersDoesNotExist) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string model = engine.create(session);
  const auto saved = engine.submit(Kind::save_weights, save_body(model, 1, "a"));
  ASSERT_EQ(engine.wait(saved).state, State::done);
  const std::string path = "tinker://" + model + "/weights/a";
  EXPECT_EQ(status_of([&] { engine.submit(Kind::optim_step, optim_body(model, 2), "eve"); }), 404);
  EXPECT_EQ(status_of([&] { engine.submit(Kind::create_model, create_body(session, 1, 1), "eve"); }), 404);
  EXPECT_EQ(status_of([&] { engine.poll(saved, 0, "eve"); }), 404);
  EXPECT_EQ(heartbeat(engine, session, "eve"), 404);
  EXPECT_TRUE(engine.on_loop([&](Engine& e) { return std::holds_alternative<Refusal>(e.weights_info("eve", path)); }));
  const std::string hers = engine.session("eve");
  const auto taken = engine.run(Kind::load_weights, load_new_body(hers, 0, path, false), "eve");
  EXPECT_EQ(taken.state, State::failed);
  EXPECT_NE(taken.error.find("no such checkpoint"), std::string::npos) << taken.error;
  engine.ask<Nothing>([=](Engine& e, auto then) { e.publish("me", path, true, then); });
  EXPECT_EQ(engine.run(Kind::load_weights, load_new_body(hers, 1, path, false), "eve").state, State::done);
  EXPECT_EQ(
      status_of([&] { engine.ask<Nothing>([=](Engine& e, auto then) { e.delete_checkpoint("eve", path, then); }); }),
      404);
}

TEST(EngineSessions, QuotasRefuseWithATimeAndLimitModels) {
  const Folder folder;
  auto options = small_options(folder);
  options.quotas = {1, 3, 2};
  RunningEngine engine(folder.store(), options);
  const std::string session = engine.session();
  const std::string model = engine.create(session);
  const auto second = engine.run(Kind::create_model, create_body(session, 1, 1));
  EXPECT_EQ(second.state, State::failed);
  EXPECT_NE(second.error.find("too many models"), std::string::npos) << second.error;
  // None can run: number 1 is missing.
  for (int64_t seq = 2; seq <= 4; ++seq) engine.submit(Kind::optim_step, optim_body(model, seq));
  EXPECT_EQ(status_of([&] { engine.submit(Kind::optim_step, optim_body(model, 5)); }), 429);
  const std::string other = engine.session("other");
  EXPECT_EQ(engine.run(Kind::create_model, create_body(other, 0, 1), "other").state, State::done);
}

TEST(EngineSessions, WhatDoesNotFitIntoMemoryFailsAndTheRestGoesOn) {
  const Folder folder;
  auto options = small_options(folder);
  {
    RunningEngine engine(folder.store(), options);
    engine.create(engine.session());
    const auto status = engine.on_loop([](Engine& e) { return e.status(); });
    options.memory = status.base_bytes + status.trainer_bytes * 3 / 2;
  }
  const Folder fresh;
  options.models[0].folder = fresh.model();
  RunningEngine engine(fresh.store(), options);
  const std::string session = engine.session();
  const std::string model = engine.create(session);
  const auto second = engine.run(Kind::create_model, create_body(session, 1, 1));
  EXPECT_EQ(second.state, State::failed);
  EXPECT_EQ(second.category, "server");
  EXPECT_NE(second.error.find("bytes"), std::string::npos) << second.error;
  EXPECT_EQ(engine.run(Kind::optim_step, optim_body(model, 1)).state, State::done);
}

TEST(EngineSessions, ANameIsTakenUntilItIsOverwrittenOrItsTimeIsOver) {
  const Folder folder;
  auto options = small_options(folder);
  options.housekeeping = 20ms;
  RunningEngine engine(folder.store(), options);
  const std::string model = engine.create(engine.session());
  const std::string path = "tinker://" + model + "/weights/a";
  EXPECT_EQ(engine.run(Kind::save_weights, save_body(model, 1, "a")).state, State::done);
  const auto taken = engine.run(Kind::save_weights, save_body(model, 2, "a"));
  EXPECT_EQ(taken.state, State::failed);
  EXPECT_EQ(taken.category, "user");
  EXPECT_EQ(engine.run(Kind::save_weights, save_body(model, 3, "a", R"(,"overwrite":true)")).state, State::done);
  engine.ask<Nothing>([=](Engine& e, auto then) { e.set_ttl("me", path, 1, then); });
  EXPECT_TRUE(soon([&] {
    return engine.on_loop([&](Engine& e) { return std::holds_alternative<Refusal>(e.weights_info("me", path)); });
  }));
  EXPECT_EQ(engine.run(Kind::save_weights, save_body(model, 4, "a")).state, State::done);
}

TEST(EngineSessions, ACopyIsARunOfItsOwnThatOutlivesItsSource) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session());
  EXPECT_EQ(engine.run(Kind::save_weights, save_body(model, 1, "a")).state, State::done);
  const std::string path = "tinker://" + model + "/weights/a";
  const auto copy = engine.ask<std::string>(
      [=](Engine& e, auto then) { e.copy_weights("me", path, "", "", std::nullopt, std::nullopt, then); });
  engine.ask<Nothing>([=](Engine& e, auto then) { e.delete_checkpoint("me", path, then); });
  const auto loaded = engine.run(Kind::load_weights, load_new_body(engine.session(), 0, copy, true));
  EXPECT_EQ(loaded.state, State::done) << loaded.error;
}

TEST(EngineSessions, ExternalWeightsAreTheAdapterAndForRecipientsEncrypted) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session());
  const auto plain = engine.run(Kind::save_weights_external, save_body(model, 1, "w", "", "save_weights_external"));
  ASSERT_EQ(plain.state, State::done) << plain.error;
  const auto folder_of = [&](const std::string& name) {
    return engine.on_loop([&](Engine&) {
      const auto record = engine.store().read().checkpoint(model, CheckpointType::external_weights, name);
      return engine.store().folders().path(record->folder);
    });
  };
  EXPECT_TRUE(std::filesystem::exists(folder_of("w") + "/adapter_model.safetensors"));
  const auto secret = engine.run(
      Kind::save_weights_external,
      save_body(model, 2, "e",
                R"(,"age_encryption_recipients":["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"])",
                "save_weights_external"));
  ASSERT_EQ(secret.state, State::done) << secret.error;
  for (const auto& file : std::filesystem::directory_iterator(folder_of("e")))
    EXPECT_EQ(file.path().extension(), ".age") << file.path();
  const auto wrong =
      engine.run(Kind::save_weights_external,
                 save_body(model, 3, "x", R"(,"age_encryption_recipients":["age1nonsense"])", "save_weights_external"));
  EXPECT_EQ(wrong.state, State::failed);
  EXPECT_EQ(wrong.category, "user");
}

}  // namespace
}  // namespace hearth::server::test
