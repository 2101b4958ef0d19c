// Jinja arguments: how filters, methods and functions look at what they are given; and the global functions.
#include <algorithm>
#include <ctime>

#include "llm/tokenizer/jinja_interpreter.h"

namespace hearth::llm::jinja {

namespace {

constexpr int64_t range_limit = 100'000;

Value range(const Arguments& given) {
  expect_arguments("range", given, 3, {});
  const bool has_start = given.positional.size() > 1;
  const int64_t start = has_start ? integer_argument(given.positional[0], 0, "range") : 0;
  const int64_t stop = integer_argument(argument(given, has_start ? 1 : 0, ""), 0, "range");
  const int64_t step = integer_argument(argument(given, 2, ""), 1, "range");
  check<ValueError>(step != 0, "chat template: range with step 0");
  constexpr int64_t far = int64_t{1} << 40;
  check<ValueError>(std::max({std::abs(start / 2), std::abs(stop / 2), std::abs(step / 2)}) < far,
                    "chat template: range is too large");
  std::vector<Value> out;
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
    check<ValueError>(out.size() < range_limit, "chat template: range is longer than ", range_limit);
    out.push_back(Value::integer(i));
  }
  return Value::list(std::move(out));
}

Value make_dict(const Arguments& given) {
  check<NotImplementedError>(given.positional.empty(),
                             "chat template: dict and namespace of a value are not supported");
  Dict dict;
  for (const auto& [key, value] : given.named) dict.set(key, value);
  return Value::dict(std::move(dict.items));
}

Value make_namespace(const Arguments& given) {
  const Value dict = make_dict(given);
  dict.as_namespace().is_namespace = true;
  return dict;
}

Value raise_exception(const Arguments& given) {
  expect_arguments("raise_exception", given, 1, {"message"});
  fail<ValueError>("chat template: ", to_text(argument(given, 0, "message")));
}

Value strftime_now(const Arguments& given) {
  expect_arguments("strftime_now", given, 1, {"format"});
  const std::string& format = text_argument(argument(given, 0, "format"), "strftime_now");
  check<ValueError>(format.size() < 256, "chat template: strftime_now: the format is too long");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char buffer[4096];
  return Value::text(std::string(buffer, std::strftime(buffer, sizeof buffer, format.c_str(), &local)));
}

}  // namespace

Value argument(const Arguments& arguments, size_t place, std::string_view name) {
  return place < arguments.positional.size() ? arguments.positional[place] : named_argument(arguments, name);
}

Value named_argument(const Arguments& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments.named)
    if (key == name) return value;
  return Value::undefined(std::string(name));
}

void expect_arguments(const std::string& what, const Arguments& arguments, size_t count,
                      std::initializer_list<std::string_view> names) {
  check<NotImplementedError>(arguments.positional.size() <= count, "chat template: ", what, " with ",
                             arguments.positional.size(), " arguments is not supported");
  for (const auto& argument : arguments.named)
    check<NotImplementedError>(std::find(names.begin(), names.end(), argument.first) != names.end(),
                               "chat template: ", what, ": argument ", argument.first, " is not supported");
}

int64_t integer_argument(const Value& value, int64_t otherwise, const std::string& what) {
  if (value.is_undefined() || value.is_none()) return otherwise;
  check<ValueError>(value.is_number() && !value.is_real(), "chat template: ", what, " needs an integer, not ",
                    value.type_name());
  return value.as_integer();
}

const std::string& text_argument(const Value& value, const std::string& what) {
  check<ValueError>(value.is_text(), "chat template: ", what, " needs a text, not ", value.type_name(),
                    value.is_undefined() ? ": " + value.as_undefined().name : "");
  return value.as_text();
}

void add_global_functions(Dict& variables) {
  variables.set("range", Value::function(range));
  variables.set("dict", Value::function(make_dict));
  variables.set("namespace", Value::function(make_namespace));
  variables.set("raise_exception", Value::function(raise_exception));
  variables.set("strftime_now", Value::function(strftime_now));
}

}  // namespace hearth::llm::jinja
