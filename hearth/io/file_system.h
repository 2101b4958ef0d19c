// FileSystem: every file-system call that hearth makes, behind one replaceable class, so that tests can make any of
// them fail.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hearth {

/// What `FileSystem::status` tells about an open file.
struct FileStatus {
  uint64_t size = 0;
  bool regular = false;
  bool directory = false;
};

/// The calls of POSIX with POSIX's own conventions (-1 and errno on failure). The base class makes the real calls;
/// a test derives from it and fails the call that it wants. Stateless, safe to use from many threads.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual int close(int fd);
  virtual ssize_t read(int fd, void* data, size_t count);
  virtual ssize_t write(int fd, const void* data, size_t count);
  virtual int fsync(int fd);
  virtual int rename(const char* from, const char* to);
  virtual int unlink(const char* path);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int rmdir(const char* path);
  /// The names in a folder without "." and "..", in ascending order.
  virtual int list(const char* path, std::vector<std::string>& names);
  virtual int status(int fd, FileStatus& out);
  /// Private copy-on-write mapping of the first `count` bytes; nullptr and errno on failure.
  virtual void* map(int fd, size_t count);
  virtual int unmap(void* data, size_t count);
};

/// The file system of the machine: what every function uses unless it is given another one.
FileSystem& real_file_system();

/// The words for an errno, in hearth's terms: "no space left", "input/output error", "does not exist"...
std::string errno_reason(int error);

}  // namespace hearth
