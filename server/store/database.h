// Database: one SQLite connection. Statements clean up after themselves, and what fails says so in plain words.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hearth/core/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hearth::server {

/// What SQLite could not do because of the disk, a lock or a damaged file.
class DatabaseError : public IoError {
 public:
  DatabaseError(int code, const std::string& message) : IoError(message), code_(code) {}
  int code() const { return code_; }  ///< SQLite's extended result code
  /// Nothing was changed and a later try may succeed: the disk is full, or another connection holds a lock.
  bool passing() const;

 private:
  int code_;
};

/// A value for a `?` of a statement; texts are not copied.
struct SqlValue {
  enum Kind { null, integer, real, text, bytes } kind = null;
  int64_t number = 0;
  double fraction = 0;
  std::string_view content;

  SqlValue(std::nullopt_t) {}
  SqlValue(int64_t value) : kind(integer), number(value) {}
  SqlValue(int value) : kind(integer), number(value) {}
  SqlValue(bool value) : kind(integer), number(value ? 1 : 0) {}
  SqlValue(double value) : kind(real), fraction(value) {}
  SqlValue(std::string_view value) : kind(text), content(value) {}
  SqlValue(const std::string& value) : kind(text), content(value) {}
  SqlValue(const char* value) : kind(text), content(value) {}
  SqlValue(const std::optional<int64_t>& value) : kind(value ? integer : null), number(value.value_or(0)) {}
  static SqlValue blob(std::string_view value);
};

/// INSERT INTO TABLE(COLUMNS) VALUES(?, ...) with as many values as `columns` has names, which commas separate.
std::string insert_into(std::string_view table, std::string_view columns);

class Database;

/// A statement at work: `step` to each row, then read its columns. Goes back to the connection's cache when destroyed.
/// Example: Query q = db.query("SELECT id FROM sessions WHERE owner = ?", {owner}); while (q.step()) use(q.text(0));
class Query {
 public:
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();
  /// False: no further row. Raises DatabaseError, ValueError (a constraint), OutOfMemoryError.
  bool step();
  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  ///< of a text or bytes; empty for NULL
  std::optional<int64_t> maybe_integer(int column) const;

 private:
  friend class Database;
  Query(Database& database, void* cached, sqlite3_stmt* statement);
  void bind(std::initializer_list<SqlValue> values, bool copy);

  Database* database_;
  void* cached_;  // where the statement goes back to
  sqlite3_stmt* statement_;
};

/// One connection. Used by one thread at a time.
class Database {
 public:
  enum class Access { write, read };
  /// Opens, or for writing makes, the file. Settings: WAL, synchronous=FULL, foreign keys, 10 s of patience with
  /// locks, nothing from the file is trusted as code.
  Database(const std::string& path, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// A statement with its values. Statements are kept by their text for the next use: values never belong in it.
  Query query(std::string_view sql, std::initializer_list<SqlValue> values = {});
  /// Runs a statement that returns nothing; returns how many rows it changed.
  int64_t run(std::string_view sql, std::initializer_list<SqlValue> values = {});
  /// Runs many statements, separated by semicolons.
  void execute(const std::string& script);
  /// The first column of the first row.
  int64_t integer(std::string_view sql, std::initializer_list<SqlValue> values = {});

  /// The number of the row that was inserted last.
  int64_t last_row() const;
  bool in_transaction() const;
  /// Pages in the write-ahead log after the last commit of this connection.
  int64_t log_pages() const { return log_pages_; }
  /// Copies the log's pages into the database file, without waiting for readers (or with, and cuts the log).
  void checkpoint(bool wait_and_truncate);
  /// Raises DatabaseError when the file is not whole. Reads all of it.
  void check_integrity(bool thorough = false);
  const std::string& path() const { return path_; }
  /// Raises what result code `code` means, with `doing` as context.
  [[noreturn]] void fail_with(int code, std::string_view doing);

 private:
  friend class Query;
  struct Cache;
  Query prepare(std::string_view sql);

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::unique_ptr<Cache> cache_;
  int64_t log_pages_ = 0;
};

}  // namespace hearth::server
