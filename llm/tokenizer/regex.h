// Regex: a compiled Unicode pattern (PCRE2, JIT where there is one) that can be shared by threads.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm {

/// A half-open range of bytes.
struct ByteRange {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

class Regex {
 public:
  /// Compiles `pattern` with Unicode classes, `^` and `$` at line ends, as tokenizer files mean them. Throws ValueError
  /// for a broken pattern and NotImplementedError for syntax that PCRE2 reads differently from the Oniguruma of those
  /// files. `name` goes into the messages. Example: Regex(" ?\\p{L}+", "tokenizer.json")
  Regex(const std::string& pattern, const std::string& name);

  /// All matches in `text` (valid UTF-8), left to right, not overlapping; empty matches are included, also at the end.
  /// Throws ValueError when matching exceeds its work limit, as hostile patterns do.
  void find_all(std::string_view text, std::vector<ByteRange>& matches) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace hearth::llm
