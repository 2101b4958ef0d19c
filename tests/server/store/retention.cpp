// Retention: what goes and when; whatever happened before, a live model can be brought back afterwards.
#include "server/store/retention.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "hearth/io/file.h"
#include "server/store/database.h"
#include "server/store/store.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

constexpr Time hour = 3600 * second, day = 24 * hour;

OperationRecord operation(int64_t seq, OperationState state) {
  OperationRecord o;
  o.request_id = "r" + std::to_string(seq);
  o.model_id = "m";
  o.seq_id = seq;
  o.body = "body";
  o.outcome.state = state;
  if (state == OperationState::done) o.outcome.result = "result";
  return o;
}

class RetentionTest : public testing::Test {
 protected:
  std::vector<OperationRecord> journal() {
    std::vector<OperationRecord> out;
    for (int64_t seq = 0; seq < 4; ++seq) out.push_back(operation(seq, OperationState::done));
    out.push_back(operation(4, OperationState::queued));
    return out;
  }
  std::string make_folder(Store& store, const std::string& place) {
    Draft draft = store.folders().draft();
    write_file_atomic(draft.path() + "/f", place);
    return draft.seal(place).folder;
  }
  const RetentionSettings settings_{};
  ModelRecord model_;
};

TEST_F(RetentionTest, NothingGoesWhileTheSessionLives) {
  model_.recovery_seq = 3;
  const RunPlan plan = plan_run(model_, std::nullopt, journal(), settings_, 1000 * day);
  EXPECT_TRUE(plan.bodies.empty());
  EXPECT_TRUE(plan.results.empty());
}

TEST_F(RetentionTest, ResultsGoAfterAnHourBodiesAfterAWeek) {
  model_.recovery_seq = 3;
  const Time ended = 100 * day;
  EXPECT_TRUE(plan_run(model_, ended, journal(), settings_, ended + hour - 1).results.empty());
  RunPlan plan = plan_run(model_, ended, journal(), settings_, ended + hour);
  EXPECT_EQ(plan.results.size(), 4u);
  EXPECT_TRUE(plan.bodies.empty());
  plan = plan_run(model_, ended, journal(), settings_, ended + 7 * day);
  EXPECT_EQ(plan.bodies.size(), 4u) << "what is queued stays";
}

TEST_F(RetentionTest, WhatReplayNeedsStays) {
  model_.recovery_seq = 1;
  RunPlan plan = plan_run(model_, 0, journal(), settings_, 1000 * day);
  EXPECT_EQ(plan.bodies, (std::vector<std::string>{"r0", "r1"}));
  model_.recovery_seq = -1;
  EXPECT_TRUE(plan_run(model_, 0, journal(), settings_, 1000 * day).bodies.empty());
  model_.unloaded = 1;
  EXPECT_EQ(plan_run(model_, 0, journal(), settings_, 1000 * day).bodies.size(), 4u);
}

TEST_F(RetentionTest, ForEverMeansForEver) {
  model_.recovery_seq = 3;
  RetentionSettings keep;
  keep.bodies = keep.results = std::nullopt;
  const RunPlan plan = plan_run(model_, 0, journal(), keep, 10000 * day);
  EXPECT_TRUE(plan.bodies.empty() && plan.results.empty());
}

TEST_F(RetentionTest, APassAppliesThePlan) {
  test::StoreFolder folder;
  Store store(folder.path());
  const std::string state = make_folder(store, Folders::place_of_state("m", 3));
  const std::string snapshot = make_folder(store, Folders::place_of_snapshot("p"));
  const std::string expiring = make_folder(store, Folders::place_of_checkpoint("m", CheckpointType::weights, "old"));
  const std::string kept = make_folder(store, Folders::place_of_checkpoint("m", CheckpointType::weights, "new"));
  store.write_now([&](Tables& t) {
    SessionRecord s;
    s.id = "s";
    s.finished = 100 * day;
    t.insert(s);
    ModelRecord m;
    m.id = "m";
    m.session_id = "s";
    m.unloaded = 100 * day;
    m.recovery_seq = 3;
    m.recovery_folder = state;
    t.insert(m);
    for (OperationRecord& o : journal()) {
      o.body = std::string(200'000, char('a' + o.seq_id));
      for (size_t i = 0; i < o.body.size(); i += 2) o.body[i] = char(i * 7919 >> 5);
      t.insert(o);
    }
    t.insert(SamplerRecord{.id = "p", .session_id = "s", .snapshot_folder = snapshot});
    t.insert(CheckpointRecord{.run = "m", .name = "old", .folder = expiring, .expires = 105 * day});
    t.insert(CheckpointRecord{.run = "m", .name = "new", .folder = kept});
  });
  const RetentionReport early = run_retention(store, settings_, 100 * day + 1);
  EXPECT_EQ(early.bodies + early.results + early.samplers + early.checkpoints, 0);
  EXPECT_FALSE(store.folders().exists(state)) << "an unloaded model is never brought back";
  const RetentionReport report = run_retention(store, settings_, 108 * day);
  EXPECT_EQ(report.bodies, 4);
  EXPECT_EQ(report.results, 4);
  EXPECT_EQ(report.samplers, 1);
  EXPECT_EQ(report.checkpoints, 1);
  EXPECT_FALSE(store.folders().exists(snapshot));
  EXPECT_FALSE(store.folders().exists(expiring));
  EXPECT_TRUE(store.folders().exists(kept));
  EXPECT_TRUE(store.read().operation("r0")->body_dropped);
  EXPECT_TRUE(store.read().operation("r0")->outcome.dropped);
  EXPECT_EQ(store.read().operation("r4")->body.size(), 200'000u);
  EXPECT_EQ(store.read().audit("", 0, 200 * day).at(0).event, "checkpoint_expired");
  const RetentionReport again = run_retention(store, settings_, 108 * day);
  EXPECT_EQ(again.bodies + again.results + again.samplers + again.checkpoints + again.folders, 0);
}

TEST_F(RetentionTest, SpaceGoesBackToTheSystem) {
  test::StoreFolder folder;
  Store store(folder.path());
  store.write_now([&](Tables& t) {
    SessionRecord s;
    s.id = "s";
    s.finished = 0;
    t.insert(s);
    ModelRecord m;
    m.id = "m";
    m.session_id = "s";
    m.unloaded = 1;
    t.insert(m);
    std::mt19937 random(1);
    for (int64_t seq = 0; seq < 40; ++seq) {
      OperationRecord o = operation(seq, OperationState::done);
      o.body.resize(200'000);
      for (char& byte : o.body) byte = char(random());
      t.insert(o);
    }
  });
  store.write_now([](Tables& t) { EXPECT_GT(t.database().integer("PRAGMA page_count"), 1900); });
  EXPECT_GT(run_retention(store, settings_, 1000 * day).pages, 1500);
  store.write_now([](Tables& t) {
    EXPECT_LT(t.database().integer("PRAGMA page_count"), 400);
    t.database().check_integrity(true);
  });
}

// Histories at random, retention at random moments, then a restart: of every live model, everything that is replayed
// from its newest internal checkpoint is there, bodies and folders.
TEST_F(RetentionTest, ALiveModelCanAlwaysBeBroughtBack) {
  std::mt19937_64 random(11);
  const auto chance = [&](int percent) { return int(random() % 100) < percent; };
  for (int round = 0; round < 8; ++round) {
    test::StoreFolder folder;
    Time now = day;
    {
      Store store(folder.path());
      for (int step = 0; step < 60; ++step) {
        now += Time(random() % uint64_t(2 * day));
        const std::string run = "m" + std::to_string(random() % 3);
        store.write_now([&](Tables& t) {
          if (!t.model(run)) {
            SessionRecord s;
            s.id = "s" + run;
            t.insert(s);
            ModelRecord m;
            m.id = run;
            m.session_id = s.id;
            t.insert(m);
          }
          if (chance(5)) t.finish_session("s" + run, now, "expired", "");
          if (chance(3)) t.unload_model(run, now);
        });
        const ModelRecord model = *store.read().model(run);
        const int64_t next = store.read().last_seq_id(run) + 1;
        if (chance(15) && next > 0 && next - 1 > model.recovery_seq) {
          const std::string state = make_folder(store, Folders::place_of_state(run, next - 1));
          std::string old;
          store.write_now([&](Tables& t) { old = t.set_recovery(run, next - 1, state, "h"); });
          store.drop_folder(old);
        }
        if (chance(20)) {
          const std::string name = "c" + std::to_string(random() % 3);
          const std::string made = make_folder(store, Folders::place_of_checkpoint(run, CheckpointType::weights, name));
          std::string replaced;
          store.write_now([&](Tables& t) {
            CheckpointRecord c{.run = run, .name = name, .folder = made};
            if (chance(70)) c.expires = now + day;
            replaced = t.put(c);
          });
          store.drop_folder(replaced);
        }
        store.write_now([&](Tables& t) {
          OperationRecord o = operation(next, chance(90) ? OperationState::done : OperationState::failed);
          o.model_id = run;
          o.request_id = run + "/" + std::to_string(next);
          const auto all = t.checkpoints({.limit = -1});
          if (!all.empty() && chance(40)) o.reads_folder = all[random() % all.size()].folder;
          t.insert(o);
        });
        if (chance(20)) run_retention(store, settings_, now);
      }
      run_retention(store, settings_, now);
    }
    Store store(folder.path());
    EXPECT_TRUE(store.start_report().damaged.empty());
    for (const ModelRecord& model : store.read().live_models()) {
      EXPECT_TRUE(model.recovery_folder.empty() || store.folders().exists(model.recovery_folder));
      for (const OperationRecord& o : store.read().operations(model.id, model.recovery_seq)) {
        EXPECT_FALSE(o.body_dropped);
        EXPECT_EQ(o.body, "body");
        if (o.outcome.state == OperationState::done && !o.reads_folder.empty()) {
          EXPECT_TRUE(store.folders().exists(o.reads_folder)) << o.reads_folder;
        }
      }
    }
  }
}

}  // namespace
}  // namespace hearth::server
