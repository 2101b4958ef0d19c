// Jinja interpreter: expressions.
#include "llm/tokenizer/jinja_interpreter.h"

#include <cmath>

namespace hearth::llm::jinja {

namespace {

constexpr size_t work_limit = 500'000'000;
constexpr int depth_limit = 400;
using Kind = Node::Kind;

}  // namespace

Interpreter::Level::Level(Interpreter& interpreter) : interpreter_(interpreter) {
  if (++interpreter_.depth_ > depth_limit) {
    --interpreter_.depth_;
    fail<ValueError>(interpreter_.name_, ": nested deeper than ", depth_limit);
  }
}

void Interpreter::charge(size_t work) {
  work_ += work;
  check<ValueError>(work_ < work_limit, name_, ": the template does too much work");
}

Value Interpreter::evaluate(const Node& node, const Scope& scope) {
  const Level level(*this);
  Value value = evaluate_node(node, scope);
  // What is only looked up costs a step; what is built costs its size.
  const bool built = node.kind != Kind::name && node.kind != Kind::literal && node.kind != Kind::attribute;
  size_t size = 0;
  if (built && value.is_text()) size = value.as_text().size();
  if (built && value.is_list()) size = 32 * value.as_list().size();
  charge(step_cost + size);
  return value;
}

Value Interpreter::evaluate_or(const NodePtr& node, const Scope& scope, Value otherwise) {
  return node ? evaluate(*node, scope) : otherwise;
}

Value Interpreter::evaluate_node(const Node& node, const Scope& scope) {
  const auto kid = [&](size_t i) { return evaluate(*node.kids[i], scope); };
  switch (node.kind) {
    case Kind::literal:
      return node.value;
    case Kind::name:
      return look_up(node, scope);
    case Kind::list: {
      std::vector<Value> items;
      for (const NodePtr& item : node.kids) items.push_back(evaluate(*item, scope));
      return Value::list(std::move(items));
    }
    case Kind::dict: {
      Dict dict;
      for (size_t i = 0; i < node.kids.size(); i += 2) dict.set(text_argument(kid(i), "a key"), kid(i + 1));
      return Value::dict(std::move(dict.items));
    }
    case Kind::attribute:
      return get_attribute(kid(0), node.text);
    case Kind::item:
      return get_item(kid(0), kid(1));
    case Kind::slice:
      return slice(node, scope);
    case Kind::call:
      return call(node, scope);
    case Kind::filter:
      return call_filter(node.text, arguments(node, 0, scope), *this);
    case Kind::test:
      return Value::boolean(call_test(node.text, arguments(node, 0, scope).positional));
    case Kind::unary:
      return unary(node, scope);
    case Kind::binary: {
      const Value left = kid(0);
      return binary_operation(node.text, left, kid(1));
    }
    case Kind::both: {
      const Value left = kid(0);
      return left.truthy() ? kid(1) : left;
    }
    case Kind::either: {
      const Value left = kid(0);
      return left.truthy() ? left : kid(1);
    }
    case Kind::conditional:
      return kid(1).truthy() ? kid(0) : evaluate_or(node.kids[2], scope, Value::undefined("else"));
    default:
      fail<ValueError>(name_, ": line ", node.line, ": a statement in an expression");
  }
}

Value Interpreter::look_up(const Node& node, const Scope& scope) const {
  for (const Scope* place = &scope; place; place = place->outer)
    if (const Value* found = place->variables.find(node.text)) return *found;
  return Value::undefined(node.text);
}

Value Interpreter::unary(const Node& node, const Scope& scope) {
  const Value value = evaluate(*node.kids[0], scope);
  if (node.text == "not") return Value::boolean(!value.truthy());
  check<ValueError>(value.is_number(), name_, ": line ", node.line, ": ", node.text, " of ", value.type_name());
  if (node.text == "+") return value;
  if (value.is_real()) return Value::real(-value.as_real());
  return binary_operation("-", Value::integer(0), value);
}

Arguments Interpreter::arguments(const Node& node, size_t first, const Scope& scope) {
  Arguments out;
  const size_t named = node.kids.size() - node.names.size();
  for (size_t i = first; i < named; ++i) out.positional.push_back(evaluate(*node.kids[i], scope));
  for (size_t i = 0; i < node.names.size(); ++i)
    out.named.emplace_back(node.names[i], evaluate(*node.kids[named + i], scope));
  return out;
}

Value Interpreter::call(const Node& node, const Scope& scope) {
  const Node& callee = *node.kids[0];
  const bool method = callee.kind == Kind::attribute;
  const Value object = method ? evaluate(*callee.kids[0], scope) : Value();
  const Value function =
      method ? (object.is_dict() ? get_attribute(object, callee.text) : Value()) : evaluate(callee, scope);
  const Arguments given = arguments(node, 1, scope);
  if (function.is_function()) return function.as_function()(given);
  if (method) return call_method(object, callee.text, given);
  check<NotImplementedError>(!function.is_undefined(), name_, ": line ", node.line, ": the function ", callee.text,
                             " is not supported");
  fail<ValueError>(name_, ": line ", node.line, ": ", function.type_name(), " cannot be called");
}

Value Interpreter::slice(const Node& node, const Scope& scope) {
  const Value object = evaluate(*node.kids[0], scope);
  const Value start = evaluate_or(node.kids[1], scope, Value());
  const Value stop = evaluate_or(node.kids[2], scope, Value());
  return get_slice(object, start, stop, evaluate_or(node.kids[3], scope, Value()));
}

}  // namespace hearth::llm::jinja
