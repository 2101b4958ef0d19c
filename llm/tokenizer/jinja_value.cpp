// Jinja value: text, truth and equality as Python has them.
#include "llm/tokenizer/jinja_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "hearth/core/error.h"

namespace hearth::llm::jinja {

namespace {

constexpr int depth_limit = 32;
constexpr int comparison_limit = 1'000'000;

int checked_depth(int depth, const Value& item) {
  check<NotImplementedError>(!item.is_namespace(),
                             "chat template: a namespace inside a list or mapping is not supported");
  depth = std::max(depth, item.depth() + 1);
  check<ValueError>(depth <= depth_limit, "chat template: values are nested deeper than ", depth_limit);
  return depth;
}

bool equal_items(const Value& a, const Value& b, int& budget) {
  check<ValueError>(--budget > 0, "chat template: a comparison is too large");
  if (a.is_number() && b.is_number())
    return a.is_real() || b.is_real() ? a.as_real() == b.as_real() : a.as_integer() == b.as_integer();
  if (a.is_text() && b.is_text()) return a.as_text() == b.as_text();
  if (a.is_list() && b.is_list()) {
    const auto &x = a.as_list(), &y = b.as_list();
    return &x == &y ||
           (x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [&](const Value& p, const Value& q) {
              return equal_items(p, q, budget);
            }));
  }
  if (a.is_dict() && b.is_dict()) {
    const Dict &x = a.as_dict(), &y = b.as_dict();
    return &x == &y ||
           (x.items.size() == y.items.size() && std::all_of(x.items.begin(), x.items.end(), [&](const auto& item) {
              const Value* other = y.find(item.first);
              return other && equal_items(item.second, *other, budget);
            }));
  }
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

}  // namespace

const Value* Dict::find(std::string_view key) const {
  for (const auto& item : items)
    if (item.first == key) return &item.second;
  return nullptr;
}

void Dict::set(const std::string& key, Value value) {
  depth = checked_depth(depth, value);
  for (auto& item : items) {
    if (item.first != key) continue;
    item.second = std::move(value);
    return;
  }
  items.emplace_back(key, std::move(value));
}

Value Value::list(std::vector<Value> items) {
  List list{std::move(items), 1};
  for (const Value& item : list.items) list.depth = checked_depth(list.depth, item);
  return Value(Data(std::make_shared<const List>(std::move(list))));
}

Value Value::dict(std::vector<std::pair<std::string, Value>> items) {
  auto dict = std::make_shared<Dict>();
  dict->items = std::move(items);
  for (const auto& item : dict->items) dict->depth = checked_depth(dict->depth, item.second);
  return Value(Data(std::move(dict)));
}

bool Value::truthy() const {
  if (is_undefined() || is_none()) return false;
  if (is_real()) return as_real() != 0;
  if (is_number()) return as_integer() != 0;
  if (is_text()) return !as_text().empty();
  if (is_list()) return !as_list().empty();
  if (is_dict()) return as_dict().is_namespace || !as_dict().items.empty();
  return true;
}

int Value::depth() const {
  if (is_list()) return std::get<std::shared_ptr<const List>>(data_)->depth;
  return is_dict() ? as_dict().depth : 0;
}

const char* Value::type_name() const {
  static constexpr const char* names[] = {"undefined", "None", "bool", "int",     "float",
                                          "str",       "list", "dict", "function"};
  return is_namespace() ? "namespace" : names[data_.index()];
}

void append_limited(std::string& out, std::string_view text) {
  check<ValueError>(text.size() <= text_limit && out.size() <= text_limit - text.size(),
                    "chat template: a text is longer than ", text_limit, " bytes");
  out += text;
}

// The shortest digits that read back, in Python's layout: positional from 1e-4 to below 1e16, else with an exponent.
std::string real_to_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const double size = std::fabs(value);
  const bool positional = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto format = positional ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
  std::string text(buffer, end);
  if (positional && text.find('.') == text.npos) text += ".0";
  return text;
}

void append_repr(const Value& value, std::string& out) {
  if (value.is_text()) {
    const std::string& text = value.as_text();
    const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
    std::string quoted(1, quote);
    for (const char c : text) {
      if (c == quote || c == '\\')
        quoted += {'\\', c};
      else if (c == '\n')
        quoted += "\\n";
      else if (c == '\t')
        quoted += "\\t";
      else if (c == '\r')
        quoted += "\\r";
      else
        quoted += c;
    }
    append_limited(out, quoted + quote);
  } else if (value.is_list()) {
    append_limited(out, "[");
    for (const Value& item : value.as_list()) {
      if (&item != &value.as_list().front()) append_limited(out, ", ");
      append_repr(item, out);
    }
    append_limited(out, "]");
  } else if (value.is_dict()) {
    append_limited(out, "{");
    for (const auto& [key, item] : value.as_dict().items) {
      if (&key != &value.as_dict().items.front().first) append_limited(out, ", ");
      append_repr(Value::text(key), out);
      append_limited(out, ": ");
      append_repr(item, out);
    }
    append_limited(out, "}");
  } else {
    append_limited(out, to_text(value));
  }
}

std::string to_text(const Value& value) {
  if (value.is_text()) return value.as_text();
  if (value.is_undefined()) return {};
  if (value.is_none()) return "None";
  if (value.is_bool()) return value.truthy() ? "True" : "False";
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_real()) return real_to_text(value.as_real());
  check<NotImplementedError>(!value.is_function(), "chat template: printing a function is not supported");
  std::string out;
  append_repr(value, out);
  return out;
}

bool equal(const Value& a, const Value& b) {
  int budget = comparison_limit;
  return equal_items(a, b, budget);
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number())
    return a.is_real() || b.is_real() ? a.as_real() < b.as_real() : a.as_integer() < b.as_integer();
  check<ValueError>(a.is_text() && b.is_text(), "chat template: no order between ", a.type_name(), " and ",
                    b.type_name());
  return a.as_text() < b.as_text();
}

}  // namespace hearth::llm::jinja
