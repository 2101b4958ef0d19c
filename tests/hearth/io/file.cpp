// Tests of files: mappings, bounded reads, atomic writes under a failure of every call.
#include "hearth/io/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faulty_file_system.h"
#include "hearth/core/error.h"
#include "temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;
using hearth::test::FaultyFileSystem;
using hearth::test::TemporaryFolder;

namespace {

TEST(MappedFile, GivesTheBytesAndWritesStayInMemory) {
  TemporaryFolder folder;
  const std::string path = folder.put("a", "hello");
  {
    MappedFile file(path);
    EXPECT_EQ(file.text(), "hello");
    file.data()[0] = std::byte('J');
    EXPECT_EQ(file.text(), "Jello");
  }
  EXPECT_EQ(read_file(path), "hello");
}

TEST(MappedFile, RefusesWhatCannotBeMappedWithPathAndReason) {
  TemporaryFolder folder;
  const std::string empty = folder.put("empty", ""), missing = folder.path("missing"), fifo = folder.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(error_of<IoError>([&] { MappedFile file(empty); }), "read: is empty: " + empty);
  EXPECT_EQ(error_of<IoError>([&] { MappedFile file(missing); }), "read: does not exist: " + missing);
  EXPECT_EQ(error_of<IoError>([&] { MappedFile file(folder.path()); }), "read: is a directory: " + folder.path());
  EXPECT_EQ(error_of<IoError>([&] { MappedFile file("/dev/zero"); }), "read: is not a regular file: /dev/zero");
  EXPECT_EQ(error_of<IoError>([&] { MappedFile file(empty + "/x"); }),
            "read: a part of the path is not a directory: " + empty + "/x");
  EXPECT_NE(error_of<IoError>([&] { MappedFile file(std::string("a\0b", 3)); }).find("zero byte"), std::string::npos);
}

TEST(MappedFile, ReportsEveryFailingCallAndClosesTheFile) {
  TemporaryFolder folder;
  const std::string path = folder.put("a", "hello");
  for (int call = 0; call < 3; ++call) {
    FaultyFileSystem fs;
    fs.fail_at = call;
    fs.error = EIO;
    const std::string message = error_of<IoError>([&] { MappedFile file(path, fs); });
    EXPECT_NE(message.find("input/output error"), std::string::npos) << fs.failed_call << ": " << message;
    EXPECT_NE(message.find(path), std::string::npos) << message;
    EXPECT_EQ(fs.open_files, 0);
  }
}

TEST(ReadFile, ReadsWholeFilesAndKeepsTheLimit) {
  TemporaryFolder folder;
  const std::string bytes(100'000, 'x');
  const std::string path = folder.put("a", bytes);
  EXPECT_EQ(read_file(path), bytes);
  EXPECT_EQ(read_file(path, 100'000), bytes);
  EXPECT_EQ(error_of<IoError>([&] { read_file(path, 99'999); }),
            "read: is larger than 99999 bytes: " + path + ", 100000 bytes");
  EXPECT_EQ(read_file(folder.put("empty", "")), "");
  EXPECT_EQ(error_of<IoError>([&] { read_file(folder.path()); }), "read: is a directory: " + folder.path());
  EXPECT_NE(error_of<IoError>([&] { read_file("/dev/zero", 1000); }), "");
}

TEST(ReadFile, GoesOnAfterASignal) {
  TemporaryFolder folder;
  const std::string path = folder.put("a", "hello");
  FaultyFileSystem fs;
  fs.interrupt_first = true;
  EXPECT_EQ(read_file(path, 100, fs), "hello");
}

TEST(AtomicFile, ReplacesTheFile) {
  TemporaryFolder folder;
  const std::string path = folder.put("a", "old");
  {
    AtomicFile file(path);
    file.write("new ");
    EXPECT_EQ(read_file(path), "old");
    file.write("bytes");
    file.commit();
    EXPECT_EQ(file.written(), 9u);
    EXPECT_THROW(file.write("more"), IoError);
    EXPECT_THROW(file.commit(), IoError);
  }
  EXPECT_EQ(read_file(path), "new bytes");
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, WithoutCommitLeavesNothing) {
  TemporaryFolder folder;
  { AtomicFile(folder.path("a")).write("bytes"); }
  EXPECT_TRUE(folder.names().empty());
}

TEST(AtomicFile, WritesOnThroughShortWritesAndSignals) {
  TemporaryFolder folder;
  const std::string path = folder.path("a"), bytes(1000, 'y');
  FaultyFileSystem fs;
  fs.longest_write = 7;
  fs.interrupt_first = true;
  write_file_atomic(path, bytes, fs);
  EXPECT_EQ(read_file(path), bytes);
  EXPECT_EQ(fs.open_files, 0);
}

TEST(AtomicFile, AtEveryFailingCallTheOldFileOrTheNewOneIsThereAndNothingElse) {
  TemporaryFolder folder;
  FaultyFileSystem counter;
  write_file_atomic(folder.path("count"), "0123456789", counter);
  // The file must be on the disk before its name is, and the folder after it.
  ASSERT_EQ(counter.made,
            (std::vector<std::string>{"open", "write", "fsync", "close", "rename", "open", "fsync", "close"}));
  for (const int error : {ENOSPC, EIO, EDQUOT}) {
    for (int call = 0; call < counter.calls; ++call) {
      TemporaryFolder fresh;
      const std::string path = fresh.put("a", "old");
      FaultyFileSystem fs;
      fs.fail_at = call;
      fs.error = error;
      const std::string message = error_of<IoError>([&] { write_file_atomic(path, "0123456789", fs); });
      const bool last_close = call == 7;  // the folder's descriptor was only read: nothing can be lost
      EXPECT_EQ(message.empty(), last_close) << fs.failed_call;
      if (!last_close) {
        EXPECT_NE(message.find(errno_reason(error)), std::string::npos) << message;
        EXPECT_NE(message.find(call > 4 ? fresh.path() : path), std::string::npos) << message;
      }
      // From the rename on the new file is in place; only its survival of a power loss is in doubt.
      EXPECT_EQ(read_file(path), call > 4 ? "0123456789" : "old") << fs.failed_call;
      EXPECT_EQ(fresh.names().size(), 1u) << fs.failed_call;
      EXPECT_EQ(fs.open_files, 0) << fs.failed_call;
    }
  }
}

TEST(AtomicFile, SaysHowMuchWasWanted) {
  TemporaryFolder folder;
  const std::string path = folder.path("a");
  FaultyFileSystem fs;
  fs.fail_at = 1;
  EXPECT_EQ(error_of<IoError>([&] { write_file_atomic(path, "0123456789", fs); }),
            "write: no space left: " + path + ", wanted 10 bytes, wrote 5");
}

TEST(AtomicFile, ReportsARealFullDisk) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full here";
  struct FullDisk : FileSystem {
    int open(const char*, int flags, mode_t mode) override {
      return FileSystem::open("/dev/full", flags & ~(O_CREAT | O_EXCL), mode);
    }
  } fs;
  TemporaryFolder folder;
  EXPECT_NE(error_of<IoError>([&] { write_file_atomic(folder.path("a"), "x", fs); }).find("no space left"),
            std::string::npos);
}

TEST(AtomicFile, RefusesNamesThatAreNotFiles) {
  TemporaryFolder folder;
  EXPECT_THROW(write_file_atomic("", "x"), IoError);
  EXPECT_THROW(write_file_atomic(folder.path() + "/", "x"), IoError);
  EXPECT_THROW(write_file_atomic(folder.path("no/such/a"), "x"), IoError);
  ASSERT_EQ(::mkdir(folder.path("d").c_str(), 0700), 0);
  EXPECT_THROW(write_file_atomic(folder.path("d"), "x"), IoError);
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(AtomicFile, AProcessKilledAtAnyMomentLeavesOneWholeFile) {
  TemporaryFolder folder;
  const std::string path = folder.path("a");
  const std::string contents[] = {std::string(300'000, 'a'), std::string(200'000, 'b')};
  write_file_atomic(path, contents[0]);
  for (int round = 0; round < 12; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int i = 0;; ++i) write_file_atomic(path, contents[i % 2]);
    }
    ::usleep(useconds_t(1000 + 1700 * round));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const std::string found = read_file(path);
    EXPECT_TRUE(found == contents[0] || found == contents[1]) << found.size() << " bytes in round " << round;
    remove_stale_temporaries(folder.path());
    EXPECT_EQ(folder.names().size(), 1u);
  }
}

TEST(RemoveStaleTemporaries, RemovesThoseOfDeadProcessesOnly) {
  TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  folder.put("model.safetensors.hearth-tmp-" + std::to_string(child) + "-0", "half");
  folder.put("model.safetensors.hearth-tmp-" + std::to_string(::getpid()) + "-99", "mine");
  folder.put("notes.hearth-tmp-x", "not ours");
  EXPECT_EQ(remove_stale_temporaries(folder.path()), 1);
  EXPECT_EQ(folder.names().size(), 2u);
  EXPECT_EQ(remove_stale_temporaries(folder.path("absent")), 0);
}

}  // namespace
