// Files: read-only mappings, bounded reads, and atomic durable writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hearth/io/file_system.h"

namespace hearth {

/// An open file descriptor that closes itself. Raises IoError `WHAT: REASON: PATH` when the file cannot be opened.
class FileDescriptor {
 public:
  FileDescriptor(FileSystem& fs, const char* what, const std::string& path, int flags, mode_t mode = 0666);
  ~FileDescriptor();
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  /// Closes now; false (and errno) when the system reports an error, e.g. delayed data that could not be written.
  bool close();

 private:
  FileSystem& fs_;
  int fd_ = -1;
};

/// The bytes of a regular file, mapped into memory. The mapping is private: a write through `data()` changes the
/// memory and never the file. Raises IoError for a missing file, a directory, an empty file, anything not mappable.
/// The file must not be shortened in place while mapped (files that hearth writes are replaced, never shortened).
class MappedFile {
 public:
  explicit MappedFile(const std::string& path, FileSystem& fs = real_file_system());
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  const std::string& path() const { return path_; }

 private:
  FileSystem& fs_;
  std::string path_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// The whole file as bytes; reads pipes and growing files too. Raises IoError when it cannot be read or holds more
/// than `limit` bytes.
std::string read_file(const std::string& path, size_t limit = size_t(1) << 30, FileSystem& fs = real_file_system());

/// Writes a file aside, in the same folder, and puts it in its place when `commit` is called: readers see the old
/// file or the whole new one, also after a crash or a loss of power (fsync of file and folder). Destroyed without
/// commit, or after an error, it leaves nothing behind. Raises IoError: `write: no space left: PATH, wanted N bytes`.
/// Example: AtomicFile file("out.bin"); file.write(bytes); file.commit();
class AtomicFile {
 public:
  explicit AtomicFile(std::string path, FileSystem& fs = real_file_system());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t count);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void commit();
  uint64_t written() const { return written_; }

 private:
  void sync_folder();
  [[noreturn]] void fail_with(const char* call, int error);

  FileSystem& fs_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<FileDescriptor> file_;
  uint64_t written_ = 0;
  bool pending_ = false;
};

/// Replaces `path` by `bytes` atomically and durably (see AtomicFile). Raises IoError; the old file then stays.
void write_file_atomic(const std::string& path, std::string_view bytes, FileSystem& fs = real_file_system());

/// Removes from `folder` what AtomicFile left there in processes that were killed; files of running processes stay.
/// Returns how many were removed.
int remove_stale_temporaries(const std::string& folder);

}  // namespace hearth
