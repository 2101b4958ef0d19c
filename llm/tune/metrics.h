// Metrics: what a run measured, one JSON object a line in metrics.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hearth::llm {

struct StepMetrics {
  int64_t step = 0;
  double loss = 0;
  std::optional<double> validation_loss;
  double learning_rate = 0;
  double gradient_norm = 0;
  int64_t tokens = 0;  ///< of this step
  double seconds = 0;  ///< since the run (this process) began
  double tokens_per_second = 0;
};

class MetricsLog {
 public:
  /// Opens `path` for appending; lines after `last_step` (of a run that was cut off) are dropped first.
  /// Raises IoError, ValueError for a file that is no metrics file.
  MetricsLog(std::string path, int64_t last_step);
  /// Raises IoError when the line cannot be written.
  void add(const StepMetrics& metrics);
  const std::vector<StepMetrics>& steps() const { return steps_; }

 private:
  std::string path_;
  std::vector<StepMetrics> steps_;
};

/// Training and validation loss over steps as an SVG picture.
std::string loss_curve_svg(const std::vector<StepMetrics>& steps, const std::string& title);

}  // namespace hearth::llm
