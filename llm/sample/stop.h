// StopText: finds stop strings in text that arrives in pieces, and holds back what may yet become one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::llm {

class StopText {
 public:
  explicit StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Takes a piece and returns the text that is safe to show. Once a stop string is complete, `stopped()` is true and
  /// it and all after it are dropped.
  std::string push(std::string_view piece);
  /// What was held back, when no more comes.
  std::string flush();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace hearth::llm
