// Tables: every record comes back as it went in; keys are unique; listings are newest first and an owner's own.
#include "server/store/tables.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"
#include "server/store/database.h"
#include "server/store/schema.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

class TablesTest : public testing::Test {
 protected:
  TablesTest() : database_(folder_.around() + "/t.sqlite", Database::Access::write), t_(database_) {
    migrate(database_);
  }
  void add_session(const std::string& id, Time created, const std::string& owner = "ann") {
    SessionRecord s;
    s.id = id;
    s.owner = owner;
    s.created = s.last_seen = created;
    t_.insert(s);
  }
  void add_model(const std::string& id, Time at, const std::string& session = "s") {
    ModelRecord m;
    m.id = id;
    m.session_id = session;
    m.owner = "ann";
    m.created = m.last_request = at;
    t_.insert(m);
  }

  test::StoreFolder folder_;
  Database database_;
  Tables t_;
};

TEST_F(TablesTest, Sessions) {
  add_session("a", 1);
  add_session("b", 2);
  add_session("c", 3, "bob");
  EXPECT_THROW(add_session("a", 9), ValueError);
  t_.touch_session("a", 50);
  t_.touch_session("a", 40);
  EXPECT_EQ(t_.session("a")->last_seen, 50) << "a late heartbeat does not go back in time";
  EXPECT_THROW(t_.touch_session("none", 1), ValueError);
  EXPECT_TRUE(t_.finish_session("a", 60, "success", "done"));
  EXPECT_FALSE(t_.finish_session("a", 70, "errored", "late"));
  EXPECT_EQ(t_.session("a")->finish_reason, "success");
  EXPECT_EQ(t_.session("a")->finished, 60);
  const auto list = t_.sessions({.owner = "ann"});
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].id, "b");
  EXPECT_EQ(t_.sessions({.owner = "ann", .limit = 1, .offset = 1})[0].id, "a");
  EXPECT_EQ(t_.count_sessions(""), 3);
  EXPECT_EQ(t_.open_sessions().size(), 2u);
}

TEST_F(TablesTest, ModelsComeBackAsTheyWere) {
  ModelRecord m;
  m.id = "s:train:0";
  m.session_id = "s";
  m.owner = "ann";
  m.base_model = "base";
  m.base_fingerprint = "f";
  m.rank = 32;
  m.seed = 0xffff'ffff'ffff'fff0u;
  m.train_attn = false;
  m.user_metadata = R"({"a": 1})";
  m.created = 5;
  m.from_path = "tinker://x/weights/y";
  t_.insert(m);
  ModelRecord back = *t_.model(m.id);
  EXPECT_EQ(back.seed, m.seed);
  EXPECT_EQ(back.rank, 32);
  EXPECT_FALSE(back.train_attn);
  EXPECT_TRUE(back.train_mlp);
  EXPECT_EQ(back.user_metadata, m.user_metadata);
  EXPECT_EQ(back.from_path, m.from_path);
  EXPECT_EQ(back.recovery_seq, -1);
  back.corrupted = "differs";
  t_.update(back);
  EXPECT_EQ(t_.model(m.id)->corrupted, "differs");
  back.id = "other";
  EXPECT_THROW(t_.update(back), ValueError);
}

TEST_F(TablesTest, AnInternalCheckpointOnlyMovesForward) {
  add_model("m", 1);
  EXPECT_EQ(t_.set_recovery("m", 4, "state/m/4", "h4"), "");
  EXPECT_EQ(t_.set_recovery("m", 9, "state/m/9", "h9"), "state/m/4");
  EXPECT_THROW(t_.set_recovery("m", 8, "state/m/8", "h8"), ValueError);
  EXPECT_EQ(t_.model("m")->recovery_folder, "state/m/9");
  EXPECT_THROW(t_.forget_state("m"), ValueError) << "it is live";
  t_.unload_model("m", 10);
  t_.unload_model("m", 20);
  EXPECT_EQ(t_.model("m")->unloaded, 10);
  EXPECT_TRUE(t_.live_models().empty());
}

TEST_F(TablesTest, ModelsOfAProject) {
  add_session("s", 1);
  add_session("p", 2);
  t_.set_session_project("p", "project");
  add_model("a", 10, "s");
  add_model("b", 20, "p");
  EXPECT_EQ(t_.models({.owner = "ann"}).at(0).id, "b");
  ASSERT_EQ(t_.models({.owner = "ann"}, "project").size(), 1u);
  EXPECT_EQ(t_.count_models("ann", "project"), 1);
  EXPECT_EQ(t_.count_models("bob"), 0);
}

TEST_F(TablesTest, AnOperationEndsOnce) {
  OperationRecord o;
  o.request_id = "r1";
  o.model_id = "m";
  o.seq_id = 1;
  o.kind = "optim_step";
  o.body = std::string(5000, 'b') + std::string("\0\xff", 2);
  t_.insert(o);
  OperationRecord again = o;
  again.request_id = "r2";
  EXPECT_THROW(t_.insert(again), ValueError) << "one operation for a number of a model";
  Outcome done;
  done.state = OperationState::done;
  done.content_type = "application/json";
  done.result = "{}";
  done.finished = 7;
  EXPECT_TRUE(t_.finish_operation("r1", done, "hash", "cpu", "build"));
  Outcome failed = done;
  failed.state = OperationState::failed;
  EXPECT_FALSE(t_.finish_operation("r1", failed));
  EXPECT_THROW(t_.finish_operation("none", done), ValueError);
  EXPECT_THROW(t_.finish_operation("r1", Outcome{}), ValueError);
  const OperationRecord back = *t_.operation("m", 1);
  EXPECT_EQ(back.body, o.body);
  EXPECT_EQ(back.outcome.state, OperationState::done);
  EXPECT_EQ(back.outcome.result, "{}");
  EXPECT_EQ(back.state_hash, "hash");
  EXPECT_EQ(back.build, "build");
}

TEST_F(TablesTest, OperationsAreReadInOrder) {
  for (const int seq : {3, 0, 2, 1}) {
    OperationRecord o;
    o.request_id = "r" + std::to_string(seq);
    o.model_id = "m";
    o.seq_id = seq;
    o.body = "body" + std::to_string(seq);
    t_.insert(o);
  }
  const auto all = t_.operations("m");
  ASSERT_EQ(all.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(all[size_t(i)].body, "body" + std::to_string(i));
  EXPECT_EQ(t_.operations("m", 1).size(), 2u);
  EXPECT_EQ(t_.operations("m", -1, false, 3).size(), 3u);
  EXPECT_EQ(t_.operation_briefs("m", 2).at(0).body, "");
  EXPECT_EQ(t_.last_seq_id("m"), 3);
  EXPECT_EQ(t_.last_seq_id("none"), -1);
  t_.drop_body("r2");
  EXPECT_TRUE(t_.operation("r2")->body_dropped);
  EXPECT_EQ(t_.operation("r2")->body, "");
  EXPECT_EQ(database_.integer("SELECT count(*) FROM operation_bodies"), 3);
}

TEST_F(TablesTest, SamplersAndSamples) {
  SamplerRecord p;
  p.id = "s:sample:0";
  p.session_id = "s";
  p.snapshot_folder = "snapshots/x";
  t_.insert(p);
  EXPECT_EQ(t_.join_sampler(p.id), 1);
  EXPECT_EQ(t_.join_sampler(p.id), 2);
  SampleRecord s;
  s.request_id = "q";
  s.sampler_id = p.id;
  s.seq_id = 5;
  s.body = "{}";
  s.seed = 0xffff'0000'0000'0001u;
  t_.insert(s);
  EXPECT_EQ(t_.queued_samples().at(0).seed, s.seed);
  Outcome done;
  done.state = OperationState::done;
  done.result = "tokens";
  EXPECT_TRUE(t_.finish_sample("q", done));
  EXPECT_FALSE(t_.finish_sample("q", done));
  EXPECT_EQ(t_.sample(p.id, 5)->outcome.result, "tokens");
  EXPECT_TRUE(t_.queued_samples().empty());
  EXPECT_TRUE(t_.folder_is_known("snapshots/x"));
  s.request_id = "other";
  s.sampler_id = "none";
  EXPECT_THROW(t_.insert(s), ValueError) << "a sample belongs to a sampler";
  t_.remove_sampler(p.id);
  EXPECT_FALSE(t_.sample("q"));
  EXPECT_EQ(database_.integer("SELECT count(*) FROM sample_results"), 0);
  EXPECT_FALSE(t_.folder_is_known("snapshots/x"));
}

TEST_F(TablesTest, Checkpoints) {
  CheckpointRecord c;
  c.run = "m";
  c.name = "final";
  c.owner = "ann";
  c.folder = "checkpoints/m/weights/final";
  c.created = 1;
  t_.insert(c);
  EXPECT_THROW(t_.insert(c), ValueError);
  c.type = CheckpointType::sampler_weights;
  c.folder = "checkpoints/m/sampler_weights/final";
  c.created = 2;
  t_.insert(c);
  c.folder += "+2";
  EXPECT_EQ(t_.put(c), "checkpoints/m/sampler_weights/final");
  EXPECT_EQ(t_.checkpoints({.owner = "ann"}).at(0).type, CheckpointType::sampler_weights);
  EXPECT_EQ(t_.count_checkpoints("bob"), 0);
  t_.set_public("m", c.type, "final", true);
  t_.set_expires("m", c.type, "final", 100);
  EXPECT_TRUE(t_.checkpoint("m", c.type, "final")->is_public);
  EXPECT_TRUE(t_.expired_checkpoints(99).empty());
  EXPECT_EQ(t_.expired_checkpoints(100).size(), 1u);
  EXPECT_THROW(t_.set_public("m", c.type, "none", true), ValueError);
  EXPECT_EQ(t_.remove_checkpoint("m", c.type, "final")->folder, c.folder);
  EXPECT_FALSE(t_.remove_checkpoint("m", c.type, "final"));
  c.name = "../x";
  EXPECT_THROW(t_.insert(c), ValueError);
}

TEST_F(TablesTest, WhatReplayReadsIsKnown) {
  add_model("m", 1);
  OperationRecord o;
  o.request_id = "load";
  o.model_id = "m";
  o.seq_id = 3;
  o.kind = "load_weights";
  t_.insert(o);
  const std::string folder = "checkpoints/x/weights/y";
  t_.set_operation_reads("load", folder, "h");
  EXPECT_TRUE(t_.folder_is_known(folder));
  EXPECT_EQ(t_.known_folders(), std::vector<std::string>{folder});
  t_.set_recovery("m", 3, "state/m/3", "h");
  EXPECT_FALSE(t_.folder_is_known(folder)) << "the internal checkpoint is after the load";
  EXPECT_EQ(t_.folders_no_longer_read(), std::vector<std::string>{folder});
}

TEST_F(TablesTest, AuditUsageSecrets) {
  t_.insert(AuditRecord{10, "ann", "publish", "m", "tinker://m/weights/a", "{}"});
  t_.insert(AuditRecord{20, "ann", "delete", "m", "", R"({"x":1})"});
  t_.insert(AuditRecord{15, "bob", "delete", "n", "", "{}"});
  EXPECT_EQ(t_.audit("ann", 0, 100).at(0).event, "delete");
  EXPECT_EQ(t_.audit("ann", 0, 20).size(), 1u);
  t_.add_usage({60, "ann", "s", "base", "training", 5});
  t_.add_usage({60, "ann", "s", "base", "training", 7});
  EXPECT_EQ(t_.usage("ann", 0, 61).at(0).tokens, 12);
  EXPECT_TRUE(t_.usage("ann", 0, 60).empty());
  const std::string value("\0\1\2", 3);
  t_.put_secret("k", "old");
  t_.put_secret("k", value);
  EXPECT_EQ(t_.secret("k"), value);
  EXPECT_FALSE(t_.secret("none"));
}

TEST_F(TablesTest, TextsAreOnlyEverValues) {
  const std::string evil = "x'); DROP TABLE sessions; --";
  add_session(evil, 1, evil);
  EXPECT_EQ(t_.sessions({.owner = evil}).at(0).id, evil);
  EXPECT_EQ(t_.count_sessions("' OR 1=1 --"), 0);
}

TEST(Schema, MigratesStepByStepAndRefusesTheFuture) {
  test::StoreFolder folder;
  const std::string path = folder.around() + "/m.sqlite";
  const char* const one[] = {"CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES(1)"};
  const char* const two[] = {one[0], "ALTER TABLE a ADD COLUMN y TEXT NOT NULL DEFAULT 'new'"};
  const char* const broken[] = {one[0], two[1], "CREATE TABLE b(x); CREATE TABLE a(x)"};
  {
    Database database(path, Database::Access::write);
    EXPECT_EQ(migrate(database, one), 0);
    EXPECT_EQ(migrate(database, one), 1);
  }
  Database database(path, Database::Access::write);
  EXPECT_EQ(migrate(database, two), 1);
  EXPECT_EQ(database.integer("SELECT count(*) FROM a WHERE y = 'new'"), 1);
  EXPECT_THROW(migrate(database, broken), ValueError);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0) << "a step is whole or nothing";
  EXPECT_EQ(migrate(database, two), 2);
  try {
    migrate(database, one);
    FAIL() << "opened a database of a newer hearth";
  } catch (const IoError& e) {
    EXPECT_NE(std::string(e.what()).find("newer hearth (schema 2"), std::string::npos) << e.what();
  }
}

TEST(Schema, RefusesAnotherProgramsFile) {
  test::StoreFolder folder;
  Database database(folder.around() + "/m.sqlite", Database::Access::write);
  database.execute("CREATE TABLE mine(x)");
  EXPECT_THROW(migrate(database), IoError);
}

}  // namespace
}  // namespace hearth::server
