// Metrics: metrics.jsonl.
#include "llm/tune/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"

namespace hearth::llm {

namespace {

std::string to_line(const StepMetrics& m) {
  boost::json::object json;
  json["step"] = m.step;
  json["loss"] = m.loss;
  if (m.validation_loss) json["validation_loss"] = *m.validation_loss;
  json["learning_rate"] = m.learning_rate;
  json["gradient_norm"] = m.gradient_norm;
  json["tokens"] = m.tokens;
  json["seconds"] = std::round(m.seconds * 1000) / 1000;
  json["tokens_per_second"] = std::round(m.tokens_per_second * 10) / 10;
  return boost::json::serialize(json) + "\n";
}

StepMetrics from_line(const std::string& line, const std::string& where) {
  const boost::json::value value = parse_json(line, where);
  const JsonObject json(value, where);
  StepMetrics m;
  m.step = json.get_int("step");
  m.loss = json.get_double("loss");
  if (json.has("validation_loss")) m.validation_loss = json.get_double("validation_loss");
  m.learning_rate = json.get_double("learning_rate");
  m.gradient_norm = json.get_double("gradient_norm");
  m.tokens = json.get_int("tokens");
  m.seconds = json.get_double("seconds");
  m.tokens_per_second = json.get_double("tokens_per_second");
  return m;
}

}  // namespace

MetricsLog::MetricsLog(std::string path, int64_t last_step) : path_(std::move(path)) {
  std::string kept;
  if (std::filesystem::exists(path_)) {
    const std::string text = read_file(path_);
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      if (end == std::string::npos) break;  // a line that was being written when the process died
      const StepMetrics m = from_line(text.substr(at, end - at), path_);
      at = end + 1;
      if (m.step > last_step) break;
      steps_.push_back(m);
      kept += to_line(m);
    }
  }
  write_file_atomic(path_, kept);
}

void MetricsLog::add(const StepMetrics& metrics) {
  steps_.push_back(metrics);
  const std::string line = to_line(metrics);
  const int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  check<IoError>(fd >= 0, "metrics: ", errno_reason(errno), ": ", path_);
  const ssize_t written = write(fd, line.data(), line.size());
  const int error = errno;
  close(fd);
  check<IoError>(written == ssize_t(line.size()), "metrics: ", errno_reason(written < 0 ? error : ENOSPC), ": ", path_);
}

}  // namespace hearth::llm
