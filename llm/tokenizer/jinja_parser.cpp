// Jinja statements: the part of the parser between {% and %}.
#include "llm/tokenizer/jinja_parser.h"

#include <algorithm>
#include <utility>

namespace hearth::llm::jinja {

namespace {

using TokenKind = Token::Kind;
using Kind = Node::Kind;

}  // namespace

NodePtr Parser::parse() {
  NodePtr root = block({});
  if (peek().kind != TokenKind::end) broken("unexpected '", peek(1).text, "'");
  return root;
}

// Reads up to a {% whose word is one of `ends` (left to the caller) or the end of the template.
NodePtr Parser::block(std::initializer_list<std::string_view> ends) {
  const Level level(*this);
  NodePtr node = make(Kind::block);
  while (peek().kind != TokenKind::end) {
    if (peek().kind == TokenKind::text) {
      node->kids.push_back(make(Kind::text));
      node->kids.back()->text = take().text;
    } else if (peek().kind == TokenKind::output_begin) {
      NodePtr output = make(Kind::output);
      take();
      output->kids.push_back(tuple(true));
      expect(TokenKind::output_end, "'}}'");
      node->kids.push_back(std::move(output));
    } else {
      const Token& word = peek(1);
      if (word.kind == TokenKind::name && std::find(ends.begin(), ends.end(), word.text) != ends.end()) return node;
      node->kids.push_back(statement());
    }
  }
  if (ends.size() > 0) broken("the template ends where ", *(ends.end() - 1), " should stand");
  return node;
}

void Parser::end_tag(std::string_view word) {
  expect(TokenKind::block_begin, "'{%'");
  if (!accept_name(word)) broken("expected ", word, ", found '", peek().text, "'");
  expect(TokenKind::block_end, "'%}'");
}

NodePtr Parser::statement() {
  expect(TokenKind::block_begin, "'{%'");
  const std::string word = peek().kind == TokenKind::name ? peek().text : "";
  if (word.empty()) broken("expected a statement, found '", peek().text, "'");
  take();
  if (word == "if") return branch();
  if (word == "for") return loop();
  if (word == "set") return set();
  if (word == "macro") return macro();
  if (word == "break" || word == "continue") {
    if (loop_depth_ == 0) broken(word, " outside of a loop");
    NodePtr node = make(word == "break" ? Kind::loop_break : Kind::loop_continue);
    expect(TokenKind::block_end, "'%}'");
    return node;
  }
  if (word == "generation") {
    // Marks what the assistant says for programs that ask for a mask; the text is the same.
    expect(TokenKind::block_end, "'%}'");
    NodePtr node = block({"endgeneration"});
    end_tag("endgeneration");
    return node;
  }
  if (word.starts_with("end") || word == "else" || word == "elif") broken("unexpected ", word);
  broken<NotImplementedError>("the statement ", word, " is not supported");
}

NodePtr Parser::branch() {
  NodePtr node = make(Kind::branch);
  for (;;) {
    node->kids.push_back(expression());
    expect(TokenKind::block_end, "'%}'");
    node->kids.push_back(block({"elif", "else", "endif"}));
    expect(TokenKind::block_begin, "'{%'");
    if (accept_name("elif")) continue;
    if (accept_name("else")) {
      expect(TokenKind::block_end, "'%}'");
      node->kids.push_back(block({"endif"}));
      expect(TokenKind::block_begin, "'{%'");
    }
    if (!accept_name("endif")) broken("expected endif, found '", peek().text, "'");
    expect(TokenKind::block_end, "'%}'");
    return node;
  }
}

std::vector<std::string> Parser::targets() {
  std::vector<std::string> names;
  const bool bracket = accept_op("(");
  do {
    names.push_back(expect_any_name());
  } while (accept_op(","));
  if (bracket) expect_op(")");
  return names;
}

NodePtr Parser::loop_body(std::initializer_list<std::string_view> ends) {
  ++loop_depth_;
  NodePtr body = block(ends);
  --loop_depth_;
  return body;
}

NodePtr Parser::loop() {
  NodePtr node = make(Kind::loop);
  node->names = targets();
  if (!accept_name("in")) broken("expected in, found '", peek().text, "'");
  node->kids.push_back(tuple(false));
  node->kids.push_back(accept_name("if") ? expression() : nullptr);
  if (is_name("recursive")) broken<NotImplementedError>("a recursive loop is not supported");
  expect(TokenKind::block_end, "'%}'");
  node->kids.push_back(loop_body({"else", "endfor"}));
  node->kids.push_back(nullptr);
  expect(TokenKind::block_begin, "'{%'");
  if (accept_name("else")) {
    expect(TokenKind::block_end, "'%}'");
    node->kids.back() = block({"endfor"});
    expect(TokenKind::block_begin, "'{%'");
  }
  if (!accept_name("endfor")) broken("expected endfor, found '", peek().text, "'");
  expect(TokenKind::block_end, "'%}'");
  return node;
}

NodePtr Parser::set() {
  NodePtr node = make(Kind::set);
  node->names = targets();
  if (node->names.size() == 1 && accept_op(".")) {
    node->kind = Kind::set_attribute;
    node->names.push_back(expect_any_name());
  }
  if (accept_op("=")) {
    node->kids.push_back(tuple(true));
    expect(TokenKind::block_end, "'%}'");
    return node;
  }
  if (is_op("|")) broken<NotImplementedError>("a filter in a set block is not supported");
  if (node->kind != Kind::set || node->names.size() != 1) broken("expected '=', found '", peek().text, "'");
  node->kind = Kind::set_block;
  expect(TokenKind::block_end, "'%}'");
  node->kids.push_back(block({"endset"}));
  end_tag("endset");
  return node;
}

NodePtr Parser::macro() {
  NodePtr node = make(Kind::macro);
  node->text = expect_any_name();
  expect_op("(");
  while (!is_op(")")) {
    node->names.push_back(expect_any_name());
    node->kids.push_back(accept_op("=") ? expression() : nullptr);
    if (!accept_op(",")) break;
  }
  expect_op(")");
  expect(TokenKind::block_end, "'%}'");
  const int outer = std::exchange(loop_depth_, 0);
  node->kids.push_back(block({"endmacro"}));
  loop_depth_ = outer;
  end_tag("endmacro");
  return node;
}

}  // namespace hearth::llm::jinja
