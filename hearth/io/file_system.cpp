// FileSystem: the real calls.
#include "hearth/io/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace hearth {

int FileSystem::open(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }
int FileSystem::close(int fd) { return ::close(fd); }
ssize_t FileSystem::read(int fd, void* data, size_t count) { return ::read(fd, data, count); }
ssize_t FileSystem::write(int fd, const void* data, size_t count) { return ::write(fd, data, count); }
int FileSystem::fsync(int fd) { return ::fsync(fd); }
int FileSystem::rename(const char* from, const char* to) { return std::rename(from, to); }
int FileSystem::unlink(const char* path) { return ::unlink(path); }

int FileSystem::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }
int FileSystem::rmdir(const char* path) { return ::rmdir(path); }

int FileSystem::list(const char* path, std::vector<std::string>& names) {
  names.clear();
  DIR* folder = ::opendir(path);
  if (folder == nullptr) return -1;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int error = errno;
  ::closedir(folder);
  errno = error;
  std::sort(names.begin(), names.end());
  return error == 0 ? 0 : -1;
}

int FileSystem::status(int fd, FileStatus& out) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return -1;
  out.size = uint64_t(status.st_size);
  out.regular = S_ISREG(status.st_mode);
  out.directory = S_ISDIR(status.st_mode);
  return 0;
}

void* FileSystem::map(int fd, size_t count) {
  void* data = ::mmap(nullptr, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
  return data == MAP_FAILED ? nullptr : data;
}

int FileSystem::unmap(void* data, size_t count) { return ::munmap(data, count); }

FileSystem& real_file_system() {
  static FileSystem file_system;
  return file_system;
}

std::string errno_reason(int error) {
  switch (error) {
    case ENOSPC:
      return "no space left";
    case EDQUOT:
      return "disk quota used up";
    case EIO:
      return "input/output error";
    case ENOENT:
      return "does not exist";
    case EACCES:
    case EPERM:
      return "permission denied";
    case EISDIR:
      return "is a directory";
    case ENOTDIR:
      return "a part of the path is not a directory";
    case ELOOP:
      return "is a link";
    case EMFILE:
    case ENFILE:
      return "too many open files";
    case EROFS:
      return "read-only file system";
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace hearth
