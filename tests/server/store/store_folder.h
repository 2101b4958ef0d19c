// StoreFolder: a folder of its own for each test, gone with it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace hearth::server::test {

class StoreFolder {
 public:
  /// In memory where the system offers that: tests make thousands of files, and what a disk adds they make themselves.
  explicit StoreFolder(bool on_disk = false) {
    const bool memory = !on_disk && ::access("/dev/shm", W_OK | X_OK) == 0;
    const auto where = memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
    std::string name = (where / "hearth-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~StoreFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;
  /// Where a store may be made; not there yet.
  std::string path() const { return path_ + "/store"; }
  const std::string& around() const { return path_; }

 private:
  std::string path_;
};

}  // namespace hearth::server::test
