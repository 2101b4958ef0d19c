// Jinja expressions: the part of the parser between {{ and }}.
#include <algorithm>
#include <charconv>

#include "llm/tokenizer/jinja_parser.h"

namespace hearth::llm::jinja {

namespace {

constexpr int nesting_limit = 64;
constexpr int chain_limit = 100;
using TokenKind = Token::Kind;
using Kind = Node::Kind;

}  // namespace

TokenReader::Level::Level(TokenReader& reader) : reader_(reader) {
  if (++reader_.depth_ > nesting_limit) {
    --reader_.depth_;
    reader_.broken("nested deeper than ", nesting_limit);
  }
}

// Long chains become trees as deep as they are long, which evaluation walks recursively.
void TokenReader::link(int& length) const {
  if (++length > chain_limit) broken("more than ", chain_limit, " operators in a row");
}

void TokenReader::expect_op(std::string_view text) {
  if (!accept_op(text)) broken("expected '", text, "', found '", peek().text, "'");
}

void TokenReader::expect(Token::Kind kind, std::string_view what) {
  if (peek().kind != kind) broken("expected ", what, ", found '", peek().text, "'");
  take();
}

std::string TokenReader::expect_any_name() {
  if (peek().kind != TokenKind::name) broken("expected a name, found '", peek().text, "'");
  return take().text;
}

NodePtr TokenReader::make(Node::Kind kind) const {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->line = peek().line;
  return node;
}

NodePtr ExpressionParser::expression() {
  const Level level(*this);
  NodePtr node = either();
  for (int length = 0; accept_name("if"); link(length)) {
    NodePtr conditional = make(Kind::conditional);
    conditional->kids.push_back(std::move(node));
    conditional->kids.push_back(either());
    conditional->kids.push_back(accept_name("else") ? expression() : nullptr);
    node = std::move(conditional);
  }
  return node;
}

NodePtr ExpressionParser::tuple(bool with_conditional) {
  NodePtr first = with_conditional ? expression() : either();
  if (!is_op(",")) return first;
  NodePtr list = make(Kind::list);
  list->kids.push_back(std::move(first));
  while (accept_op(",")) {
    if (is_op(")") || peek().kind == TokenKind::block_end || peek().kind == TokenKind::output_end) break;
    list->kids.push_back(with_conditional ? expression() : either());
  }
  return list;
}

NodePtr ExpressionParser::either() {
  NodePtr left = both();
  for (int length = 0; is_name("or"); link(length)) {
    NodePtr node = make(Kind::either);
    take();
    node->kids.push_back(std::move(left));
    node->kids.push_back(both());
    left = std::move(node);
  }
  return left;
}

NodePtr ExpressionParser::both() {
  NodePtr left = negation();
  for (int length = 0; is_name("and"); link(length)) {
    NodePtr node = make(Kind::both);
    take();
    node->kids.push_back(std::move(left));
    node->kids.push_back(negation());
    left = std::move(node);
  }
  return left;
}

NodePtr ExpressionParser::negation() {
  if (!is_name("not")) return comparison();
  const Level level(*this);
  NodePtr node = make(Kind::unary);
  node->text = take().text;
  node->kids.push_back(negation());
  return node;
}

NodePtr ExpressionParser::comparison() {
  NodePtr left = sum();
  for (bool chained = false;; chained = true) {
    const bool negated = is_name("not") && peek(1).kind == TokenKind::name && peek(1).text == "in";
    const bool op = peek().kind == TokenKind::op &&
                    (is_op("==") || is_op("!=") || is_op("<") || is_op("<=") || is_op(">") || is_op(">="));
    if (!op && !negated && !is_name("in")) return left;
    if (chained) broken<NotImplementedError>("a chain of comparisons is not supported");
    NodePtr node = make(Kind::binary);
    node->text = negated ? (take(), take(), "not in") : take().text;
    node->kids.push_back(std::move(left));
    node->kids.push_back(sum());
    left = std::move(node);
  }
}

NodePtr ExpressionParser::left_associative(Rule operand, std::initializer_list<std::string_view> operators) {
  NodePtr left = (this->*operand)();
  const auto is_next = [&] {
    return std::any_of(operators.begin(), operators.end(), [&](std::string_view op) { return is_op(op); });
  };
  for (int length = 0; is_next(); link(length)) {
    NodePtr node = make(Kind::binary);
    node->text = take().text;
    node->kids.push_back(std::move(left));
    node->kids.push_back((this->*operand)());
    left = std::move(node);
  }
  return left;
}

NodePtr ExpressionParser::sum() { return left_associative(&ExpressionParser::concatenation, {"+", "-"}); }
NodePtr ExpressionParser::concatenation() { return left_associative(&ExpressionParser::product, {"~"}); }
NodePtr ExpressionParser::product() { return left_associative(&ExpressionParser::power, {"*", "/", "//", "%"}); }
NodePtr ExpressionParser::power() { return left_associative(&ExpressionParser::unary, {"**"}); }
NodePtr ExpressionParser::unary() { return signed_value(true); }

NodePtr ExpressionParser::signed_value(bool with_filters) {
  const Level level(*this);
  NodePtr node;
  if (is_op("-") || is_op("+")) {
    node = make(Kind::unary);
    node->text = take().text;
    node->kids.push_back(signed_value(false));
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filters ? filters(std::move(node)) : std::move(node);
}

NodePtr ExpressionParser::primary() {
  const Token& token = peek();
  if (token.kind == TokenKind::op) return bracketed();
  if (token.kind == TokenKind::name || token.kind == TokenKind::string || token.kind == TokenKind::integer ||
      token.kind == TokenKind::real)
    return literal(token);
  broken("expected a value, found '", token.text, "'");
}

NodePtr ExpressionParser::literal(const Token& token) {
  NodePtr node = make(Kind::literal);
  const std::string& text = token.text;
  const char* end = text.data() + text.size();
  if (token.kind == TokenKind::string) {
    node->value = Value::text(text);
  } else if (token.kind == TokenKind::integer) {
    int64_t number = 0;
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) broken("the number ", text, " is out of range");
    node->value = Value::integer(number);
  } else if (token.kind == TokenKind::real) {
    double number = 0;
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) broken("the number ", text, " is out of range");
    node->value = Value::real(number);
  } else if (text == "true" || text == "True" || text == "false" || text == "False") {
    node->value = Value::boolean(text[0] == 't' || text[0] == 'T');
  } else if (text != "none" && text != "None") {
    node->kind = Kind::name;
    node->text = text;
  }
  take();
  while (node->kind == Kind::literal && node->value.is_text() && peek().kind == TokenKind::string)
    node->value = Value::text(node->value.as_text() + take().text);
  return node;
}

NodePtr ExpressionParser::bracketed() {
  if (is_op("{")) return mapping();
  const bool list = is_op("[");
  if (!list && !is_op("(")) broken("expected a value, found '", peek().text, "'");
  NodePtr node = make(Kind::list);
  take();
  const std::string_view close = list ? "]" : ")";
  if (!list && !is_op(")")) {
    node = tuple(true);
  } else {
    while (!is_op(close)) {
      node->kids.push_back(expression());
      if (!accept_op(",")) break;
    }
  }
  expect_op(close);
  return node;
}

NodePtr ExpressionParser::mapping() {
  NodePtr node = make(Kind::dict);
  take();
  while (!is_op("}")) {
    node->kids.push_back(expression());
    expect_op(":");
    node->kids.push_back(expression());
    if (!accept_op(",")) break;
  }
  expect_op("}");
  return node;
}

NodePtr ExpressionParser::postfix(NodePtr node) {
  for (int length = 0;; link(length)) {
    NodePtr outer;
    if (is_op(".")) {
      outer = make(Kind::attribute);
      take();
      if (peek().kind == TokenKind::integer) {
        outer->kind = Kind::item;
        outer->kids.push_back(std::move(node));
        outer->kids.push_back(literal(peek()));
        node = std::move(outer);
        continue;
      }
      outer->text = expect_any_name();
      outer->kids.push_back(std::move(node));
    } else if (is_op("[")) {
      outer = subscript(std::move(node));
    } else if (is_op("(")) {
      outer = make(Kind::call);
      outer->kids.push_back(std::move(node));
      arguments(*outer);
    } else {
      return node;
    }
    node = std::move(outer);
  }
}

NodePtr ExpressionParser::subscript(NodePtr object) {
  NodePtr node = make(Kind::item);
  take();
  node->kids.push_back(std::move(object));
  node->kids.push_back(is_op(":") ? nullptr : expression());
  if (is_op(":")) {
    node->kind = Kind::slice;
    node->kids.resize(4);
    for (size_t part = 2; part < 4 && accept_op(":"); ++part)
      if (!is_op(":") && !is_op("]")) node->kids[part] = expression();
  }
  expect_op("]");
  return node;
}

void ExpressionParser::arguments(Node& call) {
  expect_op("(");
  while (!is_op(")")) {
    if (is_op("*") || is_op("**"))
      broken<NotImplementedError>("unpacked arguments (", peek().text, ") are not supported");
    const bool named = peek().kind == TokenKind::name && peek(1).kind == TokenKind::op && peek(1).text == "=";
    if (named) {
      call.names.push_back(take().text);
      take();
    } else if (!call.names.empty()) {
      broken("a positional argument after a named one");
    }
    call.kids.push_back(expression());
    if (!accept_op(",")) break;
  }
  expect_op(")");
}

NodePtr ExpressionParser::filters(NodePtr node) {
  for (int length = 0;; link(length)) {
    if (is_op("|")) {
      NodePtr filter = make(Kind::filter);
      take();
      filter->text = expect_any_name();
      filter->kids.push_back(std::move(node));
      if (is_op("(")) arguments(*filter);
      node = std::move(filter);
    } else if (is_name("is")) {
      node = test(std::move(node));
    } else {
      return node;
    }
  }
}

NodePtr ExpressionParser::test(NodePtr tested) {
  NodePtr node = make(Kind::test);
  take();
  const bool negated = accept_name("not");
  node->text = expect_any_name();
  node->kids.push_back(std::move(tested));
  const TokenKind next = peek().kind;
  const bool keyword = is_name("else") || is_name("or") || is_name("and") || is_name("if") || is_name("is") ||
                       is_name("not") || is_name("in");
  if (is_op("(")) {
    arguments(*node);
  } else if (next == TokenKind::string || next == TokenKind::integer || next == TokenKind::real || is_op("[") ||
             is_op("{") || (next == TokenKind::name && !keyword)) {
    const Level level(*this);
    node->kids.push_back(postfix(primary()));
  }
  if (!negated) return node;
  NodePtr outer = make(Kind::unary);
  outer->text = "not";
  outer->kids.push_back(std::move(node));
  return outer;
}

}  // namespace hearth::llm::jinja
