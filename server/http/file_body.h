// A file that is the body of an answer.
#pragma once

#include <cstdint>
#include <string>

namespace hearth::server {

/// Reads a file from its begin to the length that it had when it was opened.
class FileBody {
 public:
  FileBody() = default;
  ~FileBody();
  FileBody(FileBody&& other) noexcept;
  FileBody& operator=(FileBody&& other) noexcept;

  /// False where it cannot be opened or is no regular file. With `remove`, its name goes at once; what was opened can
  /// be read still.
  bool open(const std::string& path, bool remove);
  std::uint64_t size() const { return size_; }
  bool done() const { return at_ == size_; }
  /// The next piece; empty where the file cannot be read, or has become shorter.
  std::string next();

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0, at_ = 0;
};

}  // namespace hearth::server
