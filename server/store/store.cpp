// Store: opening (lock, check, migrate, settle, sweep), and the threads that work on it.
#include "server/store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <future>
#include <mutex>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "server/store/background.h"
#include "server/store/database.h"
#include "server/store/names.h"
#include "server/store/schema.h"
#include "server/store/writer.h"

namespace hearth::server {

namespace {

constexpr const char* database_file = "/hearth.sqlite";
// After an orderly end a larger file is not read through at start-up, which must be quick.
constexpr int64_t always_checked = int64_t(16) << 20;

/// Bytes of a file; -1: it is not there.
int64_t size_of(FileSystem& fs, const std::string& path) {
  const int fd = fs.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    check<IoError>(errno == ENOENT, "store: cannot open: ", errno_reason(errno), ": ", path);
    return -1;
  }
  FileStatus status;
  const bool known = fs.status(fd, status) == 0;
  const int error = errno;
  fs.close(fd);
  check<IoError>(known, "store: cannot look at: ", errno_reason(error), ": ", path);
  return int64_t(status.size);
}

std::string make_root(const std::string& folder, FileSystem& fs) {
  check<ValueError>(!folder.empty(), "store: no folder is named");
  std::error_code error;
  const std::string root = std::filesystem::absolute(folder, error).lexically_normal().string();
  check<IoError>(!error, "store: ", error.message(), ": ", folder);
  const std::string path = root.size() > 1 && root.back() == '/' ? root.substr(0, root.size() - 1) : root;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (fs.mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    fail<IoError>("store: cannot make the folder: ", errno_reason(errno), ": ", path);
  }
  return path;
}

}  // namespace

/// Holds the folder for this process, as long as it lives: the kernel lets go when the process dies.
class FolderLock {
 public:
  FolderLock(const std::string& root, FileSystem& fs)
      : file_(fs, "store: lock", root + "/lock", O_RDWR | O_CREAT, 0600) {
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
    check<IoError>(errno == EWOULDBLOCK, "store: cannot lock: ", errno_reason(errno), ": ", root);
    fail<IoError>("store: another process uses this folder: ", root);
  }

 private:
  FileDescriptor file_;
};

struct Store::Parts {
  Parts(std::string folder, FileSystem& file_system);
  void settle();
  void sweep();
  void load_signer();

  FileSystem& fs;
  std::string root;
  FolderLock lock;
  Folders folders;
  Archives archives;
  StartReport report;
  // In this order: each needs those before it while it ends.
  std::unique_ptr<Database> writing;
  std::unique_ptr<Database> reading;
  std::unique_ptr<DownloadSigner> signer;
  std::unique_ptr<Tables> read_tables;
  std::unique_ptr<Tables> committed;  // the writer thread's, between its transactions
  std::unique_ptr<Background> background;
  std::unique_ptr<Writer> writer;
};

Store::Parts::Parts(std::string folder, FileSystem& file_system)
    : fs(file_system),
      root(make_root(folder, fs)),
      lock(root, fs),
      folders(root, fs),
      archives(root + "/archives", fs) {
  const std::string path = root + database_file;
  const int64_t size = size_of(fs, path);
  report.after_crash = size_of(fs, path + "-wal") > 0;
  report.created = size <= 0;
  // An empty database would let the sweep take every checkpoint for a leftover.
  check<IoError>(!report.created || folders.sealed().empty(),
                 "store: holds checkpoints but no database; bring hearth.sqlite back or move the folders away: ", root);
  writing = std::make_unique<Database>(path, Database::Access::write);
  if (report.after_crash || size <= always_checked) writing->check_integrity();
  const int before = migrate(*writing);
  if (before > 0 && before < int(schema_scripts().size())) report.migrated_from = before;
  settle();
  sweep();
  load_signer();
  reading = std::make_unique<Database>(path, Database::Access::read);
  read_tables = std::make_unique<Tables>(*reading);
  committed = std::make_unique<Tables>(*writing);
  background = std::make_unique<Background>();
  writer = std::make_unique<Writer>(*writing);
}

/// An fsync of the last process may have failed: the log may be in memory and not on the disk. Copying all of it into
/// the database file and syncing that proves it durable, before anything new builds on it.
void Store::Parts::settle() { writing->checkpoint(true); }

void Store::Parts::sweep() {
  Tables tables(*writing);
  report.removed = folders.sweep(tables.known_folders());
  writing->run("BEGIN IMMEDIATE");
  for (const CheckpointRecord& c : tables.checkpoints({.limit = -1})) {
    const std::string damage = folders.exists(c.folder) ? "" : "its files are missing";
    if (!damage.empty()) report.damaged.push_back(CheckpointPath{c.run, c.type, c.name}.text());
    // Found anew each time: a disk that was not mounted heals what this said.
    if (damage != c.damage) tables.set_damage(c.run, c.type, c.name, damage);
  }
  writing->run("COMMIT");
}

void Store::Parts::load_signer() {
  Tables tables(*writing);
  auto key = tables.secret("downloads");
  if (!key) tables.put_secret("downloads", *(key = DownloadSigner::new_key()));
  signer = std::make_unique<DownloadSigner>(*key);
}

Store::Store(std::string folder, FileSystem& fs) : parts_(std::make_unique<Parts>(std::move(folder), fs)) {}

Store::~Store() {
  // The background's tasks wait for the writer, so it ends first; what the writer's last callbacks hand it is dropped.
  parts_->background->end();
  parts_->writer.reset();
}

void Store::write(Change change, Done done) { parts_->writer->add(std::move(change), std::move(done)); }

void Store::write_now(Change change) {
  std::promise<void> ended;
  write(std::move(change), [&ended](std::exception_ptr error) {
    if (error) {
      ended.set_exception(error);
    } else {
      ended.set_value();
    }
  });
  ended.get_future().get();
}

Tables& Store::read() { return *parts_->read_tables; }
void Store::background(std::function<void()> task) { parts_->background->add(std::move(task)); }
Folders& Store::folders() { return parts_->folders; }
Archives& Store::archives() { return parts_->archives; }
const DownloadSigner& Store::downloads() const { return *parts_->signer; }
const std::string& Store::folder() const { return parts_->root; }
FileSystem& Store::file_system() const { return parts_->fs; }
std::string Store::broken() const { return parts_->writer->broken(); }
WriterFigures Store::figures() const { return parts_->writer->figures(); }
const StartReport& Store::start_report() const { return parts_->report; }

void Store::on_broken(std::function<void(const std::string&)> callback) {
  parts_->writer->on_broken(std::move(callback));
}

void Store::drop_folder(const std::string& relative, Done done) {
  // Between two transactions of the writer, what is committed is all there is: no row can begin to need the folder
  // between the look and the rename.
  write({}, [this, relative, done = std::move(done)](std::exception_ptr error) {
    try {
      if (!error && !relative.empty() && !parts_->committed->folder_is_known(relative)) {
        parts_->folders.trash(relative);
        background([folders = &parts_->folders] { folders->empty_trash(); });
      }
    } catch (...) {
      error = std::current_exception();
    }
    if (done) done(error);
  });
}

int64_t Store::database_bytes() const {
  const std::string path = parts_->root + database_file;
  return std::max<int64_t>(size_of(parts_->fs, path), 0) + std::max<int64_t>(size_of(parts_->fs, path + "-wal"), 0);
}

}  // namespace hearth::server
