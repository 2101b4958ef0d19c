// Faulty file system: counts the calls made through it and makes one of them fail.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "hearth/io/file_system.h"

namespace hearth::test {

/// Real calls, except call number `fail_at` (counted from 0; -1: none), which fails with `error`. A write that fails
/// has written half of its bytes before, as a full disk does. `longest_write` cuts every write short.
class FaultyFileSystem : public FileSystem {
 public:
  int fail_at = -1;
  int error = ENOSPC;
  size_t longest_write = size_t(-1);
  bool interrupt_first = false;  ///< each kind of call that a signal can interrupt is so (EINTR) once
  int calls = 0;
  int open_files = 0;
  std::string failed_call;
  std::vector<std::string> made;  ///< the calls that were not interrupted, in order

  int open(const char* path, int flags, mode_t mode) override {
    if (fails("open")) return -1;
    const int fd = FileSystem::open(path, flags, mode);
    open_files += fd >= 0;
    return fd;
  }
  int close(int fd) override {
    const bool failing = fails("close", false);
    open_files -= FileSystem::close(fd) == 0;
    if (failing) errno = error;
    return failing ? -1 : 0;
  }
  ssize_t read(int fd, void* data, size_t count) override {
    return fails("read") ? -1 : FileSystem::read(fd, data, count);
  }
  ssize_t write(int fd, const void* data, size_t count) override {
    if (half_written_) {
      half_written_ = false;
      errno = error;
      return -1;
    }
    if (fails("write", count < 2)) {
      if (count < 2 || errno == EINTR) return -1;
      half_written_ = true;
      return FileSystem::write(fd, data, count / 2);
    }
    return FileSystem::write(fd, data, std::min(count, longest_write));
  }
  int fsync(int fd) override { return fails("fsync") ? -1 : FileSystem::fsync(fd); }
  int rename(const char* from, const char* to) override {
    return fails("rename", false) ? -1 : FileSystem::rename(from, to);
  }
  int unlink(const char* path) override { return FileSystem::unlink(path); }
  int mkdir(const char* path, mode_t mode) override {
    return fails("mkdir", false) ? -1 : FileSystem::mkdir(path, mode);
  }
  int rmdir(const char* path) override { return fails("rmdir", false) ? -1 : FileSystem::rmdir(path); }
  int list(const char* path, std::vector<std::string>& names) override {
    return fails("list", false) ? -1 : FileSystem::list(path, names);
  }
  int status(int fd, FileStatus& out) override { return fails("status", false) ? -1 : FileSystem::status(fd, out); }
  void* map(int fd, size_t count) override { return fails("map", false) ? nullptr : FileSystem::map(fd, count); }

 protected:
  bool fails(const char* call, bool interruptible = true) {
    errno = 0;
    if (interrupt_first && interruptible && interrupted_.insert(call).second) {
      errno = EINTR;
      return true;
    }
    made.push_back(call);
    if (calls++ != fail_at) return false;
    failed_call = call;
    errno = error;
    return true;
  }

 private:
  bool half_written_ = false;
  std::set<std::string> interrupted_;
};

}  // namespace hearth::test
