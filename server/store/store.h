// Store: everything that the server keeps on disk, behind one object: the database, its writer, and folders of files.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hearth/io/file_system.h"
#include "server/store/archive.h"
#include "server/store/downloads.h"
#include "server/store/folders.h"
#include "server/store/records.h"
#include "server/store/tables.h"
#include "server/store/writer.h"

namespace hearth::server {

using Change = std::function<void(Tables&)>;
using Done = std::function<void(std::exception_ptr)>;

/// What opening found and put right; for the log.
struct StartReport {
  bool created = false;              ///< a new, empty store
  bool after_crash = false;          ///< the last process did not close the store
  std::vector<std::string> removed;  ///< folders half-written, or that no row knows
  std::vector<std::string> damaged;  ///< checkpoints whose files are missing, as tinker:// paths
  int migrated_from = 0;             ///< schema version before; 0: it was current
};

/// One folder on disk, owned by one process at a time. docs/durability.md says what is promised.
/// Example: Store store("/var/lib/hearth"); store.write([=](Tables& t) { t.insert(session); }, on_durable);
class Store {
 public:
  /// Opens or makes the store: locks the folder, checks and migrates the database, sweeps what a crash left.
  /// Raises IoError in plain words: locked by another process, damaged, made by a newer hearth, disk full...
  explicit Store(std::string folder, FileSystem& fs = real_file_system());
  /// Does what is queued, then closes. `done` of everything queued is called before it returns.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Any thread; returns at once. `change` runs on the writer thread, in the order of the calls, together with what
  /// else is queued in one transaction; `done` is called there too, after the commit is durable (null), or with why
  /// it is not. A change that throws undoes only itself. After a failure of the disk that leaves in doubt what is on
  /// it, everything further is refused until the store is opened again (see `broken`).
  void write(Change change, Done done = {});
  /// Waits until the change is durable; raises what went wrong. Never on the loop thread, nor inside a `done`.
  void write_now(Change change);
  /// Committed rows. For one thread only (the loop's); quick, never waits for the writer.
  Tables& read();

  /// Does `task` on the store's background thread, one after the other: slow work on files (archives, retention).
  /// Tasks that still wait when the store is closed are dropped.
  void background(std::function<void()> task);

  /// Folders of checkpoints, snapshots and internal state.
  Folders& folders();
  /// Tar files for download.
  Archives& archives();
  /// Signs and checks the URLs of downloads; its key lies in the database.
  const DownloadSigner& downloads() const;
  const std::string& folder() const;
  FileSystem& file_system() const;
  /// Moves the folder to the trash unless a row still needs it; call after the change that forgot it is durable.
  void drop_folder(const std::string& relative, Done done = {});

  /// Why nothing can be written any more; empty: all is well. Any thread.
  std::string broken() const;
  /// Called once, on the writer thread, when the store breaks: the server should end the process.
  void on_broken(std::function<void(const std::string&)> callback);
  WriterFigures figures() const;
  const StartReport& start_report() const;
  /// Bytes of the database with its log.
  int64_t database_bytes() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hearth::server
