// Archive: tar through libarchive, written aside.
#include "server/store/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "hearth/core/error.h"
#include "hearth/io/file.h"

namespace hearth::server {

namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};

/// A tar stream into an AtomicFile. libarchive is C: an exception of the file waits here until the call is over.
class TarFile {
 public:
  explicit TarFile(AtomicFile& file) : file_(file), archive_(archive_write_new()) {
    if (archive_ == nullptr) fail<OutOfMemoryError>("archive: out of memory");
    archive_write_set_format_pax_restricted(archive_.get());
    archive_write_set_bytes_in_last_block(archive_.get(), 1);
    must(archive_write_open(archive_.get(), this, nullptr, &TarFile::receive, nullptr));
  }

  void begin(const std::string& name, uint64_t size) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    if (entry == nullptr) fail<OutOfMemoryError>("archive: out of memory");
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), int64_t(size));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    must(archive_write_header(archive_.get(), entry.get()));
  }

  void write(const char* data, size_t size) {
    while (size > 0) {
      const la_ssize_t wrote = archive_write_data(archive_.get(), data, size);
      must(wrote <= 0 ? ARCHIVE_FATAL : ARCHIVE_OK);
      data += wrote;
      size -= size_t(wrote);
    }
  }

  void end() { must(archive_write_close(archive_.get())); }

 private:
  static la_ssize_t receive(archive*, void* self, const void* data, size_t size) {
    auto* tar = static_cast<TarFile*>(self);
    // After a failure libarchive tries to flush once more when it is freed.
    if (tar->error_) return -1;
    try {
      tar->file_.write(data, size);
      return la_ssize_t(size);
    } catch (...) {
      tar->error_ = std::current_exception();
      return -1;
    }
  }

  void must(int code) {
    if (error_) std::rethrow_exception(error_);
    if (code >= ARCHIVE_WARN) return;
    const char* said = archive_error_string(archive_.get());
    fail<IoError>("archive: ", said != nullptr ? said : "cannot be written");
  }

  AtomicFile& file_;
  std::exception_ptr error_;
  std::unique_ptr<archive, FreeArchive> archive_;
};

void add_file(TarFile& tar, const std::string& folder, const std::string& name, FileSystem& fs) {
  const std::string path = folder + "/" + name;
  FileDescriptor file(fs, "archive: open", path, O_RDONLY | O_NOFOLLOW);
  FileStatus status;
  if (fs.status(file.get(), status) != 0) fail<IoError>("archive: ", errno_reason(errno), ": ", path);
  check<IoError>(status.regular, "archive: is not a plain file: ", path);
  tar.begin(name, status.size);
  std::string buffer(size_t(1) << 18, '\0');
  uint64_t left = status.size;
  while (left > 0) {
    const ssize_t got = fs.read(file.get(), buffer.data(), size_t(std::min<uint64_t>(left, buffer.size())));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail<IoError>("archive: read: ", errno_reason(errno), ": ", path);
    check<IoError>(got > 0, "archive: the file is shorter than it said: ", path);
    tar.write(buffer.data(), size_t(got));
    left -= uint64_t(got);
  }
}

}  // namespace

Archives::Archives(std::string folder, FileSystem& fs) : folder_(std::move(folder)), fs_(fs) {
  if (fs_.mkdir(folder_.c_str(), 0777) != 0 && errno != EEXIST) {
    fail<IoError>("store: cannot make a folder: ", errno_reason(errno), ": ", folder_);
  }
  // The store belongs to this process, so nobody is writing here: what is not finished never will be.
  std::vector<std::string> names;
  fs_.list(folder_.c_str(), names);
  for (const std::string& name : names) {
    if (!name.ends_with(".tar")) fs_.unlink((folder_ + "/" + name).c_str());
  }
}

std::string Archives::path_of(const std::string& hash) const {
  check<ValueError>(hash.size() == 64 && hash.find_first_not_of("0123456789abcdef") == std::string::npos,
                    "archive: not the hash of a checkpoint");
  return folder_ + "/" + hash + ".tar";
}

std::optional<Archive> Archives::find(const std::string& hash) const {
  const std::string path = path_of(hash);
  const int fd = fs_.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  FileStatus status;
  const bool known = fs_.status(fd, status) == 0;
  fs_.close(fd);
  if (!known) return std::nullopt;
  return Archive{path, int64_t(status.size)};
}

Archive Archives::build(const std::string& checkpoint_folder, const std::string& hash) {
  const std::lock_guard lock(building_);
  if (const auto there = find(hash)) return *there;
  AtomicFile file(path_of(hash), fs_);
  TarFile tar(file);
  add_file(tar, checkpoint_folder, "adapter_config.json", fs_);
  add_file(tar, checkpoint_folder, "adapter_model.safetensors", fs_);
  tar.begin("checkpoint_complete", 0);
  tar.end();
  file.commit();
  return {path_of(hash), int64_t(file.written())};
}

int Archives::keep_only(const std::set<std::string>& hashes, int64_t limit) {
  struct Kept {
    std::filesystem::file_time_type time;
    int64_t size;
    std::string path;
  };
  std::vector<Kept> kept;
  int removed = 0;
  int64_t total = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, ignored)) {
    if (entry.path().extension() != ".tar") continue;
    if (hashes.count(entry.path().stem().string()) == 0) {
      removed += fs_.unlink(entry.path().c_str()) == 0;
      continue;
    }
    kept.push_back({entry.last_write_time(ignored), int64_t(entry.file_size(ignored)), entry.path().string()});
    total += kept.back().size;
  }
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.time < b.time; });
  for (const Kept& oldest : kept) {
    if (total <= limit) break;
    removed += fs_.unlink(oldest.path.c_str()) == 0;
    total -= oldest.size;
  }
  return removed;
}

}  // namespace hearth::server
