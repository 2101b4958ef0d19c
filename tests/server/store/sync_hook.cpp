// Sync hook: definitions of fsync and fdatasync that stand before the C library's.
#include "sync_hook.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <utility>

namespace hearth::server::test {

namespace {

std::mutex mutex;
std::shared_ptr<std::function<int(int)>> current;

int sync(int fd) {
  std::shared_ptr<std::function<int(int)>> hook;
  {
    const std::lock_guard lock(mutex);
    hook = current;
  }
  return hook ? (*hook)(fd) : real_sync(fd);
}

}  // namespace

SyncHook::SyncHook(std::function<int(int)> hook) {
  const std::lock_guard lock(mutex);
  current = std::make_shared<std::function<int(int)>>(std::move(hook));
}

SyncHook::~SyncHook() {
  const std::lock_guard lock(mutex);
  current = nullptr;
}

int real_sync(int fd) { return int(::syscall(SYS_fdatasync, fd)); }

}  // namespace hearth::server::test

extern "C" __attribute__((visibility("default"))) int fsync(int fd) { return hearth::server::test::sync(fd); }
extern "C" __attribute__((visibility("default"))) int fdatasync(int fd) { return hearth::server::test::sync(fd); }
