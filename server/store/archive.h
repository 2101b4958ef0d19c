// Archive: a checkpoint as one tar file, built when asked for, kept for the next time.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "hearth/io/file_system.h"

namespace hearth::server {

/// A tar file that is ready to be sent.
struct Archive {
  std::string path;
  int64_t size = 0;
};

/// Tar files by the hash of the checkpoint that they hold: a checkpoint never changes, so they are never stale.
/// Content: adapter_config.json, adapter_model.safetensors and an empty checkpoint_complete; no folders, no links,
/// nothing of the machine (owner 0, time 0), so the same checkpoint gives the same bytes. Any thread.
class Archives {
 public:
  /// Makes `folder`, and removes what a killed process left half-written.
  Archives(std::string folder, FileSystem& fs);
  /// Nothing when it has to be built first.
  std::optional<Archive> find(const std::string& hash) const;
  /// Builds it aside, then puts it in its place; returns at once what is there already. Slow: not on the loop thread.
  /// Raises IoError when the checkpoint lacks a file, or reading or writing fails; nothing is left then.
  Archive build(const std::string& checkpoint_folder, const std::string& hash);
  /// Removes the archives of checkpoints that are not in `hashes`, and the oldest ones until the rest has at most
  /// `limit` bytes. Returns how many.
  int keep_only(const std::set<std::string>& hashes, int64_t limit);

 private:
  std::string path_of(const std::string& hash) const;
  std::string folder_;
  FileSystem& fs_;
  std::mutex building_;
};

}  // namespace hearth::server
