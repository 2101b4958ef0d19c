// Database faults: SQLite's and the folders' system calls fail one by one. What was acknowledged is there afterwards.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>

#include "hearth/core/error.h"
#include "journal_load.h"
#include "server/store/store.h"
#include "store_folder.h"
#include "sync_hook.h"

namespace hearth::server {
namespace {

using test::StoreFolder;

/// Which system call fails, and how. Counted over all threads while armed.
struct Fault {
  std::atomic<bool> armed{false};
  std::atomic<int> calls{0};
  int fail_at = -1;
  int error = EIO;
  bool from_then_on = false;  // a dead disk, instead of one bad moment
  std::atomic<const char*> failed{nullptr};
  std::atomic<bool> sync_failed{false};
  std::atomic<bool> half_written{false};

  bool fails(const char* name) {
    if (!armed) return false;
    const int number = calls++;
    if (number != fail_at && !(from_then_on && fail_at >= 0 && number > fail_at)) return false;
    failed = name;
    errno = error;
    return true;
  }
};
Fault fault;

// The real calls, as SQLite knows them.
sqlite3_syscall_ptr real_open, real_pwrite, real_ftruncate, real_unlink, real_fallocate, real_mmap;

int fault_open(const char* path, int flags, int mode) {
  if (fault.fails("open")) return -1;
  return reinterpret_cast<int (*)(const char*, int, int)>(real_open)(path, flags, mode);
}

ssize_t fault_pwrite(int fd, const void* data, size_t count, off_t offset) {
  const auto write = reinterpret_cast<ssize_t (*)(int, const void*, size_t, off_t)>(real_pwrite);
  if (fault.half_written.exchange(false)) {
    errno = fault.error;
    return -1;
  }
  if (!fault.fails("pwrite")) return write(fd, data, count, offset);
  if (count < 2) return -1;
  // As a full disk does: half of it is written, then nothing.
  fault.half_written = true;
  return write(fd, data, count / 2, offset);
}

int fault_ftruncate(int fd, off_t size) {
  if (fault.fails("ftruncate")) return -1;
  return reinterpret_cast<int (*)(int, off_t)>(real_ftruncate)(fd, size);
}

int fault_unlink(const char* path) {
  if (fault.fails("unlink")) return -1;
  return reinterpret_cast<int (*)(const char*)>(real_unlink)(path);
}

int fault_fallocate(int fd, off_t offset, off_t size) {
  if (fault.fails("fallocate")) return fault.error;
  return reinterpret_cast<int (*)(int, off_t, off_t)>(real_fallocate)(fd, offset, size);
}

void* fault_mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  if (fault.fails("mmap")) return reinterpret_cast<void*>(-1);
  return reinterpret_cast<void* (*)(void*, size_t, int, int, int, off_t)>(real_mmap)(at, size, protection, flags, fd,
                                                                                     offset);
}

class DatabaseFaults : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sqlite3_initialize();
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    const auto replace = [&](const char* name, sqlite3_syscall_ptr& real, sqlite3_syscall_ptr by) {
      real = vfs->xGetSystemCall(vfs, name);
      if (real != nullptr) vfs->xSetSystemCall(vfs, name, by);
    };
    replace("open", real_open, reinterpret_cast<sqlite3_syscall_ptr>(fault_open));
    const char* pwrite_name = vfs->xGetSystemCall(vfs, "pwrite64") != nullptr ? "pwrite64" : "pwrite";
    replace(pwrite_name, real_pwrite, reinterpret_cast<sqlite3_syscall_ptr>(fault_pwrite));
    replace("ftruncate", real_ftruncate, reinterpret_cast<sqlite3_syscall_ptr>(fault_ftruncate));
    replace("unlink", real_unlink, reinterpret_cast<sqlite3_syscall_ptr>(fault_unlink));
    replace("fallocate", real_fallocate, reinterpret_cast<sqlite3_syscall_ptr>(fault_fallocate));
    replace("mmap", real_mmap, reinterpret_cast<sqlite3_syscall_ptr>(fault_mmap));
  }
  static void TearDownTestSuite() {
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, nullptr, nullptr);
  }

  /// Opens a store, writes operations, closes it; any of it may fail with a hearth error. Adds what was acknowledged.
  void work(const std::string& folder, int64_t first, std::set<int64_t>& acknowledged) {
    try {
      Store store(folder);
      bool refused = false;
      for (int64_t number = first; number < first + 6; ++number) {
        try {
          store.write_now([number](Tables& t) { test::write_operation(t, number); });
          acknowledged.insert(number);
          EXPECT_FALSE(refused) << "acknowledged " << number << " by a store that is broken";
        } catch (const Error& e) {
          EXPECT_NE(fault.failed, nullptr) << e.what();
        }
        refused = refused || !store.broken().empty();
      }
    } catch (const Error& e) {
      EXPECT_NE(fault.failed, nullptr) << e.what();
    }
  }

  /// One fault in the second life of a store that holds rows already. Returns the call that failed; null: none.
  const char* one_fault(int fail_at) {
    StoreFolder folder;
    std::filesystem::copy(first_.path(), folder.path(), std::filesystem::copy_options::recursive);
    std::set<int64_t> acknowledged = first_rows_;
    fault.calls = 0;
    fault.fail_at = fail_at;
    fault.failed = nullptr;
    fault.sync_failed = false;
    fault.half_written = false;
    fault.armed = true;
    work(folder.path(), 100, acknowledged);
    fault.armed = false;
    Store store(folder.path());
    test::expect_all(store, acknowledged);
    store.write_now([](Tables& t) { test::write_operation(t, 1000); });
    return fault.failed;
  }

  void every_fault(int error, bool from_then_on) {
    const test::SyncHook hook([](int fd) {
      if (fault.fails("fsync")) {
        fault.sync_failed = true;
        return -1;
      }
      (void)fd;
      return 0;  // the test's own disk need not be slow
    });
    work(first_.path(), 0, first_rows_);
    ASSERT_EQ(first_rows_.size(), 6u);
    fault.error = error;
    fault.from_then_on = from_then_on;
    std::set<std::string> kinds;
    int fail_at = 0;
    while (const char* failed = one_fault(fail_at)) {
      kinds.insert(failed);
      if (HasFatalFailure()) FAIL() << "fault " << fail_at << " of " << failed;
      ++fail_at;
    }
    EXPECT_GT(fail_at, 40);
    EXPECT_TRUE(kinds.count("fsync") == 1 && kinds.count("pwrite") == 1 && kinds.count("open") == 1);
  }

  StoreFolder first_;  // a store after its first life
  std::set<int64_t> first_rows_;
};

TEST_F(DatabaseFaults, OneCallFindsTheDiskFull) { every_fault(ENOSPC, false); }
TEST_F(DatabaseFaults, OneCallHasAnInputOutputError) { every_fault(EIO, false); }
TEST_F(DatabaseFaults, TheDiskDies) { every_fault(EIO, true); }
TEST_F(DatabaseFaults, TheDiskStaysFull) { every_fault(ENOSPC, true); }

TEST_F(DatabaseFaults, AfterAFailedFsyncNothingIsAcknowledged) {
  StoreFolder folder;
  std::atomic<bool> fail{false};
  std::atomic<int> told{0};
  {
    const test::SyncHook hook([&](int fd) {
      if (!fail.exchange(false)) return test::real_sync(fd);
      errno = EIO;
      return -1;
    });
    Store store(folder.path());
    store.on_broken([&](const std::string& why) {
      ++told;
      EXPECT_NE(why.find("fsync failed"), std::string::npos) << why;
    });
    store.write_now([](Tables& t) { test::write_operation(t, 1); });
    fail = true;
    EXPECT_THROW(store.write_now([](Tables& t) { test::write_operation(t, 2); }), IoError);
    // The disk is well again, but what the kernel holds can no longer be trusted.
    for (int64_t number = 3; number < 6; ++number) {
      try {
        store.write_now([number](Tables& t) { test::write_operation(t, number); });
        FAIL() << "acknowledged after a failed fsync";
      } catch (const IoError& e) {
        EXPECT_NE(std::string(e.what()).find("until the server is started again"), std::string::npos) << e.what();
      }
    }
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(store.read().operation("r1"));
  }
  Store store(folder.path());
  EXPECT_TRUE(store.broken().empty());
  test::expect_all(store, {1});
  store.write_now([](Tables& t) { test::write_operation(t, 9); });
}

TEST_F(DatabaseFaults, AFullDiskFailsOnlyWhatFindsItFull) {
  StoreFolder folder;
  Store store(folder.path());
  store.write_now([](Tables& t) { test::write_operation(t, 1); });
  fault.calls = 0;
  fault.fail_at = 0;
  fault.error = ENOSPC;
  fault.from_then_on = true;
  fault.armed = true;
  try {
    store.write_now([](Tables& t) { test::write_operation(t, 2); });
    fault.armed = false;
    FAIL() << "wrote to a full disk";
  } catch (const IoError& e) {
    EXPECT_NE(std::string(e.what()).find("no space left"), std::string::npos) << e.what();
  }
  fault.armed = false;
  fault.half_written = false;
  EXPECT_EQ(store.broken(), "");
  store.write_now([](Tables& t) { test::write_operation(t, 3); });
  test::expect_all(store, {1, 3});
  EXPECT_FALSE(store.read().operation("r2"));
}

}  // namespace
}  // namespace hearth::server
