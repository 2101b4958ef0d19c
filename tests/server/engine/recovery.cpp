// Restarts: what was acknowledged is answered, with the bits of a run that nothing disturbed, and nothing is done
// twice.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/store/database.h"
#include "server/wire/result.h"
#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {
namespace {

using State = FutureAnswer::State;
using Kind = CommandKind;

std::unique_ptr<RunningEngine> start(const Folder& folder, double replay_budget = 20) {
  auto options = small_options(folder);
  options.replay_budget = std::chrono::seconds(int64_t(replay_budget));
  return std::make_unique<RunningEngine>(folder.store(), options);
}

std::string hash_of(RunningEngine& engine, const std::string& model, int64_t seq) {
  return engine.on_loop([&](Engine&) {
    const auto operation = engine.store().read().operation(model, seq);
    return operation ? operation->state_hash : std::string();
  });
}

int64_t recovery_seq(RunningEngine& engine, const std::string& model) {
  return engine.on_loop([&](Engine&) { return engine.store().read().model(model)->recovery_seq; });
}

// The step of a run of steps: request 2k + 1 is a pass, 2k + 2 an update.
void submit_step(RunningEngine& engine, const std::string& model, int64_t seq) {
  if (seq % 2)
    engine.submit(Kind::forward_backward, forward_backward_body(model, seq, test_data(uint64_t(seq), {9, 14})));
  else
    engine.submit(Kind::optim_step, optim_body(model, seq));
}

std::string undisturbed(int64_t last) {
  const Folder folder;
  const auto engine = start(folder);
  const std::string model = engine->create(engine->session(), 0, 5);
  for (int64_t seq = 1; seq <= last; ++seq) submit_step(*engine, model, seq);
  EXPECT_EQ(engine->wait(model + ":op:" + std::to_string(last)).state, State::done);
  return hash_of(*engine, model, last);
}

TEST(EngineRecovery, AModelGoesOnWithTheSameBitsWhereverTheServerEnded) {
  const std::string expected = undisturbed(8);
  ASSERT_FALSE(expected.empty());
  for (const bool checkpoints : {false, true}) {
    const Folder folder;
    std::string model;
    {
      const auto engine = start(folder);
      model = engine->create(engine->session(), 0, 5);
    }
    for (int64_t seq = 1; seq <= 8; ++seq) {
      const auto engine = start(folder, checkpoints ? 0 : 20);
      // Every other time what was acknowledged has not run yet when the server ends.
      if (seq > 1) submit_step(*engine, model, seq - 1);
      submit_step(*engine, model, seq);
      if (seq % 3 == 0) continue;
      EXPECT_EQ(engine->wait(model + ":op:" + std::to_string(seq)).state, State::done);
    }
    const auto engine = start(folder);
    EXPECT_EQ(engine->wait(model + ":op:8").state, State::done);
    EXPECT_EQ(hash_of(*engine, model, 8), expected);
    EXPECT_EQ(recovery_seq(*engine, model) > 0, checkpoints);
    for (int64_t seq = 1; seq <= 8; ++seq)
      EXPECT_EQ(engine->poll(model + ":op:" + std::to_string(seq), 0).state, State::done) << seq;
    EXPECT_EQ(engine->on_loop([&](Engine&) { return engine->store().read().model(model)->corrupted; }), "");
  }
}

TEST(EngineRecovery, WhatRanAndWasNotWrittenDownBeforeLaterRequestsIsDoneAgainInItsPlace) {
  const Folder folder;
  std::string model, answer;
  {
    const auto engine = start(folder);
    model = engine->create(engine->session(), 0, 5);
    for (int64_t seq = 1; seq <= 6; ++seq) submit_step(*engine, model, seq);
    EXPECT_EQ(engine->wait(model + ":op:6").state, State::done);
    answer = engine->wait(model + ":op:3").bytes;
  }
  {
    // As if the disk had been full when the third and the fourth ended.
    Store store(folder.store());
    store.write_now([&](Tables& tables) {
      tables.drop_result(model + ":op:3");
      tables.database().run("UPDATE operations SET state = 0, result_dropped = 0 WHERE seq_id IN (3, 4)");
    });
  }
  const auto engine = start(folder);
  const auto again = engine->wait(model + ":op:3");
  EXPECT_EQ(again.state, State::done) << again.error;
  EXPECT_EQ(again.bytes, answer);
  EXPECT_EQ(engine->wait(model + ":op:4").state, State::done);
  for (int64_t seq = 7; seq <= 8; ++seq) submit_step(*engine, model, seq);
  EXPECT_EQ(engine->wait(model + ":op:8").state, State::done);
  EXPECT_EQ(hash_of(*engine, model, 8), undisturbed(8));
  EXPECT_EQ(engine->on_loop([&](Engine&) { return engine->store().read().model(model)->corrupted; }), "");
}

TEST(EngineRecovery, DrainingLeavesNothingToComputeAgain) {
  const Folder folder;
  std::string model;
  {
    const auto engine = start(folder);
    model = engine->create(engine->session(), 0, 5);
    for (int64_t seq = 1; seq <= 4; ++seq) submit_step(*engine, model, seq);
    engine->wait(model + ":op:4");
    std::promise<void> drained;
    engine->on_loop([&](Engine& e) { e.drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    EXPECT_THROW(submit_step(*engine, model, 5), Refused);
    EXPECT_EQ(recovery_seq(*engine, model), 4);
  }
  const auto engine = start(folder);
  for (int64_t seq = 5; seq <= 8; ++seq) submit_step(*engine, model, seq);
  engine->wait(model + ":op:8");
  EXPECT_FALSE(hash_of(*engine, model, 8).empty());
  EXPECT_EQ(hash_of(*engine, model, 8), undisturbed(8));
  EXPECT_EQ(engine->on_loop([](Engine& e) { return e.status().replayed_operations; }), 0);
}

TEST(EngineRecovery, SamplesThatWaitedAreAnsweredWithTheSeedThatTheyHad) {
  const Folder folder;
  std::string sampler;
  std::vector<std::string> ids;
  {
    const auto engine = start(folder);
    const std::string session = engine->session();
    const std::string model = engine->create(session, 0, 5);
    for (int64_t seq = 1; seq <= 2; ++seq) submit_step(*engine, model, seq);
    engine->run(Kind::save_weights_for_sampler, ephemeral_body(model, 3, 0));
    sampler = sampler_id(session, 0);
    for (int64_t i = 0; i < 40; ++i)
      ids.push_back(engine->sample(sample_body(sampler, i, {1, 2, 3}, 60, "", 1, R"(,"stop":[])")).request_id);
  }
  const auto engine = start(folder);
  std::map<std::string, std::string> first;
  for (const auto& id : ids) {
    const auto answer = engine->wait(id);
    EXPECT_EQ(answer.state, State::done) << answer.error;
    first[id] = answer.bytes;
  }
  // A request without a seed was given one when it was accepted; the same seed gives the same tokens.
  const auto seed = engine->on_loop([&](Engine&) { return engine->store().read().sample(ids[7])->seed; });
  const auto again = engine->wait(
      engine->sample(sample_body(sampler, 1000, {1, 2, 3}, 60, "", 1, R"(,"stop":[],"seed":)" + std::to_string(seed)))
          .request_id);
  EXPECT_EQ(decode_sample_result(again.bytes).sequences[0].tokens,
            decode_sample_result(first[ids[7]]).sequences[0].tokens);
}

TEST(EngineRecovery, ACheckpointThatWasLoadedIsReadAgainAlsoAfterItWasDeletedOrOverwritten) {
  const Folder folder;
  std::string model, copy, session, expected, expected_copy;
  {
    const auto engine = start(folder);
    session = engine->session();
    model = engine->create(session, 0, 5);
    for (int64_t seq = 1; seq <= 2; ++seq) submit_step(*engine, model, seq);
    engine->run(Kind::save_weights, save_body(model, 3, "a"));
    const std::string path = "tinker://" + model + "/weights/a";
    submit_step(*engine, model, 5);  // before 4, and then the load
    submit_step(*engine, model, 4);
    ASSERT_EQ(engine->run(Kind::load_weights, load_body(model, 6, path, true)).state, State::done);
    const auto created = engine->run(Kind::load_weights, load_new_body(session, 1, path, true));
    ASSERT_EQ(created.state, State::done) << created.error;
    copy = training_id(session, 1);
    engine->run(Kind::save_weights, save_body(model, 7, "a", R"(,"overwrite":true)"));
    engine->ask<Nothing>([=](Engine& e, auto then) { e.delete_checkpoint("me", path, then); });
    expected = hash_of(*engine, model, 6);
    expected_copy = hash_of(*engine, copy, 0);
  }
  const auto engine = start(folder);
  submit_step(*engine, model, 8);
  submit_step(*engine, copy, 1);
  submit_step(*engine, copy, 2);
  EXPECT_EQ(engine->wait(model + ":op:8").state, State::done);
  EXPECT_EQ(engine->wait(copy + ":op:2").state, State::done);
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(expected, expected_copy);
  EXPECT_EQ(engine->on_loop([&](Engine&) { return engine->store().read().model(model)->corrupted; }), "");
  EXPECT_EQ(engine->on_loop([&](Engine&) { return engine->store().read().model(copy)->corrupted; }), "");
}

TEST(EngineRecovery, AStateThatWasTamperedWithIsNotTrustedAndOthersGoOn) {
  const Folder folder;
  std::string model, other;
  {
    const auto engine = start(folder, 0);
    const std::string session = engine->session();
    model = engine->create(session, 0, 5);
    other = engine->create(session, 1, 6);
    for (int64_t seq = 1; seq <= 2; ++seq) submit_step(*engine, model, seq), submit_step(*engine, other, seq);
    engine->wait(model + ":op:2");
    engine->wait(other + ":op:2");
  }
  std::string changed;
  {
    Store store(folder.store());
    const auto record = store.read().model(model);
    ASSERT_EQ(record->recovery_seq, 2);
    changed = folder.store() + "/" + record->recovery_folder + "/adapter_model.safetensors";
  }
  std::fstream(changed, std::ios::in | std::ios::out | std::ios::binary).seekp(4000).put('x');
  const auto engine = start(folder);
  submit_step(*engine, model, 3);
  submit_step(*engine, other, 3);
  const auto answer = engine->wait(model + ":op:3");
  EXPECT_EQ(answer.state, State::failed);
  EXPECT_NE(answer.error.find("could not be brought back"), std::string::npos) << answer.error;
  EXPECT_EQ(engine->wait(other + ":op:3").state, State::done);
  EXPECT_NE(engine->on_loop([&](Engine&) { return engine->store().read().model(model)->corrupted; }), "");
}

}  // namespace
}  // namespace hearth::server::test
