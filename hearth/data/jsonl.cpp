// JSON records: streaming lines of JSONL, and the elements of a JSON list with the lines they begin on.
#include "hearth/data/jsonl.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"

namespace hearth {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::string_view blanks = " \t\r\n";
constexpr size_t chunk_bytes = size_t(1) << 18;

}  // namespace

// A window over the input: memory as it is, or a file read chunk by chunk into a buffer.
class RecordReader::Source {
 public:
  explicit Source(std::string_view text) : window_(text), ended_(true) {}
  Source(const std::string& path, FileSystem& fs) : fs_(&fs), path_(path) {
    file_.emplace(fs, "read", path, O_RDONLY);
    FileStatus status;
    if (fs.status(file_->get(), status) != 0) fail<IoError>("read: ", errno_reason(errno), ": ", path);
    check<IoError>(!status.directory, "read: is a directory: ", path);
  }

  std::string_view window() const { return window_; }
  void drop(size_t count) { window_.remove_prefix(count); }

  /// Appends more of the input to the window; false when there is no more.
  bool more() {
    if (ended_) return false;
    const size_t kept = window_.size();
    if (kept > 0 && window_.data() != buffer_.data()) std::memmove(buffer_.data(), window_.data(), kept);
    // Doubling keeps the cost of a long line linear.
    if (buffer_.size() < kept + chunk_bytes) buffer_.resize(std::max(kept + chunk_bytes, 2 * buffer_.size()));
    ssize_t got;
    do {
      got = fs_->read(file_->get(), buffer_.data() + kept, buffer_.size() - kept);
    } while (got < 0 && errno == EINTR);
    if (got < 0) fail<IoError>("read: ", errno_reason(errno), ": ", path_);
    ended_ = got == 0;
    window_ = std::string_view(buffer_.data(), kept + size_t(got));
    return !ended_;
  }

 private:
  FileSystem* fs_ = nullptr;
  std::string path_;
  std::optional<FileDescriptor> file_;
  std::string buffer_;
  std::string_view window_;
  bool ended_ = false;
};

class RecordReader::Impl {
 public:
  Impl(const std::string& path, FileSystem& fs, const RecordLimits& limits)
      : name_(path), limits_(limits), source_(path, fs) {}
  Impl(std::string_view text, std::string name, const RecordLimits& limits)
      : name_(std::move(name)), limits_(limits), source_(text) {}

  bool next(Record& record) {
    if (!begun_) begin();
    const bool found = is_list_ ? next_element(record) : next_line(record);
    if (!found) return false;
    check<ValueError>(++records_ <= limits_.records, name_, ":", record.line, ": more than ", limits_.records,
                      " records");
    return true;
  }

  const std::string& name() const { return name_; }
  const RecordLimits& limits() const { return limits_; }

 private:
  [[noreturn]] void fail_at(int64_t line, const std::string& reason) const {
    fail<ValueError>(name_, ":", line, ": ", reason);
  }

  void begin() {
    begun_ = true;
    while (source_.window().size() < byte_order_mark.size() && source_.more()) {
    }
    if (source_.window().starts_with(byte_order_mark)) source_.drop(byte_order_mark.size());
    while (skip_blanks(), source_.window().empty()) {
      if (!source_.more()) return;
    }
    is_list_ = source_.window().front() == '[';
    if (!is_list_) return;
    // A list is taken as a whole: its elements may be spread over lines at will.
    while (source_.more()) check_list_size();
    check_list_size();
    source_.drop(1);
  }

  void check_list_size() const {
    check<ValueError>(source_.window().size() <= limits_.list_bytes, name_, ": a JSON list larger than ",
                      limits_.list_bytes, " bytes; write it as JSONL, one object per line");
  }

  void skip_blanks() {
    const std::string_view window = source_.window();
    const size_t count = std::min(window.find_first_not_of(blanks), window.size());
    line_ += std::count(window.begin(), window.begin() + ptrdiff_t(count), '\n');
    source_.drop(count);
  }

  bool next_line(Record& record) {
    for (;;) {
      drop_last();
      size_t end = source_.window().find('\n');
      while (end == std::string_view::npos) {
        const size_t seen = source_.window().size();
        if (seen > limits_.record_bytes) fail_too_long(line_);
        if (!source_.more()) break;
        end = source_.window().find('\n', seen);
      }
      const bool last = end == std::string_view::npos;
      if (last) end = source_.window().size();
      if (end > limits_.record_bytes) fail_too_long(line_);
      const std::string_view text = source_.window().substr(0, end);
      taken_ = end + (last ? 0 : 1);
      const int64_t line = line_;
      if (!last) ++line_;
      if (text.find_first_not_of(blanks) != std::string_view::npos) {
        record = {text, line};
        return true;
      }
      if (last) return false;
    }
  }

  bool next_element(Record& record) {
    if (list_ended_) return false;
    skip_blanks();
    const std::string_view window = source_.window();
    if (first_element_ && window.starts_with(']')) return end_list();
    first_element_ = false;
    const size_t end = element_end();
    if (end > limits_.record_bytes) fail_too_long(line_);
    record = {window.substr(0, end), line_};
    if (record.text.empty()) fail_at(line_, "not valid JSON: an element of the list is missing");
    line_ += std::count(window.begin(), window.begin() + ptrdiff_t(end), '\n');
    source_.drop(end + 1);
    if (window[end] == ']') end_list();
    return true;
  }

  /// Where the element at the front of the window ends: at a `,` or `]` outside strings and brackets. Whether the
  /// element itself is valid is for the parser to say.
  size_t element_end() const {
    const std::string_view window = source_.window();
    int64_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < window.size(); ++i) {
      const char c = window[i];
      if (in_string) {
        if (c == '\\') ++i;
        in_string = c != '"';
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (depth == 0 && (c == ',' || c == ']')) {
        return i;
      } else if (c == '}' || c == ']') {
        if (--depth < 0) fail_at(line_, "not valid JSON: a closing bracket too many");
      }
    }
    fail_at(line_, "not valid JSON: the list that begins the file does not end");
  }

  bool end_list() {
    if (!list_ended_ && source_.window().starts_with(']') && first_element_) source_.drop(1);
    list_ended_ = true;
    skip_blanks();
    if (!source_.window().empty()) fail_at(line_, "not valid JSON: more text after the list");
    return false;
  }

  [[noreturn]] void fail_too_long(int64_t line) const {
    fail_at(line, "a record larger than " + std::to_string(limits_.record_bytes) + " bytes");
  }

  void drop_last() { source_.drop(std::exchange(taken_, 0)); }

  std::string name_;
  RecordLimits limits_;
  Source source_;
  size_t taken_ = 0;
  int64_t line_ = 1;
  int64_t records_ = 0;
  bool begun_ = false;
  bool is_list_ = false;
  bool first_element_ = true;
  bool list_ended_ = false;
};

RecordReader::RecordReader(const std::string& path, const RecordLimits& limits, FileSystem& fs)
    : impl_(std::make_unique<Impl>(path, fs, limits)) {}

RecordReader::RecordReader(std::string_view text, std::string name, const RecordLimits& limits)
    : impl_(std::make_unique<Impl>(text, std::move(name), limits)) {}

RecordReader::~RecordReader() = default;

bool RecordReader::next(Record& record) { return impl_->next(record); }

const std::string& RecordReader::name() const { return impl_->name(); }

boost::json::value RecordReader::parse(const Record& record) const {
  JsonLimits limits;
  limits.max_bytes = impl_->limits().record_bytes;
  limits.first_line = record.line;
  boost::json::value value = parse_json(record.text, impl_->name(), limits);
  check<ValueError>(value.is_object(), impl_->name(), ":", record.line, ": wants a JSON object, is ", json_kind(value));
  return value;
}

}  // namespace hearth
