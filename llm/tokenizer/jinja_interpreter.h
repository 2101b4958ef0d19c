// Jinja interpreter: runs a syntax tree; bounded in steps, depth and the size of what it builds.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/core/error.h"
#include "llm/tokenizer/jinja_ast.h"

namespace hearth::llm::jinja {

/// Variables of one block, and where to look for others.
struct Scope {
  const Scope* outer = nullptr;
  Dict variables;
};

class Interpreter {
 public:
  static constexpr size_t step_cost = 100;

  /// `name` goes into the messages; the tree must outlive the interpreter.
  Interpreter(const Node& root, std::string name) : root_(root), name_(std::move(name)) {}

  /// The text that the template makes of `variables` (a dict). Throws ValueError for what fails in it or exceeds a
  /// limit, NotImplementedError naming a filter, test, method or function that hearth does not know.
  std::string run(const Value& variables);

  /// Counts work, a byte or a step (which costs as much as 100 bytes); throws ValueError when a template does too much
  /// of it.
  void charge(size_t work);
  Value evaluate(const Node& node, const Scope& scope);

 private:
  enum class Flow { next, loop_break, loop_continue };

  /// Guards one level of recursion, of the tree and of macro calls together.
  class Level {
   public:
    explicit Level(Interpreter& interpreter);
    ~Level() { --interpreter_.depth_; }

   private:
    Interpreter& interpreter_;
  };

  Value evaluate_node(const Node& node, const Scope& scope);
  Value evaluate_or(const NodePtr& node, const Scope& scope, Value otherwise);
  Value look_up(const Node& node, const Scope& scope) const;
  Value unary(const Node& node, const Scope& scope);
  Value call(const Node& node, const Scope& scope);
  Value slice(const Node& node, const Scope& scope);
  Arguments arguments(const Node& node, size_t first, const Scope& scope);

  Flow execute(const Node& node, Scope& scope, std::string& out);
  Flow execute_block(const Node& node, Scope& scope, std::string& out);
  Flow branch(const Node& node, Scope& scope, std::string& out);
  Flow loop(const Node& node, Scope& scope, std::string& out);
  std::vector<Value> loop_items(const Node& node, const Scope& scope);
  void assign(const std::vector<std::string>& names, const Value& value, Scope& scope);
  void set_attribute(const Node& node, const Scope& scope);
  void define_macro(const Node& node, Scope& scope);
  Value call_macro(const Node& macro, const Arguments& given);

  const Node& root_;
  std::string name_;
  Scope globals_;
  size_t work_ = 0;
  int depth_ = 0;
};

/// Calls `f` on every item of a list, key of a mapping or character of a text; throws ValueError for other types.
std::vector<Value> items_of(const Value& value);
/// Number of them.
size_t length_of(const Value& value);
Value get_attribute(const Value& object, const std::string& key);
Value get_item(const Value& object, const Value& key);
Value get_slice(const Value& object, const Value& start, const Value& stop, const Value& step);
Value binary_operation(const std::string& op, const Value& left, const Value& right);

/// Filters (first positional argument: the filtered value), tests and methods, each in a file of its own.
Value call_filter(const std::string& name, const Arguments& arguments, Interpreter& interpreter);
bool call_test(const std::string& name, const std::vector<Value>& arguments);
Value call_method(const Value& object, const std::string& name, const Arguments& arguments);
/// The functions that templates know: range, namespace, dict, raise_exception, strftime_now.
void add_global_functions(Dict& variables);

/// Argument number `place` (from 0) or by name; undefined when it is not given.
Value argument(const Arguments& arguments, size_t place, std::string_view name);
Value named_argument(const Arguments& arguments, std::string_view name);
/// Throws NotImplementedError when there are more than `count` arguments or names that are not in `names`.
void expect_arguments(const std::string& what, const Arguments& arguments, size_t count,
                      std::initializer_list<std::string_view> names);
/// An integer argument, or `otherwise` when it is not given.
int64_t integer_argument(const Value& value, int64_t otherwise, const std::string& what);
/// A text argument; throws ValueError for another type.
const std::string& text_argument(const Value& value, const std::string& what);

std::string strip_text(std::string_view text, const Value& characters, bool left, bool right);
std::string replace_text(std::string_view text, const std::string& from, const std::string& to, int64_t count);
std::string change_case(std::string_view text, const std::string& how);

/// Python's json.dumps(value, ensure_ascii=False), with `indent` spaces a level, or on one line if negative.
std::string to_json(const Value& value, int indent, bool sort_keys);

}  // namespace hearth::llm::jinja
