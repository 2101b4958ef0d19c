// Replay: a run computed again has the recorded bits; without some of its data it is the run that never saw them.
#include "server/engine/replay.h"

#include <gtest/gtest.h>

#include "server/wire/result.h"
#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {
namespace {

using Kind = CommandKind;
using Verdict = ReplayedOperation::Verdict;

struct Told {
  ReplayReport report;
  std::map<int64_t, ReplayedOperation> operations;
};

Told replayed(const Folder& folder, const std::string& run, const std::vector<LeftOut>& without = {},
              const std::string& out = "") {
  Told told;
  Store store(folder.store());
  told.report = replay(store, small_options(folder), {run, without, out},
                       [&](const ReplayedOperation& operation) { told.operations[operation.seq_id] = operation; });
  return told;
}

// Two passes of three sequences, an update, a checkpoint, a load, another pass and update; `without` sequences of the
// second pass.
std::string train(const Folder& folder, const std::vector<size_t>& without = {}) {
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session(), 0, 5);
  engine.submit(Kind::forward_backward, forward_backward_body(model, 1, test_data(1, {9, 14, 5})));
  auto second = test_data(2, {8, 6, 11});
  for (const size_t index : without) second.erase(second.begin() + std::ptrdiff_t(index));
  engine.submit(Kind::forward_backward, forward_backward_body(model, 2, second));
  engine.submit(Kind::optim_step, optim_body(model, 3));
  engine.run(Kind::save_weights, save_body(model, 4, "a"));
  auto bad = test_data(4, {5});
  bad[0].tokens[0] = -1;
  engine.submit(Kind::forward_backward, forward_backward_body(model, 5, bad));
  engine.submit(Kind::load_weights, load_body(model, 6, "tinker://" + model + "/weights/a", true));
  engine.submit(Kind::forward_backward, forward_backward_body(model, 7, test_data(3, {9, 14})));
  engine.run(Kind::optim_step, optim_body(model, 8));
  return model;
}

TEST(EngineReplay, ARunComputedAgainHasTheRecordedBits) {
  const Folder folder;
  const std::string run = train(folder);
  const auto told = replayed(folder, run);
  EXPECT_EQ(told.report.differ, 0);
  for (const auto& [seq, operation] : told.operations)
    EXPECT_EQ(operation.verdict, seq == 5 ? Verdict::left_out : Verdict::same) << seq << " " << operation.detail;
  EXPECT_EQ(told.report.state_hash, Store(folder.store()).read().operation(run, 8)->state_hash);
  EXPECT_EQ(told.report.recorded_platform, "");
}

TEST(EngineReplay, ARecordThatWasChangedIsFoundOut) {
  const Folder folder;
  const std::string run = train(folder);
  {
    Store store(folder.store());
    auto operation = *store.read().operation(run, 3);
    operation.request_id += "'";
    operation.body = optim_body(run, 3, 0.02);
    operation.seq_id = 9;  // one that was never asked for
    operation.outcome.state = OperationState::done;
    store.write_now([&](Tables& tables) { tables.insert(operation); });
  }
  const auto told = replayed(folder, run);
  EXPECT_EQ(told.operations.at(8).verdict, Verdict::same);
  EXPECT_EQ(told.operations.at(9).verdict, Verdict::differs);
  EXPECT_EQ(told.report.differ, 1);
}

TEST(EngineReplay, WithoutADatumItIsTheRunThatNeverSawIt) {
  const Folder folder, never;
  const std::string run = train(folder), other = train(never, {1});
  // The checkpoint that is loaded was written with the datum: a load brings it back, and replay computes what was
  // asked.
  const auto told = replayed(folder, run, {{2, 1}, {6, {}}});
  const auto expected = replayed(never, other, {{6, {}}});
  EXPECT_EQ(told.report.state_hash, expected.report.state_hash);
  EXPECT_NE(told.report.state_hash, replayed(folder, run, {{6, {}}}).report.state_hash);
  EXPECT_EQ(told.operations.at(6).verdict, Verdict::left_out);
  EXPECT_EQ(told.operations.at(1).verdict, Verdict::same);
  EXPECT_EQ(told.operations.at(2).verdict, Verdict::computed);
}

TEST(EngineReplay, WhatIsNotThereCannotBeLeftOut) {
  const Folder folder;
  const std::string run = train(folder);
  EXPECT_THROW(replayed(folder, run, {{99, {}}}), ValueError);
  EXPECT_THROW(replayed(folder, run, {{2, 3}}), ValueError);
  EXPECT_THROW(replayed(folder, run, {{3, 0}}), ValueError);
  EXPECT_THROW(replayed(folder, "nobody:train:0"), ValueError);
  EXPECT_THROW(parse_left_out("7:"), ValueError);
  EXPECT_THROW(parse_left_out("x"), ValueError);
  EXPECT_THROW(parse_left_out("0"), ValueError);
  EXPECT_EQ(parse_left_out("7:3").datum, 3);
}

TEST(EngineReplay, TheFinalStateCanBeWritten) {
  const Folder folder;
  const std::string run = train(folder), out = folder.store() + ".out";
  replayed(folder, run, {}, out);
  EXPECT_TRUE(std::filesystem::exists(out + "/adapter_model.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(out + "/optimizer.safetensors"));
}

}  // namespace
}  // namespace hearth::server::test
