// Writer: the thread that changes the database. All that is queued becomes one transaction and one fsync.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

/// What the writer did since it began.
struct WriterFigures {
  int64_t changes = 0;
  int64_t commits = 0;
  int64_t failed = 0;  ///< changes that were not made
  double seconds_in_commit = 0;
};

/// Changes in the order in which they were added, group by group. Each runs inside a savepoint: one that throws undoes
/// only itself. The `done` of a group are called after its commit returned, in order, on this thread.
///
/// After a failure that leaves in doubt what is on the disk (an fsync that failed, any other input/output error,
/// damage) nothing further is written: the kernel may have forgotten pages that it could not write while it still shows
/// them, so a second fsync that succeeds would prove nothing. Opening anew begins with a copy of the whole log into the
/// file and fsync, which settles it. A full disk or another program's lock only fails the group.
class Writer {
 public:
  explicit Writer(Database& database);
  /// Does what is queued, then ends.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void add(std::function<void(Tables&)> change, std::function<void(std::exception_ptr)> done);
  std::string broken() const;
  void on_broken(std::function<void(const std::string&)> callback);
  WriterFigures figures() const;

 private:
  struct Item {
    std::function<void(Tables&)> change;
    std::function<void(std::exception_ptr)> done;
    std::exception_ptr error;
  };
  void run();
  void write_group(std::vector<Item>& group);
  void change_one(Item& item);
  void roll_back();
  void copy_log();
  void note_failure(const std::exception_ptr& error);

  Database& database_;
  Tables tables_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Item> queue_;
  bool ending_ = false;
  std::string broken_;
  std::function<void(const std::string&)> on_broken_;
  WriterFigures figures_;
  int64_t next_copy_;  // pages of log at which the log is copied
  std::thread thread_;
};

}  // namespace hearth::server
