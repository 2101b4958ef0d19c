// Jinja parser: tokens to a syntax tree.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/core/error.h"
#include "llm/tokenizer/jinja_ast.h"
#include "llm/tokenizer/jinja_lexer.h"

namespace hearth::llm::jinja {

/// Reads tokens with one place of lookahead and counts nesting; the base of both parsers.
class TokenReader {
 public:
  TokenReader(std::vector<Token> tokens, std::string name) : tokens_(std::move(tokens)), name_(std::move(name)) {}

 protected:
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(pos_ + ahead, tokens_.size() - 1)]; }
  const Token& take() { return tokens_[pos_ + 1 < tokens_.size() ? pos_++ : pos_]; }
  bool is(Token::Kind kind, std::string_view text) const { return peek().kind == kind && peek().text == text; }
  bool is_op(std::string_view text) const { return is(Token::Kind::op, text); }
  bool is_name(std::string_view text) const { return is(Token::Kind::name, text); }
  bool accept_op(std::string_view text) { return is_op(text) && (take(), true); }
  bool accept_name(std::string_view text) { return is_name(text) && (take(), true); }
  void expect_op(std::string_view text);
  void expect(Token::Kind kind, std::string_view what);
  std::string expect_any_name();
  void link(int& length) const;

  template <class E = ValueError, class... Pieces>
  [[noreturn]] void broken(const Pieces&... pieces) const {
    fail<E>(name_, ": line ", peek().line, ": ", pieces...);
  }
  NodePtr make(Node::Kind kind) const;

  /// Guards one level of recursion; throws ValueError when a template is nested too deeply.
  class Level {
   public:
    explicit Level(TokenReader& reader);
    ~Level() { --reader_.depth_; }

   private:
    TokenReader& reader_;
  };

 private:
  std::vector<Token> tokens_;
  std::string name_;
  size_t pos_ = 0;
  int depth_ = 0;
};

/// Expressions, in Jinja's order of precedence.
class ExpressionParser : public TokenReader {
 public:
  using TokenReader::TokenReader;

 protected:
  NodePtr expression();                  // with `a if b else c`
  NodePtr either();                      // without
  NodePtr tuple(bool with_conditional);  // a, b, c as a list

 private:
  using Rule = NodePtr (ExpressionParser::*)();
  NodePtr both();
  NodePtr negation();
  NodePtr comparison();
  NodePtr sum();
  NodePtr concatenation();
  NodePtr product();
  NodePtr power();
  NodePtr unary();
  NodePtr left_associative(Rule operand, std::initializer_list<std::string_view> operators);
  NodePtr signed_value(bool with_filters);
  NodePtr primary();
  NodePtr literal(const Token& token);
  NodePtr bracketed();
  NodePtr mapping();
  NodePtr postfix(NodePtr node);
  NodePtr filters(NodePtr node);
  NodePtr subscript(NodePtr node);
  NodePtr test(NodePtr node);
  void arguments(Node& call);
};

/// Statements.
class Parser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  /// The whole template as a block. Throws ValueError for broken syntax, NotImplementedError for statements that hearth
  /// does not know, both with name and line.
  NodePtr parse();

 private:
  NodePtr block(std::initializer_list<std::string_view> ends);
  NodePtr statement();
  NodePtr branch();
  NodePtr loop();
  NodePtr set();
  NodePtr macro();
  NodePtr loop_body(std::initializer_list<std::string_view> ends);
  void end_tag(std::string_view word);
  std::vector<std::string> targets();
  int loop_depth_ = 0;
};

}  // namespace hearth::llm::jinja
