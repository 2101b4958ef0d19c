// Jinja operations: operators, attributes, items and slices, as Python has them.
#include <algorithm>
#include <cmath>

#include "llm/tokenizer/jinja_interpreter.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm::jinja {

namespace {

std::vector<Value> characters_of(const std::string& text) {
  std::vector<Value> out;
  for (size_t pos = 0; pos < text.size();) {
    const size_t length = utf8_length(static_cast<unsigned char>(text[pos]));
    out.push_back(Value::text(text.substr(pos, length)));
    pos += length;
  }
  return out;
}

Value integer_operation(char op, int64_t a, int64_t b) {
  int64_t result = 0;
  const bool overflow = op == '+'   ? __builtin_add_overflow(a, b, &result)
                        : op == '-' ? __builtin_sub_overflow(a, b, &result)
                                    : __builtin_mul_overflow(a, b, &result);
  check<ValueError>(!overflow, "chat template: ", a, " ", op, " ", b, " is out of range");
  return Value::integer(result);
}

// Python rounds towards minus infinity and gives the remainder the sign of the divisor.
Value integer_division(bool remainder, int64_t a, int64_t b) {
  check<ValueError>(b != 0, "chat template: division by zero");
  if (b == -1) return remainder ? Value::integer(0) : integer_operation('-', 0, a);
  int64_t quotient = a / b, rest = a % b;
  if (rest != 0 && (rest < 0) != (b < 0)) {
    rest += b;
    --quotient;
  }
  return Value::integer(remainder ? rest : quotient);
}

Value power(const Value& a, const Value& b) {
  if (a.is_real() || b.is_real() || b.as_integer() < 0) return Value::real(std::pow(a.as_real(), b.as_real()));
  Value result = Value::integer(1);
  check<ValueError>(b.as_integer() <= 64 || std::abs(a.as_real()) <= 1, "chat template: power out of range");
  for (int64_t i = 0; i < std::min<int64_t>(b.as_integer(), 128); ++i)
    result = integer_operation('*', result.as_integer(), a.as_integer());
  if (b.as_integer() > 128 && a.as_integer() == -1) return Value::integer(b.as_integer() % 2 ? -1 : 1);
  return result;
}

Value arithmetic(const std::string& op, const Value& a, const Value& b) {
  if (op == "**") return power(a, b);
  const bool real = a.is_real() || b.is_real();
  if (op == "/" || (real && (op == "//" || op == "%"))) {
    const double divisor = b.as_real();
    check<ValueError>(divisor != 0, "chat template: division by zero");
    const double quotient = a.as_real() / divisor;
    if (op == "/") return Value::real(quotient);
    return Value::real(op == "//" ? std::floor(quotient) : a.as_real() - divisor * std::floor(quotient));
  }
  if (!real)
    return op == "//" || op == "%" ? integer_division(op == "%", a.as_integer(), b.as_integer())
                                   : integer_operation(op[0], a.as_integer(), b.as_integer());
  const double x = a.as_real(), y = b.as_real();
  return Value::real(op == "+" ? x + y : op == "-" ? x - y : x * y);
}

Value repeat(const Value& value, int64_t count) {
  const size_t times = count > 0 ? static_cast<size_t>(count) : 0;
  if (value.is_text()) {
    check<ValueError>(times == 0 || value.as_text().size() <= text_limit / times,
                      "chat template: a repeated text is too long");
    std::string out;
    for (size_t i = 0; i < times && !value.as_text().empty(); ++i) out += value.as_text();
    return Value::text(std::move(out));
  }
  check<ValueError>(times == 0 || value.as_list().size() <= 100'000 / times,
                    "chat template: a repeated list is too long");
  std::vector<Value> out;
  for (size_t i = 0; i < times && !value.as_list().empty(); ++i)
    out.insert(out.end(), value.as_list().begin(), value.as_list().end());
  return Value::list(std::move(out));
}

bool contains(const Value& container, const Value& item) {
  if (container.is_text()) return container.as_text().find(text_argument(item, "in")) != std::string::npos;
  if (container.is_dict()) return item.is_text() && container.as_dict().find(item.as_text());
  if (container.is_undefined()) return false;
  check<ValueError>(container.is_list(), "chat template: in: nothing can be in ", container.type_name());
  const auto& items = container.as_list();
  return std::any_of(items.begin(), items.end(), [&](const Value& other) { return equal(other, item); });
}

Value add(const Value& a, const Value& b) {
  if (a.is_text() && b.is_text()) {
    std::string out = a.as_text();
    append_limited(out, b.as_text());
    return Value::text(std::move(out));
  }
  check<ValueError>(a.is_list() && b.is_list(), "chat template: ", a.type_name(), " + ", b.type_name(),
                    " is not defined", a.is_undefined() ? ": " + a.as_undefined().name : "",
                    b.is_undefined() ? ": " + b.as_undefined().name : "");
  std::vector<Value> out = a.as_list();
  out.insert(out.end(), b.as_list().begin(), b.as_list().end());
  return Value::list(std::move(out));
}

bool is_whole(const Value& value) { return value.is_number() && !value.is_real(); }

}  // namespace

Value binary_operation(const std::string& op, const Value& a, const Value& b) {
  if (op == "==") return Value::boolean(equal(a, b));
  if (op == "!=") return Value::boolean(!equal(a, b));
  if (op == "<") return Value::boolean(less(a, b));
  if (op == ">") return Value::boolean(less(b, a));
  if (op == "<=") return Value::boolean(less(a, b) || equal(a, b));
  if (op == ">=") return Value::boolean(less(b, a) || equal(a, b));
  if (op == "in") return Value::boolean(contains(b, a));
  if (op == "not in") return Value::boolean(!contains(b, a));
  if (op == "~") {
    std::string out = to_text(a);
    append_limited(out, to_text(b));
    return Value::text(std::move(out));
  }
  if (a.is_number() && b.is_number()) return arithmetic(op, a, b);
  if (op == "*" && (a.is_text() || a.is_list()) && is_whole(b)) return repeat(a, b.as_integer());
  if (op == "*" && (b.is_text() || b.is_list()) && is_whole(a)) return repeat(b, a.as_integer());
  check<NotImplementedError>(op != "%" || !a.is_text(), "chat template: text formatting by % is not supported");
  if (op == "+") return add(a, b);
  fail<ValueError>("chat template: ", a.type_name(), " ", op, " ", b.type_name(), " is not defined");
}

std::vector<Value> items_of(const Value& value) {
  if (value.is_list()) return value.as_list();
  if (value.is_text()) return characters_of(value.as_text());
  if (value.is_undefined()) return {};
  check<ValueError>(value.is_dict() && !value.is_namespace(), "chat template: ", value.type_name(), " has no items");
  std::vector<Value> keys;
  for (const auto& item : value.as_dict().items) keys.push_back(Value::text(item.first));
  return keys;
}

size_t length_of(const Value& value) {
  if (value.is_list()) return value.as_list().size();
  if (value.is_dict()) return value.as_dict().items.size();
  if (value.is_undefined()) return 0;
  const std::string& text = text_argument(value, "length");
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Value get_attribute(const Value& object, const std::string& key) {
  check<ValueError>(!object.is_undefined(), "chat template: ", object.is_undefined() ? object.as_undefined().name : "",
                    " is undefined, so it has no ", key);
  const Value* found = object.is_dict() ? object.as_dict().find(key) : nullptr;
  return found ? *found : Value::undefined(key);
}

Value get_item(const Value& object, const Value& key) {
  if (key.is_text()) return get_attribute(object, key.as_text());
  check<ValueError>(!object.is_undefined(), "chat template: ", object.is_undefined() ? object.as_undefined().name : "",
                    " is undefined, so it has no items");
  if ((!object.is_list() && !object.is_text()) || !is_whole(key)) return Value::undefined("item");
  const std::vector<Value> characters = object.is_text() ? characters_of(object.as_text()) : std::vector<Value>();
  const std::vector<Value>& items = object.is_text() ? characters : object.as_list();
  const int64_t size = static_cast<int64_t>(items.size());
  const int64_t index = key.as_integer();
  if (index >= size || index < -size) return Value::undefined("item " + std::to_string(index));
  return items[static_cast<size_t>(index < 0 ? index + size : index)];
}

Value get_slice(const Value& object, const Value& start, const Value& stop, const Value& step_value) {
  check<ValueError>(object.is_list() || object.is_text(), "chat template: ", object.type_name(), " cannot be sliced");
  const std::vector<Value> items = items_of(object);
  const int64_t size = static_cast<int64_t>(items.size());
  const int64_t step = integer_argument(step_value, 1, "slice");
  check<ValueError>(step != 0, "chat template: a slice with step 0");
  const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? size : size - 1;
  const auto bound = [&](const Value& value, int64_t otherwise) {
    if (value.is_none()) return otherwise;
    int64_t place = integer_argument(value, 0, "slice");
    if (place < 0) place = place < -size ? lowest : place + size;
    return std::clamp(place, lowest, highest);
  };
  const int64_t from = bound(start, step > 0 ? 0 : size - 1), to = bound(stop, step > 0 ? size : -1);
  std::vector<Value> out;
  const int64_t stride = std::clamp(step, -size - 1, size + 1);
  for (int64_t i = from; stride > 0 ? i < to : i > to; i += stride) out.push_back(items[static_cast<size_t>(i)]);
  if (!object.is_text()) return Value::list(std::move(out));
  std::string text;
  for (const Value& character : out) text += character.as_text();
  return Value::text(std::move(text));
}

}  // namespace hearth::llm::jinja
