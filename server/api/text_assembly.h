// Text assembly: the pieces of tokens as text that may be shown: whole characters, nothing of a stop text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::server {

/// One continuation as it grows. What could still become a stop text, or is half a character, is held back.
/// Example: TextAssembly text({"\n\n"}); send(text.add("One")); send(text.add("\n")); send(text.end());
class TextAssembly {
 public:
  explicit TextAssembly(std::vector<std::string> stops = {}) : stops_(std::move(stops)) {}

  /// Takes the bytes of a token and returns what can be shown now. After a stop text nothing more is.
  std::string add(std::string_view piece);
  /// The rest, where no stop text came; broken bytes become U+FFFD.
  std::string end();
  /// Whether a stop text came.
  bool stopped() const { return stopped_; }
  /// Bytes that were taken and belong to the text, shown or held back.
  size_t size() const { return size_; }

 private:
  std::string release(size_t count);

  std::vector<std::string> stops_;
  std::string held_;
  size_t size_ = 0;
  bool stopped_ = false;
};

/// `bytes` with what is no UTF-8 replaced by U+FFFD.
std::string whole_utf8(std::string_view bytes);

}  // namespace hearth::server
