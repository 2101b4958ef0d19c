// A file that is the body of an answer.
#include "server/http/file_body.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hearth::server {

FileBody::~FileBody() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileBody::FileBody(FileBody&& other) noexcept { *this = std::move(other); }

FileBody& FileBody::operator=(FileBody&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  std::swap(at_, other.at_);
  return *this;
}

bool FileBody::open(const std::string& path, bool remove) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (remove) ::unlink(path.c_str());
  struct stat status {};
  if (descriptor_ < 0 || fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  size_ = static_cast<std::uint64_t>(status.st_size);
  at_ = 0;
  return true;
}

std::string FileBody::next() {
  constexpr std::uint64_t piece = 256 << 10;
  std::string bytes(std::min(piece, size_ - at_), '\0');
  const ssize_t n = pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at_));
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  at_ += bytes.size();
  return bytes;
}

}  // namespace hearth::server
