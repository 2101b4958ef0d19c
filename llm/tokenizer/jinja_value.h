// Jinja value: what an expression of a chat template is worth, with Python's rules for text, truth and equality.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hearth::llm::jinja {

class Value;

struct Undefined {
  std::string name;  // what was looked up, for messages
};
struct None {};

struct List {
  std::vector<Value> items;
  int depth = 1;
};

/// Keys are strings, in the order of insertion.
struct Dict {
  std::vector<std::pair<std::string, Value>> items;
  int depth = 1;
  bool is_namespace = false;  // only these can be changed: {% set ns.x = … %}

  const Value* find(std::string_view key) const;
  void set(const std::string& key, Value value);
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};
using Function = std::function<Value(const Arguments&)>;

/// Copies share their contents, which never change (but for namespaces).
class Value {
 public:
  using Data = std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>,
                            std::shared_ptr<const List>, std::shared_ptr<Dict>, std::shared_ptr<const Function>>;
  Value() : data_(None{}) {}
  explicit Value(Data data) : data_(std::move(data)) {}
  static Value undefined(std::string name) { return Value(Data(Undefined{std::move(name)})); }
  static Value boolean(bool b) { return Value(Data(b)); }
  static Value integer(int64_t i) { return Value(Data(i)); }
  static Value real(double d) { return Value(Data(d)); }
  static Value text(std::string s) { return Value(Data(std::make_shared<const std::string>(std::move(s)))); }
  /// Throw NotImplementedError for a namespace inside (a cycle could arise) and ValueError beyond 32 levels of nesting.
  static Value list(std::vector<Value> items);
  static Value dict(std::vector<std::pair<std::string, Value>> items);
  static Value function(Function f) { return Value(Data(std::make_shared<const Function>(std::move(f)))); }

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(data_); }
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_bool() || is_integer() || is_real(); }
  bool is_text() const { return std::holds_alternative<std::shared_ptr<const std::string>>(data_); }
  bool is_list() const { return std::holds_alternative<std::shared_ptr<const List>>(data_); }
  bool is_dict() const { return std::holds_alternative<std::shared_ptr<Dict>>(data_); }
  bool is_namespace() const { return is_dict() && as_dict().is_namespace; }
  bool is_function() const { return std::holds_alternative<std::shared_ptr<const Function>>(data_); }

  const Undefined& as_undefined() const { return std::get<Undefined>(data_); }
  const std::string& as_text() const { return *std::get<std::shared_ptr<const std::string>>(data_); }
  const std::vector<Value>& as_list() const { return std::get<std::shared_ptr<const List>>(data_)->items; }
  const Dict& as_dict() const { return *std::get<std::shared_ptr<Dict>>(data_); }
  Dict& as_namespace() const { return *std::get<std::shared_ptr<Dict>>(data_); }
  const Function& as_function() const { return *std::get<std::shared_ptr<const Function>>(data_); }
  /// The number a bool or integer is (checked by the caller), and any number as a double.
  int64_t as_integer() const { return is_bool() ? std::get<bool>(data_) : std::get<int64_t>(data_); }
  double as_real() const { return is_real() ? std::get<double>(data_) : static_cast<double>(as_integer()); }

  bool truthy() const;
  int depth() const;
  /// Python's name of the type, for messages.
  const char* type_name() const;

 private:
  Data data_;
};

/// Longest text that a template may build.
constexpr size_t text_limit = 16 << 20;
/// Appends; throws ValueError when `out` would pass the limit.
void append_limited(std::string& out, std::string_view text);

/// What {{ value }} prints: str() of Python.
std::string to_text(const Value& value);
/// repr() of Python.
void append_repr(const Value& value, std::string& out);
std::string real_to_text(double value);

/// Equality and order of Python; `less` throws ValueError for types that have no order.
bool equal(const Value& a, const Value& b);
bool less(const Value& a, const Value& b);

}  // namespace hearth::llm::jinja
