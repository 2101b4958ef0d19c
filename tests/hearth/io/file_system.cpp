// Tests of the file-system layer: the words for errors and the real calls.
#include "hearth/io/file_system.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "temporary_folder.h"

using namespace hearth;

namespace {

TEST(FileSystem, NamesErrorsInPlainWords) {
  EXPECT_EQ(errno_reason(ENOSPC), "no space left");
  EXPECT_EQ(errno_reason(EIO), "input/output error");
  EXPECT_EQ(errno_reason(ENOENT), "does not exist");
  EXPECT_EQ(errno_reason(EACCES), "permission denied");
  EXPECT_FALSE(errno_reason(ELOOP).empty());
}

TEST(FileSystem, TellsFilesFromFolders) {
  test::TemporaryFolder folder;
  FileSystem& fs = real_file_system();
  FileStatus status;
  const int file = fs.open(folder.put("a", "12345").c_str(), O_RDONLY, 0);
  ASSERT_EQ(fs.status(file, status), 0);
  EXPECT_TRUE(status.regular && !status.directory && status.size == 5);
  EXPECT_EQ(fs.close(file), 0);
  const int directory = fs.open(folder.path().c_str(), O_RDONLY, 0);
  ASSERT_EQ(fs.status(directory, status), 0);
  EXPECT_TRUE(status.directory && !status.regular);
  EXPECT_EQ(fs.close(directory), 0);
  EXPECT_EQ(fs.status(directory, status), -1);
}

}  // namespace
