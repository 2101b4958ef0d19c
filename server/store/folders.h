// Folders: files that belong together (a checkpoint, a snapshot, an internal state), made whole or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/io/file_system.h"
#include "server/store/records.h"

namespace hearth::server {

/// A folder in its place: durable, never changed again.
struct Sealed {
  std::string folder;  ///< relative to the store: what records hold
  int64_t size = 0;    ///< bytes of all its files
  std::string hash;    ///< see hash_folder
};

/// BLAKE2b-256 over the names, sizes and bytes of a folder's files in the order of their names, as 64 hexadecimal
/// digits. Raises IoError when a file cannot be read, ValueError for a link, a folder inside or a file of no kind.
std::string hash_folder(const std::string& path, FileSystem& fs = real_file_system(), int64_t* size = nullptr);

class Folders;

/// A folder being filled, outside every place where readers look. Destroyed unsealed, it is removed.
/// Example: Draft draft = folders.draft(); trainer.save(draft.path()); Sealed sealed = draft.seal(place);
class Draft {
 public:
  Draft(Draft&&) noexcept;
  ~Draft();
  /// Write the files here; plain files only.
  const std::string& path() const { return path_; }
  /// Makes all files durable (fsync of each and of the folder), puts the folder in `place` (see Folders::place_*) or,
  /// where something is, in a free place beside it, and makes that durable too. Raises IoError; the draft then stays
  /// a draft and is removed with it.
  Sealed seal(const std::string& place);

 private:
  friend class Folders;
  Draft(Folders& folders, std::string path) : folders_(&folders), path_(std::move(path)) {}
  Folders* folders_;
  std::string path_;
};

/// All folders of a store. Any thread: threads never share a folder before it is sealed.
class Folders {
 public:
  /// Makes the folders that are missing below `root`. Raises IoError.
  Folders(std::string root, FileSystem& fs);

  Draft draft();
  /// Where folders belong, relative to the store. Ids are encoded, so any text is safe.
  static std::string place_of_checkpoint(std::string_view run, CheckpointType type, std::string_view name);
  static std::string place_of_snapshot(std::string_view sampler_id);
  static std::string place_of_state(std::string_view model_id, int64_t seq_id);

  /// The path to give to readers.
  std::string path(const std::string& relative) const { return root_ + "/" + relative; }
  bool exists(const std::string& relative) const;
  /// Raises IoError when the folder is missing or its files are not those of `hash`.
  void verify(const std::string& relative, const std::string& hash) const;

  /// Takes a folder out of its place in one rename; empty_trash frees the space. Nothing happens when it is missing.
  void trash(const std::string& relative);
  /// Deletes what is in the trash; returns how many folders. Stops quietly at what cannot be deleted.
  int empty_trash();
  /// All sealed folders there are, relative to the store.
  std::vector<std::string> sealed() const;
  /// Start-up only: removes drafts that a killed process left, and folders that are not in `known`. Returns both.
  std::vector<std::string> sweep(const std::vector<std::string>& known);

  const std::string& root() const { return root_; }
  FileSystem& file_system() const { return fs_; }

 private:
  friend class Draft;
  std::string root_;
  FileSystem& fs_;
};

}  // namespace hearth::server
