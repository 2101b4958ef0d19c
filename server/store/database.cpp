// Database: the connection to SQLite, its settings, statements, and errors in words.
#include "server/store/database.h"

#include <sqlite3.h>

#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hearth/io/file_system.h"

namespace hearth::server {

struct Database::Cache {
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // Several statements of one text: a query may be asked again while its rows are being read.
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>, Hash, std::equal_to<>> free;

  ~Cache() {
    for (auto& [sql, statements] : free) {
      for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
    }
  }
};

bool DatabaseError::passing() const {
  const int primary = code_ & 0xff;
  return primary == SQLITE_FULL || primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_INTERRUPT;
}

SqlValue SqlValue::blob(std::string_view value) {
  SqlValue out(value);
  out.kind = bytes;
  return out;
}

std::string insert_into(std::string_view table, std::string_view columns) {
  std::string out = "INSERT INTO " + std::string(table) + "(" + std::string(columns) + ") VALUES(?";
  for (const char letter : columns) {
    if (letter == ',') out += ",?";
  }
  return out + ")";
}

namespace {

std::string reason_of(int code, int system_error) {
  const std::string system = system_error != 0 ? errno_reason(system_error) : std::string();
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "no space left";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "is locked by another program";
    case SQLITE_CORRUPT:
      return "is damaged";
    case SQLITE_NOTADB:
      return "is not a database of hearth, or is damaged";
    case SQLITE_READONLY:
      return "cannot be written";
    case SQLITE_CANTOPEN:
      return "cannot be opened" + (system.empty() ? "" : ": " + system);
    default:
      break;
  }
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
    return "fsync failed" + (system.empty() ? "" : ": " + system);
  }
  if ((code & 0xff) == SQLITE_IOERR) return system.empty() ? "input/output error" : system;
  return sqlite3_errstr(code);
}

}  // namespace

void Database::fail_with(int code, std::string_view doing) {
  const int primary = code & 0xff;
  if (primary == SQLITE_NOMEM) fail<OutOfMemoryError>("database: out of memory: ", doing);
  const std::string said = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  if (primary == SQLITE_CONSTRAINT) fail<ValueError>("database: rule broken: ", said);
  if (primary == SQLITE_ERROR || primary == SQLITE_MISUSE || primary == SQLITE_RANGE || primary == SQLITE_MISMATCH) {
    fail<ValueError>("database: statement refused: ", said, ": ", doing);
  }
  if (primary == SQLITE_TOOBIG) fail<ValueError>("database: a value is too large (at most 1 GB): ", doing);
  const int system_error = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  std::string message = "database: " + reason_of(code, system_error) + ": " + path_;
  if (!doing.empty()) message += ", at " + std::string(doing.substr(0, 60));
  throw DatabaseError(code, message);
}

Query::Query(Database& database, void* cached, sqlite3_stmt* statement)
    : database_(&database), cached_(cached), statement_(statement) {}

Query::Query(Query&& other) noexcept
    : database_(other.database_), cached_(other.cached_), statement_(std::exchange(other.statement_, nullptr)) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  static_cast<std::vector<sqlite3_stmt*>*>(cached_)->push_back(statement_);
}

void Query::bind(std::initializer_list<SqlValue> values, bool copy) {
  const auto life = copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
  int at = 0;
  for (const SqlValue& value : values) {
    ++at;
    int code = SQLITE_OK;
    // An empty view may have no address, which SQLite would take for NULL.
    const char* data = value.content.data() != nullptr ? value.content.data() : "";
    switch (value.kind) {
      case SqlValue::null:
        code = sqlite3_bind_null(statement_, at);
        break;
      case SqlValue::integer:
        code = sqlite3_bind_int64(statement_, at, value.number);
        break;
      case SqlValue::real:
        code = sqlite3_bind_double(statement_, at, value.fraction);
        break;
      case SqlValue::text:
        code = sqlite3_bind_text64(statement_, at, data, value.content.size(), life, SQLITE_UTF8);
        break;
      case SqlValue::bytes:
        code = sqlite3_bind_blob64(statement_, at, data, value.content.size(), life);
        break;
    }
    if (code != SQLITE_OK) database_->fail_with(code, sqlite3_sql(statement_));
  }
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_->fail_with(sqlite3_extended_errcode(database_->handle_), sqlite3_sql(statement_));
}

bool Query::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Query::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Query::text(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size_t(size));
}

std::optional<int64_t> Query::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

Database::Database(const std::string& path, Access access) : path_(path), cache_(std::make_unique<Cache>()) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::write ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail_with(code, "");
    sqlite3_busy_timeout(handle_, 10'000);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(handle_, SQLITE_LIMIT_ATTACHED, 0);
    if (access == Access::write) {
      // Only before the first table is this taken over; it lets space go back to the system bit by bit.
      execute("PRAGMA auto_vacuum=INCREMENTAL");
      execute("PRAGMA journal_mode=WAL");
      Query mode = query("PRAGMA journal_mode");
      mode.step();
      check<IoError>(mode.text(0) == "wal", "database: the file system offers no write-ahead log: ", path_);
    }
    execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA journal_size_limit=67108864");
    if (access == Access::read) execute("PRAGMA query_only=ON");
    // The writer decides when the log is copied, so that a failure there is seen.
    sqlite3_wal_autocheckpoint(handle_, 0);
    sqlite3_wal_hook(
        handle_,
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<Database*>(self)->log_pages_ = pages;
          return SQLITE_OK;
        },
        this);
  } catch (...) {
    cache_.reset();
    sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() {
  cache_.reset();
  sqlite3_close_v2(handle_);
}

Query Database::prepare(std::string_view sql) {
  auto cached = cache_->free.find(sql);
  if (cached == cache_->free.end()) cached = cache_->free.try_emplace(std::string(sql)).first;
  std::vector<sqlite3_stmt*>& free = cached->second;
  sqlite3_stmt* statement = nullptr;
  if (!free.empty()) {
    statement = free.back();
    free.pop_back();
  } else {
    const int code =
        sqlite3_prepare_v3(handle_, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail_with(code, sql);
  }
  return Query(*this, &free, statement);
}

Query Database::query(std::string_view sql, std::initializer_list<SqlValue> values) {
  Query out = prepare(sql);
  out.bind(values, true);
  return out;
}

int64_t Database::run(std::string_view sql, std::initializer_list<SqlValue> values) {
  Query statement = prepare(sql);
  statement.bind(values, false);
  while (statement.step()) {
  }
  return sqlite3_changes64(handle_);
}

void Database::execute(const std::string& script) {
  const int code = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_with(sqlite3_extended_errcode(handle_), script);
}

int64_t Database::integer(std::string_view sql, std::initializer_list<SqlValue> values) {
  Query statement = query(sql, values);
  return statement.step() ? statement.integer(0) : 0;
}

int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Database::checkpoint(bool wait_and_truncate) {
  const int mode = wait_and_truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, nullptr, nullptr);
  if (code != SQLITE_OK) fail_with(sqlite3_extended_errcode(handle_), "copying the log into the database");
  log_pages_ = 0;
}

void Database::check_integrity(bool thorough) {
  Query rows = query(thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
  const std::string said = rows.step() ? rows.text(0) : "no answer";
  if (said != "ok") throw DatabaseError(SQLITE_CORRUPT, "database: is damaged: " + path_ + ": " + said);
}

}  // namespace hearth::server
