// Jinja lexer: a template as literal text and the tokens inside {{ }} and {% %}, with white space control applied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm::jinja {

struct Token {
  enum class Kind { text, output_begin, output_end, block_begin, block_end, name, string, integer, real, op, end };
  Kind kind;
  std::string text;
  int line;
};

/// Cuts `source` into tokens as Jinja does with trim_blocks and lstrip_blocks (the settings of Hugging Face), one
/// newline at its end dropped. The last token is `end`. Throws ValueError naming `name` and the line for what cannot be
/// read.
std::vector<Token> tokenize(std::string_view source, const std::string& name);

}  // namespace hearth::llm::jinja
