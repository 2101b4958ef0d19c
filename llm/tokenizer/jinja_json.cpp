// Jinja JSON: values as Python's json module writes them.
#include <algorithm>
#include <cstdio>

#include "llm/tokenizer/jinja_interpreter.h"

namespace hearth::llm::jinja {

namespace {

void append_quoted(std::string_view text, std::string& out) {
  std::string quoted = "\"";
  for (const char c : text) {
    static constexpr std::string_view letters = "\"\\\n\r\t\b\f", escapes = "\"\\nrtbf";
    if (const size_t known = letters.find(c); known != letters.npos) {
      quoted += {'\\', escapes[known]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
      quoted += buffer;
    } else {
      quoted += c;
    }
  }
  append_limited(out, quoted + '"');
}

class Writer {
 public:
  Writer(int indent, bool sort_keys) : indent_(indent), sort_keys_(sort_keys) {}

  void write(const Value& value, int level) {
    if (value.is_text()) {
      append_quoted(value.as_text(), out);
    } else if (value.is_list()) {
      write_all('[', ']', value.as_list(), level, [&](const Value& item) { write(item, level + 1); });
    } else if (value.is_dict() && !value.is_namespace()) {
      auto items = value.as_dict().items;
      if (sort_keys_)
        std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      write_all('{', '}', items, level, [&](const auto& item) {
        append_quoted(item.first, out);
        append_limited(out, ": ");
        write(item.second, level + 1);
      });
    } else if (value.is_none()) {
      append_limited(out, "null");
    } else if (value.is_bool()) {
      append_limited(out, value.truthy() ? "true" : "false");
    } else {
      check<ValueError>(value.is_number(), "chat template: tojson of ", value.type_name());
      append_limited(out, to_text(value));
    }
  }

  std::string out;

 private:
  template <class Items, class WriteItem>
  void write_all(char open, char close, const Items& items, int level, WriteItem write_item) {
    append_limited(out, std::string(1, open));
    bool first = true;
    for (const auto& item : items) {
      if (!first) append_limited(out, indent_ < 0 ? ", " : ",");
      first = false;
      new_line(level + 1);
      write_item(item);
    }
    if (!first) new_line(level);
    append_limited(out, std::string(1, close));
  }

  void new_line(int level) {
    if (indent_ >= 0)
      append_limited(out, "\n" + std::string(static_cast<size_t>(level) * static_cast<size_t>(indent_), ' '));
  }

  int indent_;
  bool sort_keys_;
};

}  // namespace

std::string to_json(const Value& value, int indent, bool sort_keys) {
  Writer writer(indent, sort_keys);
  writer.write(value, 0);
  return std::move(writer.out);
}

}  // namespace hearth::llm::jinja
