// Sync hook: every fsync and fdatasync of this program, SQLite's too, passes through here and can be watched or failed.
#pragma once

#include <functional>

namespace hearth::server::test {

/// While it lives, `hook` is called instead of fsync and fdatasync, from any thread; it returns what they would. One at
/// a time.
class SyncHook {
 public:
  explicit SyncHook(std::function<int(int fd)> hook);
  ~SyncHook();
  SyncHook(const SyncHook&) = delete;
  SyncHook& operator=(const SyncHook&) = delete;
};

/// The real call.
int real_sync(int fd);

}  // namespace hearth::server::test
