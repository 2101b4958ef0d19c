// Tar: libarchive's writer, files copied in pieces.
#include "server/store/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

struct CloseWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct CloseEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct Descriptor {
  explicit Descriptor(const std::string& path) : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    check<IoError>(number >= 0, "tar: cannot open ", path, ": ", strerror(errno));
  }
  ~Descriptor() { ::close(number); }
  Descriptor(const Descriptor&) = delete;
  int number;
};

void need(archive* writer, long long result, const std::string& out) {
  check<IoError>(result >= ARCHIVE_OK, "tar: cannot write ", out, ": ", archive_error_string(writer));
}

void write_header(archive* writer, const TarFile& file, int64_t size, const std::string& out) {
  std::unique_ptr<archive_entry, CloseEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), file.name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_mtime(entry.get(), 0, 0);
  need(writer, archive_write_header(writer, entry.get()), out);
}

void write_bytes(archive* writer, const char* bytes, size_t size, const std::string& out) {
  while (size > 0) {
    la_ssize_t written = archive_write_data(writer, bytes, size);
    need(writer, written, out);
    check<IoError>(written > 0, "tar: ", out, ": a file grew while it was read");
    bytes += written;
    size -= size_t(written);
  }
}

void write_from(archive* writer, const TarFile& file, const std::string& out) {
  Descriptor source(file.path);
  struct stat status {};
  check<IoError>(::fstat(source.number, &status) == 0 && S_ISREG(status.st_mode), "tar: no plain file: ", file.path);
  write_header(writer, file, status.st_size, out);
  std::array<char, 1 << 16> piece;
  for (int64_t left = status.st_size; left > 0;) {
    ssize_t got = ::read(source.number, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    check<IoError>(got > 0, "tar: cannot read ", file.path, ": ", got < 0 ? strerror(errno) : "it became shorter");
    write_bytes(writer, piece.data(), size_t(got), out);
    left -= got;
  }
}

}  // namespace

void write_tar(const std::string& out, const std::vector<TarFile>& files) {
  std::unique_ptr<archive, CloseWriter> writer(archive_write_new());
  archive_write_set_format_ustar(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  need(writer.get(), archive_write_open_filename(writer.get(), out.c_str()), out);
  for (const TarFile& file : files) {
    if (!file.path.empty()) {
      write_from(writer.get(), file, out);
      continue;
    }
    write_header(writer.get(), file, int64_t(file.bytes.size()), out);
    write_bytes(writer.get(), file.bytes.data(), file.bytes.size(), out);
  }
  need(writer.get(), archive_write_close(writer.get()), out);
}

}  // namespace hearth::server
