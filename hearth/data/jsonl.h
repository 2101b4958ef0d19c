// JSON records: the lines of a JSONL file, or the elements of a JSON list, one at a time, with their line numbers.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hearth/io/file_system.h"

namespace hearth {

/// What a file of records may be at most.
struct RecordLimits {
  size_t record_bytes = size_t(64) << 20;  ///< one line or one element
  size_t list_bytes = size_t(1) << 30;     ///< a whole file that is one JSON list; JSONL files have no such limit
  int64_t records = int64_t(1) << 31;
};

/// The text of one record. `text` is valid until the next call of `next`.
struct Record {
  std::string_view text;
  int64_t line = 0;
};

/// Reads the records of a file in order, without holding a JSONL file in memory. Blank lines, a byte order mark and
/// carriage returns at line ends are passed over. A file whose first character is `[` is one JSON list.
/// Raises IoError when the file cannot be read, ValueError `data.jsonl:17: REASON` for a broken record.
/// Example: RecordReader reader("data.jsonl"); Record record; while (reader.next(record)) parse_record(...);
class RecordReader {
 public:
  explicit RecordReader(const std::string& path, const RecordLimits& limits = {}, FileSystem& fs = real_file_system());
  /// Reads from `text`, which must outlive the reader; `name` is the file in messages.
  RecordReader(std::string_view text, std::string name, const RecordLimits& limits = {});
  ~RecordReader();

  /// Gives the next record; false at the end.
  bool next(Record& record);
  /// Parses one record as a JSON object. Raises ValueError with file, line and column.
  boost::json::value parse(const Record& record) const;
  const std::string& name() const;

 private:
  class Source;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
