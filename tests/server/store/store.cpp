// Store: rows come back, groups commit together, a change that throws undoes itself, the folder has one owner.
#include "server/store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "server/store/database.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

using test::StoreFolder;

SessionRecord session(const std::string& id) {
  SessionRecord out;
  out.id = id;
  out.owner = "ann";
  out.created = 10;
  return out;
}

TEST(Store, KeepsWhatItWasGiven) {
  StoreFolder folder;
  {
    Store store(folder.path());
    EXPECT_TRUE(store.start_report().created);
    SessionRecord s = session("s1");
    s.tags = R"(["a"])";
    s.display_name = "my run";
    store.write_now([&](Tables& t) { t.insert(s); });
    EXPECT_EQ(store.read().session("s1")->display_name, "my run");
  }
  Store store(folder.path());
  EXPECT_FALSE(store.start_report().created);
  EXPECT_FALSE(store.start_report().after_crash);
  const auto found = store.read().session("s1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->tags, R"(["a"])");
  EXPECT_FALSE(store.read().session("s2"));
}

TEST(Store, AChangeThatThrowsUndoesOnlyItself) {
  StoreFolder folder;
  Store store(folder.path());
  // The gate makes the three changes one group.
  std::promise<void> gate;
  store.write([open = gate.get_future().share()](Tables&) { open.wait(); });
  std::promise<std::exception_ptr> outcomes[3];
  store.write([](Tables& t) { t.insert(session("a")); }, [&](auto e) { outcomes[0].set_value(e); });
  store.write(
      [](Tables& t) {
        t.insert(session("b"));
        t.insert(session("a"));
      },
      [&](auto e) { outcomes[1].set_value(e); });
  store.write([](Tables& t) { t.insert(session("c")); }, [&](auto e) { outcomes[2].set_value(e); });
  gate.set_value();
  EXPECT_EQ(outcomes[0].get_future().get(), nullptr);
  const auto error = outcomes[1].get_future().get();
  ASSERT_NE(error, nullptr);
  EXPECT_THROW(std::rethrow_exception(error), ValueError);
  EXPECT_EQ(outcomes[2].get_future().get(), nullptr);
  EXPECT_TRUE(store.read().session("a"));
  EXPECT_FALSE(store.read().session("b"));
  EXPECT_TRUE(store.read().session("c"));
  EXPECT_TRUE(store.broken().empty());
  EXPECT_LE(store.figures().commits, 2);
  EXPECT_EQ(store.figures().failed, 1);
}

TEST(Store, AnExceptionOfAnyKindReachesDone) {
  StoreFolder folder;
  Store store(folder.path());
  EXPECT_THROW(store.write_now([](Tables&) { throw std::runtime_error("mine"); }), std::runtime_error);
  EXPECT_THROW(store.write_now([](Tables&) { throw 7; }), int);
  store.write_now([](Tables& t) { t.insert(session("after")); });
  EXPECT_TRUE(store.read().session("after"));
}

TEST(Store, ClosingDoesWhatIsQueued) {
  StoreFolder folder;
  std::atomic<int> done{0};
  {
    Store store(folder.path());
    for (int i = 0; i < 500; ++i) {
      store.write([i](Tables& t) { t.insert(session(std::to_string(i))); }, [&](std::exception_ptr e) { done += !e; });
    }
  }
  EXPECT_EQ(done, 500);
  Store store(folder.path());
  EXPECT_EQ(store.read().count_sessions("ann"), 500);
}

TEST(Store, HasOneOwner) {
  StoreFolder folder;
  Store store(folder.path());
  try {
    Store second(folder.path());
    FAIL() << "two stores share a folder";
  } catch (const IoError& e) {
    EXPECT_NE(std::string(e.what()).find("another process uses this folder"), std::string::npos) << e.what();
  }
}

TEST(Store, RefusesWhatIsNotItsDatabase) {
  StoreFolder folder;
  { Store store(folder.path()); }
  write_file_atomic(folder.path() + "/hearth.sqlite", std::string(8192, 'x'));
  EXPECT_THROW(Store{folder.path()}, IoError);
}

TEST(Store, RefusesCheckpointsWithoutADatabase) {
  StoreFolder folder;
  {
    Store store(folder.path());
    Draft draft = store.folders().draft();
    write_file_atomic(draft.path() + "/a", "b");
    draft.seal(Folders::place_of_snapshot("s"));
  }
  std::filesystem::remove(folder.path() + "/hearth.sqlite");
  EXPECT_THROW(Store{folder.path()}, IoError);
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/snapshots/s/a"));
}

TEST(Store, GroupsCommits) {
  StoreFolder folder(true);
  Store store(folder.path());
  const auto now = std::chrono::steady_clock::now;
  const auto begin = now();
  for (int i = 0; i < 50; ++i) {
    store.write_now([i](Tables& t) { t.insert(session("one" + std::to_string(i))); });
  }
  const double alone = std::chrono::duration<double>(now() - begin).count() / 50;
  const auto start = now();
  for (int i = 0; i < 1000; ++i) store.write([i](Tables& t) { t.insert(session("q" + std::to_string(i))); });
  store.write_now({});
  const double queued = std::chrono::duration<double>(now() - start).count();
  std::printf("alone %.3f ms, 1000 queued %.1f ms in %d commits\n", alone * 1e3, queued * 1e3,
              int(store.figures().commits - 50));
  EXPECT_LT(store.figures().commits, 500);
}

}  // namespace
}  // namespace hearth::server
