// Jinja syntax tree: expressions and statements of a template.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "llm/tokenizer/jinja_value.h"

namespace hearth::llm::jinja {

struct Node;
using NodePtr = std::unique_ptr<Node>;

/// One node; what `kids`, `text` and `names` hold depends on the kind.
struct Node {
  enum class Kind {
    // expressions
    literal,      // value
    name,         // text
    list,         // kids: items
    dict,         // kids: key, value, key, value …
    attribute,    // text; kids: object
    item,         // kids: object, key
    slice,        // kids: object, start, stop, step (each may be null)
    call,         // kids: callee, positional arguments, then one per name of `names`
    filter,       // text; kids and names as in call, kids[0] the filtered value
    test,         // text; kids as in filter
    unary,        // text: not - +; kids: value
    binary,       // text: the operator; kids: left, right
    both,         // and
    either,       // or
    conditional,  // kids: value, condition, otherwise (may be null)
    // statements
    block,          // kids: statements
    text,           // text
    output,         // kids: expression
    branch,         // kids: condition, block, condition, block …, and perhaps a last block
    loop,           // names: targets; kids: iterable, condition (may be null), body, otherwise (may be null)
    set,            // names: targets; kids: value
    set_attribute,  // names: namespace, attribute; kids: value
    set_block,      // names: target; kids: body
    macro,          // text: name; names: parameters; kids: defaults (null where there is none), body
    loop_break,     // no kids
    loop_continue,  // no kids
  };
  Kind kind;
  int line = 0;
  std::string text;
  std::vector<std::string> names;
  std::vector<NodePtr> kids;
  Value value;
};

}  // namespace hearth::llm::jinja
