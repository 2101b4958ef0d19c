// Jinja filters: what stands behind |.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "llm/tokenizer/jinja_interpreter.h"

namespace hearth::llm::jinja {

namespace {

using Filter = Value (*)(const Arguments&, Interpreter&);

Value trim(const Arguments& a, Interpreter&) {
  expect_arguments("trim", a, 2, {"chars"});
  return Value::text(strip_text(to_text(a.positional[0]), argument(a, 1, "chars"), true, true));
}

Value length(const Arguments& a, Interpreter&) {
  expect_arguments("length", a, 1, {});
  return Value::integer(static_cast<int64_t>(length_of(a.positional[0])));
}

Value default_value(const Arguments& a, Interpreter&) {
  expect_arguments("default", a, 3, {"default_value", "boolean"});
  const bool also_false = argument(a, 2, "boolean").truthy();
  const Value& value = a.positional[0];
  if (!value.is_undefined() && (!also_false || value.truthy())) return value;
  const Value otherwise = argument(a, 1, "default_value");
  return a.positional.size() > 1 || !a.named.empty() ? otherwise : Value::text("");
}

Value tojson(const Arguments& a, Interpreter&) {
  expect_arguments("tojson", a, 2, {"indent", "ensure_ascii", "sort_keys"});
  check<NotImplementedError>(!named_argument(a, "ensure_ascii").truthy(),
                             "chat template: tojson: ensure_ascii is not supported");
  const int64_t indent = integer_argument(argument(a, 1, "indent"), -1, "tojson");
  check<ValueError>(indent <= 64, "chat template: tojson: indent ", indent);
  return Value::text(to_json(a.positional[0], static_cast<int>(std::max<int64_t>(indent, -1)),
                             named_argument(a, "sort_keys").truthy()));
}

Value join(const Arguments& a, Interpreter&) {
  expect_arguments("join", a, 3, {"d", "attribute"});
  const Value separator = argument(a, 1, "d"), attribute = argument(a, 2, "attribute");
  std::string out;
  bool first = true;
  for (const Value& item : items_of(a.positional[0])) {
    if (!first) append_limited(out, to_text(separator));
    append_limited(out, to_text(attribute.is_undefined() ? item : get_item(item, attribute)));
    first = false;
  }
  return Value::text(std::move(out));
}

Value replace(const Arguments& a, Interpreter&) {
  expect_arguments("replace", a, 4, {"old", "new", "count"});
  return Value::text(replace_text(to_text(a.positional[0]), text_argument(argument(a, 1, "old"), "replace"),
                                  text_argument(argument(a, 2, "new"), "replace"),
                                  integer_argument(argument(a, 3, "count"), -1, "replace")));
}

template <const char* How>
Value cased(const Arguments& a, Interpreter&) {
  expect_arguments(How, a, 1, {});
  return Value::text(change_case(to_text(a.positional[0]), How));
}
constexpr char upper[] = "upper", lower[] = "lower", title[] = "title", capitalize[] = "capitalize";

Value end_item(const Arguments& a, bool first) {
  expect_arguments("first and last", a, 1, {});
  const std::vector<Value> items = items_of(a.positional[0]);
  return items.empty() ? Value::undefined("item of an empty list") : first ? items.front() : items.back();
}

Value as_list(const Arguments& a, Interpreter&) {
  expect_arguments("list", a, 1, {});
  return Value::list(items_of(a.positional[0]));
}

Value as_string(const Arguments& a, Interpreter&) {
  expect_arguments("string", a, 1, {});
  return Value::text(to_text(a.positional[0]));
}

Value as_integer(const Arguments& a, Interpreter&) {
  expect_arguments("int", a, 2, {"default"});
  const Value& value = a.positional[0];
  const int64_t otherwise = integer_argument(argument(a, 1, "default"), 0, "int");
  if (value.is_real())
    return Value::integer(std::fabs(value.as_real()) < 9e18 ? static_cast<int64_t>(value.as_real()) : otherwise);
  if (value.is_number()) return Value::integer(value.as_integer());
  if (!value.is_text()) return Value::integer(otherwise);
  const std::string text = strip_text(value.as_text(), Value(), true, true);
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, number);
  return Value::integer(read.ec == std::errc() && read.ptr == end ? number : otherwise);
}

Value absolute(const Arguments& a, Interpreter&) {
  expect_arguments("abs", a, 1, {});
  check<ValueError>(a.positional[0].is_number(), "chat template: abs of ", a.positional[0].type_name());
  const Value& value = a.positional[0];
  return value.as_real() < 0 ? binary_operation("-", Value::integer(0), value) : value;
}

Value pairs(const Arguments& a, Interpreter&) {
  expect_arguments("items", a, 1, {});
  return a.positional[0].is_undefined() ? Value::list({}) : call_method(a.positional[0], "items", {});
}

Value sorted_pairs(const Arguments& a, Interpreter& interpreter) {
  expect_arguments("dictsort", a, 1, {});
  std::vector<Value> items = pairs(a, interpreter).as_list();
  std::stable_sort(items.begin(), items.end(), [](const Value& x, const Value& y) {
    return change_case(x.as_list()[0].as_text(), "lower") < change_case(y.as_list()[0].as_text(), "lower");
  });
  return Value::list(std::move(items));
}

Value reversed(const Arguments& a, Interpreter&) {
  expect_arguments("reverse", a, 1, {});
  return get_slice(a.positional[0], Value(), Value(), Value::integer(-1));
}

Value unique(const Arguments& a, Interpreter& interpreter) {
  expect_arguments("unique", a, 1, {});
  std::vector<Value> out;
  for (const Value& item : items_of(a.positional[0])) {
    interpreter.charge(10 * out.size());
    if (std::none_of(out.begin(), out.end(), [&](const Value& other) { return equal(item, other); }))
      out.push_back(item);
  }
  return Value::list(std::move(out));
}

Value indent(const Arguments& a, Interpreter&) {
  expect_arguments("indent", a, 4, {"width", "first", "blank"});
  const Value width = argument(a, 1, "width");
  const int64_t spaces = width.is_text() ? 0 : integer_argument(width, 4, "indent");
  check<ValueError>(spaces >= 0 && spaces <= 1024, "chat template: indent by ", spaces);
  const std::string margin = width.is_text() ? width.as_text() : std::string(static_cast<size_t>(spaces), ' ');
  const bool first = argument(a, 2, "first").truthy(), blank = argument(a, 3, "blank").truthy();
  const std::string text = to_text(a.positional[0]);
  std::string out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if ((begin > 0 || first) && (end > begin || blank || (first && begin == 0))) append_limited(out, margin);
    append_limited(out, std::string_view(text).substr(begin, std::min(end + 1, text.size()) - begin));
    begin = end + 1;
  }
  return Value::text(std::move(out));
}

Value map(const Arguments& a, Interpreter& interpreter) {
  std::vector<Value> out;
  const Value attribute = named_argument(a, "attribute");
  for (const Value& item : items_of(a.positional[0])) {
    if (!attribute.is_undefined()) {
      expect_arguments("map", a, 1, {"attribute", "default"});
      const Value found = get_item(item, attribute), otherwise = named_argument(a, "default");
      out.push_back(found.is_undefined() && !otherwise.is_undefined() ? otherwise : found);
      continue;
    }
    Arguments inner{{item}, a.named};
    inner.positional.insert(inner.positional.end(), a.positional.begin() + std::min<size_t>(2, a.positional.size()),
                            a.positional.end());
    out.push_back(call_filter(text_argument(argument(a, 1, ""), "map"), inner, interpreter));
  }
  return Value::list(std::move(out));
}

// select(test, …) looks at the item, selectattr(name, test, …) at its attribute; without a test, at its truth.
Value select(const Arguments& a, bool by_attribute, bool keep) {
  check<NotImplementedError>(a.named.empty(), "chat template: select with named arguments is not supported");
  const size_t test = by_attribute ? 2 : 1;
  std::vector<Value> out;
  for (const Value& item : items_of(a.positional[0])) {
    const Value tested = by_attribute ? get_item(item, argument(a, 1, "")) : item;
    bool holds = tested.truthy();
    if (a.positional.size() > test) {
      std::vector<Value> given{tested};
      given.insert(given.end(), a.positional.begin() + static_cast<std::ptrdiff_t>(test) + 1, a.positional.end());
      holds = call_test(text_argument(a.positional[test], "select"), given);
    }
    if (holds == keep) out.push_back(item);
  }
  return Value::list(std::move(out));
}

const std::map<std::string, Filter, std::less<>>& known_filters() {
  static const std::map<std::string, Filter, std::less<>> filters = {
      {"trim", trim},
      {"length", length},
      {"count", length},
      {"default", default_value},
      {"d", default_value},
      {"tojson", tojson},
      {"join", join},
      {"replace", replace},
      {"upper", cased<upper>},
      {"lower", cased<lower>},
      {"title", cased<title>},
      {"capitalize", cased<capitalize>},
      {"first", [](const Arguments& a, Interpreter&) { return end_item(a, true); }},
      {"last", [](const Arguments& a, Interpreter&) { return end_item(a, false); }},
      {"list", as_list},
      {"string", as_string},
      {"safe", as_string},  // nothing is escaped, so nothing needs to be marked safe
      {"int", as_integer},
      {"abs", absolute},
      {"items", pairs},
      {"dictsort", sorted_pairs},
      {"reverse", reversed},
      {"unique", unique},
      {"indent", indent},
      {"map", map},
      {"select", [](const Arguments& a, Interpreter&) { return select(a, false, true); }},
      {"reject", [](const Arguments& a, Interpreter&) { return select(a, false, false); }},
      {"selectattr", [](const Arguments& a, Interpreter&) { return select(a, true, true); }},
      {"rejectattr", [](const Arguments& a, Interpreter&) { return select(a, true, false); }},
  };
  return filters;
}

}  // namespace

Value call_filter(const std::string& name, const Arguments& arguments, Interpreter& interpreter) {
  const auto found = known_filters().find(name);
  check<NotImplementedError>(found != known_filters().end(), "chat template: the filter ", name, " is not supported");
  interpreter.charge(Interpreter::step_cost);
  return found->second(arguments, interpreter);
}

}  // namespace hearth::llm::jinja
