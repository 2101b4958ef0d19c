// Jinja tests: what stands behind `is`.
#include <algorithm>

#include "llm/tokenizer/jinja_interpreter.h"

namespace hearth::llm::jinja {

namespace {

bool is_whole(const Value& value) { return value.is_integer(); }

int64_t remainder(const Value& value, int64_t divisor) {
  return binary_operation("%", value, Value::integer(divisor)).as_integer();
}

// Tests of the value alone; -1 for a name that is not among them.
int plain_test(const std::string& name, const Value& v) {
  if (name == "defined") return !v.is_undefined();
  if (name == "undefined") return v.is_undefined();
  if (name == "none") return v.is_none();
  if (name == "string") return v.is_text();
  if (name == "number") return v.is_number();
  if (name == "integer") return is_whole(v);
  if (name == "float") return v.is_real();
  if (name == "boolean") return v.is_bool();
  if (name == "true") return v.is_bool() && v.truthy();
  if (name == "false") return v.is_bool() && !v.truthy();
  if (name == "mapping") return v.is_dict() && !v.is_namespace();
  if (name == "sequence") return v.is_list() || v.is_text() || (v.is_dict() && !v.is_namespace());
  if (name == "iterable") return v.is_list() || v.is_text() || v.is_undefined() || (v.is_dict() && !v.is_namespace());
  if (name == "callable") return v.is_function();
  if (name == "lower") return v.is_text() && change_case(v.as_text(), "lower") == v.as_text();
  if (name == "upper") return v.is_text() && change_case(v.as_text(), "upper") == v.as_text();
  if (name == "odd" || name == "even") {
    check<ValueError>(is_whole(v) || v.is_bool(), "chat template: is ", name, " of ", v.type_name());
    return (remainder(v, 2) == 1) == (name == "odd");
  }
  return -1;
}

}  // namespace

bool call_test(const std::string& name, const std::vector<Value>& arguments) {
  const Value& value = arguments[0];
  if (arguments.size() == 1) {
    const int known = plain_test(name, value);
    if (known >= 0) return known != 0;
  }
  if (arguments.size() == 2) {
    const Value& other = arguments[1];
    if (name == "eq" || name == "equalto" || name == "==") return equal(value, other);
    if (name == "ne" || name == "!=") return !equal(value, other);
    if (name == "lt" || name == "lessthan") return less(value, other);
    if (name == "gt" || name == "greaterthan") return less(other, value);
    if (name == "le") return less(value, other) || equal(value, other);
    if (name == "ge") return less(other, value) || equal(value, other);
    if (name == "in") return binary_operation("in", value, other).truthy();
    if (name == "divisibleby") {
      check<ValueError>(is_whole(value) && is_whole(other), "chat template: is divisibleby needs integers");
      return remainder(value, other.as_integer()) == 0;
    }
  }
  fail<NotImplementedError>("chat template: the test ", name, " with ", arguments.size() - 1,
                            " arguments is not supported");
}

}  // namespace hearth::llm::jinja
