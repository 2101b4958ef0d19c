// Test data: shared tokenizer files and texts.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace hearth::llm {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::filesystem::path shared_data(const std::string& name) {
  return std::filesystem::path(HEARTH_SHARED) / "data" / name;
}

/// Why a test that needs a shared file is skipped; empty when the file is there.
inline std::string shared_is_absent(const std::string& name) {
  const auto path = shared_data(name);
  return std::filesystem::exists(path) ? "" : "shared data is absent: " + path.string();
}

/// A folder of its own for a test, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth_tokenizer_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace hearth::llm
