// Files: read-only mappings, bounded reads, and atomic durable writes.
#include "hearth/io/file.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <limits>
#include <utility>

#include "hearth/core/error.h"

namespace hearth {

namespace {

// A single write larger than this is cut by Linux anyway.
constexpr size_t largest_write = size_t(1) << 30;
constexpr std::string_view temporary_mark = ".hearth-tmp-";

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_name(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  return path + std::string(temporary_mark) + std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

}  // namespace

FileDescriptor::FileDescriptor(FileSystem& fs, const char* what, const std::string& path, int flags, mode_t mode)
    : fs_(fs) {
  check<IoError>(path.find('\0') == std::string::npos, what, ": the path holds a zero byte: ", path.c_str());
  do {
    fd_ = fs_.open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd_ < 0 && errno == EINTR);
  if (fd_ < 0) fail<IoError>(what, ": ", errno_reason(errno), ": ", path);
}

FileDescriptor::~FileDescriptor() { close(); }

bool FileDescriptor::close() {
  if (fd_ < 0) return true;
  const int result = fs_.close(std::exchange(fd_, -1));
  // After EINTR Linux has closed the descriptor; a second close could hit a stranger's.
  return result == 0 || errno == EINTR;
}

MappedFile::MappedFile(const std::string& path, FileSystem& fs) : fs_(fs), path_(path) {
  FileDescriptor file(fs, "read", path, O_RDONLY);
  FileStatus status;
  if (fs.status(file.get(), status) != 0) fail<IoError>("read: ", errno_reason(errno), ": ", path);
  check<IoError>(!status.directory, "read: is a directory: ", path);
  check<IoError>(status.regular, "read: is not a regular file: ", path);
  check<IoError>(status.size > 0, "read: is empty: ", path);
  check<IoError>(status.size <= std::numeric_limits<size_t>::max() / 2, "read: is too large to map: ", path);
  void* data = fs.map(file.get(), size_t(status.size));
  if (data == nullptr) fail<IoError>("read: cannot map ", status.size, " bytes: ", errno_reason(errno), ": ", path);
  data_ = static_cast<std::byte*>(data);
  size_ = size_t(status.size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) fs_.unmap(data_, size_);
}

std::string read_file(const std::string& path, size_t limit, FileSystem& fs) {
  FileDescriptor file(fs, "read", path, O_RDONLY);
  FileStatus status;
  if (fs.status(file.get(), status) != 0) fail<IoError>("read: ", errno_reason(errno), ": ", path);
  check<IoError>(!status.directory, "read: is a directory: ", path);
  check<IoError>(status.size <= limit, "read: is larger than ", limit, " bytes: ", path, ", ", status.size, " bytes");
  std::string bytes;
  size_t used = 0;
  for (;;) {
    // The size from the system is a hint only: pipes have none, and a file may grow.
    if (used == bytes.size()) bytes.resize(std::max<size_t>({size_t(status.size) + 1, used * 2, 4096}));
    const ssize_t got = fs.read(file.get(), bytes.data() + used, std::min(bytes.size() - used, largest_write));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail<IoError>("read: ", errno_reason(errno), ": ", path);
    if (got == 0) break;
    used += size_t(got);
    check<IoError>(used <= limit, "read: is larger than ", limit, " bytes: ", path);
  }
  bytes.resize(used);
  return bytes;
}

AtomicFile::AtomicFile(std::string path, FileSystem& fs) : fs_(fs), path_(std::move(path)) {
  check<IoError>(!path_.empty() && path_.back() != '/', "write: not the name of a file: ", path_);
  temporary_ = temporary_name(path_);
  file_ = std::make_unique<FileDescriptor>(fs_, "write", temporary_, O_WRONLY | O_CREAT | O_EXCL);
  pending_ = true;
}

AtomicFile::~AtomicFile() {
  if (!pending_) return;
  file_.reset();
  fs_.unlink(temporary_.c_str());
}

void AtomicFile::fail_with(const char* call, int error) {
  fail<IoError>("write: ", errno_reason(error), ": ", path_, ", ", call, " after ", written_, " bytes");
}

void AtomicFile::write(const void* data, size_t count) {
  check<IoError>(pending_, "write: the file is already in place: ", path_);
  const char* next = static_cast<const char*>(data);
  size_t left = count;
  while (left > 0) {
    const ssize_t wrote = fs_.write(file_->get(), next, std::min(left, largest_write));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const std::string reason = wrote < 0 ? errno_reason(errno) : "the system wrote nothing";
      fail<IoError>("write: ", reason, ": ", path_, ", wanted ", written_ + left, " bytes, wrote ", written_);
    }
    next += wrote;
    left -= size_t(wrote);
    written_ += uint64_t(wrote);
  }
}

void AtomicFile::commit() {
  check<IoError>(pending_, "write: the file is already in place: ", path_);
  int result;
  do {
    result = fs_.fsync(file_->get());
  } while (result != 0 && errno == EINTR);
  if (result != 0) fail_with("fsync", errno);
  if (!file_->close()) fail_with("close", errno);
  if (fs_.rename(temporary_.c_str(), path_.c_str()) != 0) fail_with("rename", errno);
  pending_ = false;
  sync_folder();
}

void AtomicFile::sync_folder() {
  FileDescriptor folder(fs_, "write: open the folder", folder_of(path_), O_RDONLY | O_DIRECTORY);
  int result;
  do {
    result = fs_.fsync(folder.get());
  } while (result != 0 && errno == EINTR);
  // EINVAL: a file system that has no fsync for folders.
  if (result != 0 && errno != EINVAL) fail_with("fsync of the folder", errno);
}

void write_file_atomic(const std::string& path, std::string_view bytes, FileSystem& fs) {
  AtomicFile file(path, fs);
  file.write(bytes);
  file.commit();
}

int remove_stale_temporaries(const std::string& folder) {
  int removed = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const size_t mark = name.rfind(temporary_mark);
    if (mark == std::string::npos) continue;
    const char* first = name.data() + mark + temporary_mark.size();
    const char* last = name.data() + name.size();
    int pid = 0;
    const auto [end, status] = std::from_chars(first, last, pid);
    if (status != std::errc() || end == last || *end != '-' || pid <= 0) continue;
    const bool running = pid == ::getpid() || ::kill(pid, 0) == 0 || errno != ESRCH;
    if (!running && ::unlink(entry.path().c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace hearth
