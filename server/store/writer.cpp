// Writer: group commit, savepoints, and what a failing disk means.
#include "server/store/writer.h"

#include <chrono>
#include <utility>

namespace hearth::server {

namespace {

// 8 MB of log: small enough that a copy takes milliseconds, large enough that its two fsyncs are rare.
constexpr int64_t copy_after_pages = 2000;
// A group's bodies lie in memory until its commit.
constexpr size_t largest_group = 4096;

}  // namespace

Writer::Writer(Database& database) : database_(database), tables_(database), next_copy_(copy_after_pages) {
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Writer::add(std::function<void(Tables&)> change, std::function<void(std::exception_ptr)> done) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(change), std::move(done), nullptr});
  }
  wake_.notify_one();
}

std::string Writer::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void Writer::on_broken(std::function<void(const std::string&)> callback) {
  const std::lock_guard lock(mutex_);
  on_broken_ = std::move(callback);
}

WriterFigures Writer::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void Writer::run() {
  for (;;) {
    std::vector<Item> group;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      if (queue_.size() <= largest_group) {
        group.swap(queue_);
      } else {
        const auto end = queue_.begin() + largest_group;
        group.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
        queue_.erase(queue_.begin(), end);
      }
    }
    write_group(group);
    for (Item& item : group) {
      if (item.done) item.done(item.error);
      // What the closures hold goes before the next wait, which may be long.
      item = {};
    }
    if (database_.log_pages() >= next_copy_) copy_log();
  }
}

void Writer::write_group(std::vector<Item>& group) {
  const auto fail_all = [&](const std::exception_ptr& error) {
    for (Item& item : group) {
      if (!item.error) item.error = error;
    }
  };
  const std::string refused = broken();
  if (!refused.empty()) {
    fail_all(std::make_exception_ptr(
        IoError("store: refuses writes until the server is started again, because: " + refused)));
    const std::lock_guard lock(mutex_);
    figures_.failed += int64_t(group.size());
    return;
  }
  double seconds = 0;
  try {
    database_.run("BEGIN IMMEDIATE");
    for (Item& item : group) change_one(item);
    const auto start = std::chrono::steady_clock::now();
    database_.run("COMMIT");
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  } catch (...) {
    fail_all(std::current_exception());
    note_failure(std::current_exception());
    roll_back();
  }
  const std::lock_guard lock(mutex_);
  figures_.seconds_in_commit += seconds;
  figures_.commits += 1;
  for (const Item& item : group) ++(item.error ? figures_.failed : figures_.changes);
}

void Writer::change_one(Item& item) {
  database_.run("SAVEPOINT change");
  try {
    if (item.change) item.change(tables_);
  } catch (const DatabaseError&) {
    // The disk, not the change: SQLite may have undone the whole transaction already.
    throw;
  } catch (...) {
    item.error = std::current_exception();
  }
  if (item.error) database_.run("ROLLBACK TO change");
  database_.run("RELEASE change");
}

void Writer::roll_back() {
  if (!database_.in_transaction()) return;
  try {
    database_.run("ROLLBACK");
  } catch (...) {
    note_failure(std::current_exception());
  }
}

void Writer::copy_log() {
  try {
    database_.checkpoint(false);
    next_copy_ = copy_after_pages;
  } catch (const Error&) {
    // The log still holds everything. Where the disk is full, try again when the log has grown by as much again.
    next_copy_ = database_.log_pages() + copy_after_pages;
    note_failure(std::current_exception());
  }
}

void Writer::note_failure(const std::exception_ptr& error) {
  std::string why;
  try {
    std::rethrow_exception(error);
  } catch (const DatabaseError& e) {
    if (!e.passing()) why = e.what();
  } catch (const std::exception&) {
    // Out of memory and the like: the transaction is undone, the disk is as it was.
  }
  if (why.empty()) return;
  std::function<void(const std::string&)> tell;
  {
    const std::lock_guard lock(mutex_);
    if (!broken_.empty()) return;
    broken_ = why;
    tell = on_broken_;
  }
  if (tell) tell(why);
}

}  // namespace hearth::server
