// Examples: files of rows, JSON or plain text.
#include "hearth/data/examples.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/data/example_row.h"
#include "hearth/io/file.h"
#include "hearth/io/utf8.h"

namespace hearth {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view end_of_text = "<|endoftext|>";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr size_t text_limit = size_t(4) << 30;

bool named_json(const std::string& name) { return name.ends_with(".json") || name.ends_with(".jsonl"); }

bool begins_json(std::string_view bytes) {
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  const size_t first = bytes.find_first_not_of(blanks);
  return first != std::string_view::npos && (bytes[first] == '{' || bytes[first] == '[');
}

// A text file may begin with a bracket; its name then tells.
bool is_json(std::string_view bytes, const std::string& name) {
  return named_json(name) || (!name.ends_with(".txt") && !name.ends_with(".md") && begins_json(bytes));
}

std::string place(const RecordReader& reader, int64_t line) { return reader.name() + ":" + std::to_string(line); }

ExampleFile read_records(RecordReader& reader) {
  ExampleFile file;
  Record record;
  std::vector<std::string> unused;
  while (reader.next(record)) {
    const boost::json::value row = reader.parse(record);
    const std::string where = place(reader, record.line);
    const ExampleKind kind = detect_kind(row.get_object(), where);
    if (file.examples.empty()) file.kind = kind;
    check<ValueError>(kind == file.kind, where, ": mixed forms: this row is ", example_kind_name(kind),
                      ", the rows before it are ", example_kind_name(file.kind));
    unused.clear();
    file.examples.push_back(read_row(row, kind, where, unused));
    file.examples.back().line = record.line;
    for (const std::string& key : unused) ++file.unused[key];
  }
  check<IoError>(!file.examples.empty(), "read_examples: the file holds no rows: ", reader.name());
  return file;
}

ExampleFile read_text(std::string_view bytes, const std::string& name, TextSplit split) {
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  const size_t bad = find_invalid_utf8(bytes);
  if (bad != std::string_view::npos) {
    const auto line = 1 + std::count(bytes.begin(), bytes.begin() + ptrdiff_t(bad), '\n');
    fail<ValueError>(name, ":", line, ": text is not UTF-8, at byte ", bad);
  }
  ExampleFile file;
  file.kind = ExampleKind::text;
  file.examples = split_text(bytes, split);
  check<IoError>(!file.examples.empty(), "read_examples: the file holds no text: ", name);
  return file;
}

// Finds the next separator from `from` on; the place and length of what separates, or the end of the text.
std::pair<size_t, size_t> next_separator(std::string_view text, size_t from, TextSplit split) {
  if (split == TextSplit::end_of_text) {
    const size_t at = text.find(end_of_text, from);
    if (at != std::string_view::npos) return {at, end_of_text.size()};
  } else if (split == TextSplit::blank_lines) {
    for (size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
      const size_t next = text.find_first_not_of(" \t\r", at + 1);
      if (next != std::string_view::npos && text[next] == '\n') return {at, next + 1 - at};
    }
  }
  return {text.size(), 0};
}

}  // namespace

const char* example_kind_name(ExampleKind kind) {
  switch (kind) {
    case ExampleKind::chat:
      return "chat";
    case ExampleKind::completion:
      return "completion";
    case ExampleKind::preference:
      return "preference";
    case ExampleKind::text:
      return "text";
  }
  return "unknown";
}

std::string ExampleFile::note() const {
  std::string text;
  for (const auto& [key, rows] : unused) {
    text += (text.empty() ? "keys not used: " : ", ") + key + " (" + std::to_string(rows) +
            (rows == 1 ? " row)" : " rows)");
  }
  return text;
}

std::vector<Example> split_text(std::string_view text, TextSplit split) {
  if (split == TextSplit::automatic) {
    split = text.find(end_of_text) == std::string_view::npos ? TextSplit::whole : TextSplit::end_of_text;
  }
  std::vector<Example> documents;
  int64_t line = 1;
  size_t counted = 0;
  for (size_t from = 0; from < text.size();) {
    const auto [at, length] = next_separator(text, from, split);
    const std::string_view part = text.substr(from, at - from);
    const size_t first = part.find_first_not_of(blanks);
    if (first != std::string_view::npos) {
      line += std::count(text.begin() + ptrdiff_t(counted), text.begin() + ptrdiff_t(from + first), '\n');
      counted = from + first;
      Example& example = documents.emplace_back();
      example.line = line;
      example.text = part.substr(first, part.find_last_not_of(blanks) + 1 - first);
    }
    from = at + length;
    if (length == 0) break;
  }
  return documents;
}

ExampleFile read_examples(const std::string& path, const ExampleOptions& options, FileSystem& fs) {
  if (named_json(path)) {
    RecordReader reader(path, options.limits, fs);
    return read_records(reader);
  }
  return parse_examples(read_file(path, text_limit, fs), path, options);
}

ExampleFile parse_examples(std::string_view bytes, const std::string& name, const ExampleOptions& options) {
  if (!is_json(bytes, name)) return read_text(bytes, name, options.split);
  RecordReader reader(bytes, name, options.limits);
  return read_records(reader);
}

}  // namespace hearth
