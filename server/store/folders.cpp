// Folders: made aside, made durable, renamed; removed through the trash; swept at start-up.
#include "server/store/folders.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "server/store/digest.h"
#include "server/store/names.h"

namespace hearth::server {

namespace {

constexpr const char* drafts = "drafts";
constexpr const char* trash_folder = "trash";
// Where sealed folders lie, and how many levels below.
constexpr std::pair<const char*, int> areas[] = {{"checkpoints", 3}, {"snapshots", 1}, {"state", 2}};
constexpr int deepest_tree = 8;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void make_folder(FileSystem& fs, const std::string& path) {
  if (fs.mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    fail<IoError>("store: cannot make a folder: ", errno_reason(errno), ": ", path);
  }
}

void sync(FileSystem& fs, int fd, const std::string& path, bool folder) {
  int result;
  do {
    result = fs.fsync(fd);
  } while (result != 0 && errno == EINTR);
  // EINVAL: a file system that has no fsync for folders.
  if (result != 0 && !(folder && errno == EINVAL))
    fail<IoError>("store: fsync failed: ", errno_reason(errno), ": ", path);
}

void sync_folder(FileSystem& fs, const std::string& path) {
  FileDescriptor folder(fs, "store: open a folder", path, O_RDONLY | O_DIRECTORY);
  sync(fs, folder.get(), path, true);
}

std::vector<std::string> list(FileSystem& fs, const std::string& path) {
  std::vector<std::string> names;
  if (fs.list(path.c_str(), names) != 0)
    fail<IoError>("store: cannot list a folder: ", errno_reason(errno), ": ", path);
  return names;
}

/// Adds one file to the digest; with `durable` it is synced too. Returns its size.
int64_t take_file(FileSystem& fs, const std::string& path, const std::string& name, Digest& digest, bool durable) {
  FileDescriptor file(fs, "store: open a file", path + "/" + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  FileStatus status;
  if (fs.status(file.get(), status) != 0) fail<IoError>("store: ", errno_reason(errno), ": ", path, "/", name);
  check<ValueError>(status.regular, "store: only plain files belong into a checkpoint: ", path, "/", name);
  digest.add_number(name.size());
  digest.add(name);
  digest.add_number(status.size);
  std::string buffer(size_t(1) << 18, '\0');
  uint64_t read = 0;
  for (;;) {
    const ssize_t got = fs.read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail<IoError>("store: read: ", errno_reason(errno), ": ", path, "/", name);
    if (got == 0) break;
    digest.add(buffer.data(), size_t(got));
    read += uint64_t(got);
  }
  check<IoError>(read == status.size, "store: a file changed while it was read: ", path, "/", name);
  if (durable) sync(fs, file.get(), path + "/" + name, false);
  return int64_t(read);
}

std::string hash_files(FileSystem& fs, const std::string& path, bool durable, int64_t* size) {
  Digest digest;
  int64_t total = 0;
  for (const std::string& name : list(fs, path)) total += take_file(fs, path, name, digest, durable);
  if (size != nullptr) *size = total;
  return digest.hex();
}

/// Whether the path is gone afterwards.
bool remove_tree(FileSystem& fs, const std::string& path, int depth = deepest_tree) {
  if (fs.unlink(path.c_str()) == 0 || errno == ENOENT) return true;
  std::vector<std::string> names;
  if (depth == 0 || fs.list(path.c_str(), names) != 0) return false;
  bool gone = true;
  for (const std::string& name : names) gone = remove_tree(fs, path + "/" + name, depth - 1) && gone;
  return gone && fs.rmdir(path.c_str()) == 0;
}

/// A name that nothing has: in trash and drafts, whose content no earlier process keeps.
std::string fresh_name() {
  static std::atomic<uint64_t> counter{0};
  return std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

void find_sealed(FileSystem& fs, const std::string& root, const std::string& below, int depth,
                 std::vector<std::string>& out) {
  for (const std::string& name : list(fs, root + "/" + below)) {
    const std::string path = below + "/" + name;
    if (depth == 1) {
      out.push_back(path);
    } else {
      find_sealed(fs, root, path, depth - 1, out);
    }
  }
}

}  // namespace

std::string hash_folder(const std::string& path, FileSystem& fs, int64_t* size) {
  return hash_files(fs, path, false, size);
}

Draft::Draft(Draft&& other) noexcept
    : folders_(std::exchange(other.folders_, nullptr)), path_(std::move(other.path_)) {}

Draft::~Draft() {
  if (folders_ != nullptr) remove_tree(folders_->fs_, path_);
}

Sealed Draft::seal(const std::string& place) {
  check<ValueError>(folders_ != nullptr, "store: the draft is sealed already: ", path_);
  FileSystem& fs = folders_->fs_;
  Sealed out;
  out.hash = hash_files(fs, path_, true, &out.size);
  sync_folder(fs, path_);
  // The folders above come into being from the top, each made durable in the one above it.
  for (size_t at = place.find('/', place.find('/') + 1); at != std::string::npos; at = place.find('/', at + 1)) {
    const std::string above = folders_->path(place.substr(0, at));
    make_folder(fs, above);
    sync_folder(fs, parent_of(above));
  }
  out.folder = place;
  for (int version = 2; fs.rename(path_.c_str(), folders_->path(out.folder).c_str()) != 0; ++version) {
    if ((errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) || version > 100000) {
      fail<IoError>("store: cannot put a folder in its place: ", errno_reason(errno), ": ", folders_->path(out.folder));
    }
    // Something is there: replaced checkpoints stay until no row needs them. "+" is in no encoded name.
    out.folder = place + "+" + std::to_string(version);
  }
  Folders& folders = *std::exchange(folders_, nullptr);
  try {
    sync_folder(fs, parent_of(folders.path(out.folder)));
  } catch (...) {
    folders.trash(out.folder);
    throw;
  }
  return out;
}

Folders::Folders(std::string root, FileSystem& fs) : root_(std::move(root)), fs_(fs) {
  make_folder(fs_, path(drafts));
  make_folder(fs_, path(trash_folder));
  for (const auto& [area, depth] : areas) make_folder(fs_, path(area));
  sync_folder(fs_, root_);
}

Draft Folders::draft() {
  const std::string folder = path(drafts) + "/" + fresh_name();
  if (fs_.mkdir(folder.c_str(), 0777) != 0) {
    fail<IoError>("store: cannot make a folder: ", errno_reason(errno), ": ", folder);
  }
  return Draft(*this, folder);
}

std::string Folders::place_of_checkpoint(std::string_view run, CheckpointType type, std::string_view name) {
  return "checkpoints/" + encode_name(run) + "/" + std::string(to_text(type)) + "/" + encode_name(name);
}

std::string Folders::place_of_snapshot(std::string_view sampler_id) { return "snapshots/" + encode_name(sampler_id); }

std::string Folders::place_of_state(std::string_view model_id, int64_t seq_id) {
  return "state/" + encode_name(model_id) + "/" + std::to_string(seq_id);
}

bool Folders::exists(const std::string& relative) const {
  const int fd = fs_.open(path(relative).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd >= 0) fs_.close(fd);
  return fd >= 0;
}

void Folders::verify(const std::string& relative, const std::string& hash) const {
  const std::string found = hash_folder(path(relative), fs_);
  check<IoError>(found == hash, "store: the files are not those that were saved: ", path(relative), ", hash ", found,
                 ", expected ", hash);
}

void Folders::trash(const std::string& relative) {
  const std::string to = path(trash_folder) + "/" + fresh_name();
  // Not made durable: after a loss of power the folder is there again, known to no row, and swept.
  fs_.rename(path(relative).c_str(), to.c_str());
}

int Folders::empty_trash() {
  std::vector<std::string> names;
  if (fs_.list(path(trash_folder).c_str(), names) != 0) return 0;
  int removed = 0;
  for (const std::string& name : names) removed += remove_tree(fs_, path(trash_folder) + "/" + name);
  return removed;
}

std::vector<std::string> Folders::sealed() const {
  std::vector<std::string> out;
  for (const auto& [area, depth] : areas) find_sealed(fs_, root_, area, depth, out);
  return out;
}

std::vector<std::string> Folders::sweep(const std::vector<std::string>& known) {
  std::vector<std::string> removed;
  for (const std::string& name : list(fs_, path(drafts))) {
    remove_tree(fs_, path(drafts) + "/" + name);
    removed.push_back(std::string(drafts) + "/" + name);
  }
  const std::set<std::string> needed(known.begin(), known.end());
  for (const std::string& folder : sealed()) {
    if (needed.count(folder) > 0) continue;
    trash(folder);
    removed.push_back(folder);
    // The folders above, where nothing is left in them.
    for (std::string above = parent_of(folder); above.find('/') != std::string::npos; above = parent_of(above)) {
      if (fs_.rmdir(path(above).c_str()) != 0) break;
    }
  }
  empty_trash();
  return removed;
}

}  // namespace hearth::server
