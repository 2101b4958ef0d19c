// Jinja interpreter: statements.
#include <algorithm>

#include "llm/tokenizer/jinja_interpreter.h"

namespace hearth::llm::jinja {

namespace {

using Kind = Node::Kind;

Value loop_variable(const std::vector<Value>& items, size_t i) {
  const int64_t index = static_cast<int64_t>(i), count = static_cast<int64_t>(items.size());
  return Value::dict({
      {"index0", Value::integer(index)},
      {"index", Value::integer(index + 1)},
      {"revindex0", Value::integer(count - index - 1)},
      {"revindex", Value::integer(count - index)},
      {"first", Value::boolean(i == 0)},
      {"last", Value::boolean(i + 1 == items.size())},
      {"length", Value::integer(count)},
      {"previtem", i > 0 ? items[i - 1] : Value::undefined("previtem")},
      {"nextitem", i + 1 < items.size() ? items[i + 1] : Value::undefined("nextitem")},
      {"cycle", Value::function([i](const Arguments& given) {
         check<ValueError>(!given.positional.empty(), "chat template: loop.cycle needs values");
         return given.positional[i % given.positional.size()];
       })},
  });
}

}  // namespace

std::string Interpreter::run(const Value& variables) {
  Scope builtins;
  add_global_functions(builtins.variables);
  globals_ = Scope{&builtins, {}};
  for (const auto& [key, value] : variables.as_dict().items) globals_.variables.set(key, value);
  work_ = 0;
  std::string out;
  execute(root_, globals_, out);
  globals_ = Scope{};
  return out;
}

Interpreter::Flow Interpreter::execute(const Node& node, Scope& scope, std::string& out) {
  const Level level(*this);
  charge(step_cost);
  switch (node.kind) {
    case Kind::block:
      return execute_block(node, scope, out);
    case Kind::text:
      append_limited(out, node.text);
      return Flow::next;
    case Kind::output:
      append_limited(out, to_text(evaluate(*node.kids[0], scope)));
      return Flow::next;
    case Kind::branch:
      return branch(node, scope, out);
    case Kind::loop:
      return loop(node, scope, out);
    case Kind::set:
      assign(node.names, evaluate(*node.kids[0], scope), scope);
      return Flow::next;
    case Kind::set_attribute:
      set_attribute(node, scope);
      return Flow::next;
    case Kind::set_block: {
      std::string text;
      Scope inner{&scope, {}};
      execute(*node.kids[0], inner, text);
      charge(text.size());
      scope.variables.set(node.names[0], Value::text(std::move(text)));
      return Flow::next;
    }
    case Kind::macro:
      define_macro(node, scope);
      return Flow::next;
    case Kind::loop_break:
      return Flow::loop_break;
    case Kind::loop_continue:
      return Flow::loop_continue;
    default:
      fail<ValueError>(name_, ": line ", node.line, ": an expression where a statement should stand");
  }
}

Interpreter::Flow Interpreter::execute_block(const Node& node, Scope& scope, std::string& out) {
  for (const NodePtr& statement : node.kids) {
    const Flow flow = execute(*statement, scope, out);
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::branch(const Node& node, Scope& scope, std::string& out) {
  size_t i = 0;
  for (; i + 1 < node.kids.size(); i += 2)
    if (evaluate(*node.kids[i], scope).truthy()) return execute(*node.kids[i + 1], scope, out);
  return i < node.kids.size() ? execute(*node.kids[i], scope, out) : Flow::next;
}

// The condition of a loop chooses before the loop begins, so that loop.last and loop.length count what is left.
std::vector<Value> Interpreter::loop_items(const Node& node, const Scope& scope) {
  std::vector<Value> items = items_of(evaluate(*node.kids[0], scope));
  charge(items.size() * 32);
  if (!node.kids[1]) return items;
  std::vector<Value> chosen;
  for (const Value& item : items) {
    Scope inner{&scope, {}};
    assign(node.names, item, inner);
    if (evaluate(*node.kids[1], inner).truthy()) chosen.push_back(item);
  }
  return chosen;
}

Interpreter::Flow Interpreter::loop(const Node& node, Scope& scope, std::string& out) {
  const std::vector<Value> items = loop_items(node, scope);
  if (items.empty()) return node.kids[3] ? execute(*node.kids[3], scope, out) : Flow::next;
  for (size_t i = 0; i < items.size(); ++i) {
    Scope inner{&scope, {}};
    inner.variables.set("loop", loop_variable(items, i));
    assign(node.names, items[i], inner);
    if (execute(*node.kids[2], inner, out) == Flow::loop_break) break;
  }
  return Flow::next;
}

void Interpreter::assign(const std::vector<std::string>& names, const Value& value, Scope& scope) {
  // A namespace may be bound to a name, though not put into a list or mapping.
  const auto bind = [&](const std::string& name, const Value& bound) {
    for (auto& variable : scope.variables.items) {
      if (variable.first != name) continue;
      variable.second = bound;
      return;
    }
    scope.variables.items.emplace_back(name, bound);
  };
  if (names.size() == 1) return bind(names[0], value);
  const std::vector<Value> parts = items_of(value);
  check<ValueError>(parts.size() == names.size(), name_, ": ", parts.size(), " values for ", names.size(), " names");
  for (size_t i = 0; i < names.size(); ++i) bind(names[i], parts[i]);
}

void Interpreter::set_attribute(const Node& node, const Scope& scope) {
  Node name;
  name.kind = Kind::name;
  name.text = node.names[0];
  const Value object = look_up(name, scope);
  check<ValueError>(object.is_namespace(), name_, ": line ", node.line, ": ", node.names[0], " is no namespace");
  object.as_namespace().set(node.names[1], evaluate(*node.kids[0], scope));
}

void Interpreter::define_macro(const Node& node, Scope& scope) {
  assign({node.text}, Value::function([this, &node](const Arguments& given) { return call_macro(node, given); }),
         scope);
}

// A macro sees its arguments and the variables of the template, not those of the place where it is called.
Value Interpreter::call_macro(const Node& macro, const Arguments& given) {
  check<ValueError>(given.positional.size() <= macro.names.size(), name_, ": macro ", macro.text, " takes ",
                    macro.names.size(), " arguments, ", given.positional.size(), " given");
  Scope inner{&globals_, {}};
  for (size_t i = 0; i < macro.names.size(); ++i) {
    Value value = i < given.positional.size() ? given.positional[i]
                  : macro.kids[i]             ? evaluate(*macro.kids[i], inner)
                                              : Value::undefined(macro.names[i]);
    for (const auto& [name, named] : given.named)
      if (name == macro.names[i]) value = named;
    assign({macro.names[i]}, value, inner);
  }
  for (const auto& [name, value] : given.named)
    check<ValueError>(std::find(macro.names.begin(), macro.names.end(), name) != macro.names.end(), name_, ": macro ",
                      macro.text, " has no argument ", name);
  std::string out;
  execute(*macro.kids.back(), inner, out);
  charge(out.size());
  return Value::text(std::move(out));
}

}  // namespace hearth::llm::jinja
