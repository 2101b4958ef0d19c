// Tar: checkpoint files as one archive for downloading.
#pragma once

#include <string>
#include <vector>

namespace hearth::server {

/// A file of an archive: its name within it and what it holds.
struct TarFile {
  std::string name;
  std::string path;  ///< the file to read; empty: `bytes`
  std::string bytes = {};
};

/// Writes an uncompressed POSIX archive (ustar) with plain files of mode 0644 and no owner, in the order given; the
/// same files give the same bytes. Raises IoError; what was written stays for the caller to remove.
/// Example: write_tar("/tmp/out.tar", {{"adapter_config.json", folder + "/adapter_config.json"}});
void write_tar(const std::string& out, const std::vector<TarFile>& files);

}  // namespace hearth::server
