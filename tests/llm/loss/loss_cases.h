// Small sequences for losses over log-probabilities, and their derivatives by differences.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "llm/loss/token_loss.h"

namespace hearth::llm {

/// Inputs of one sequence, by name; "log_probs" too.
struct LossCase {
  std::map<std::string, std::vector<float>> values;

  LossInputs inputs() const {
    LossInputs in;
    for (const auto& [name, numbers] : values) (name == "log_probs" ? in.log_probs : *find_input(in, name)) = numbers;
    return in;
  }
};

struct LossValue {
  double loss = 0;
  LossSums sums;
  std::vector<float> gradient;
};

inline LossValue value_of(const LossSpec& spec, const LossCase& c) {
  LossValue out;
  out.gradient.assign(c.values.at("log_probs").size(), 99.0f);
  make_loss(spec)->add(c.inputs(), out.sums, out.gradient);
  out.loss = out.sums.loss;
  return out;
}

/// d loss / d log_probs by central differences of width 2^-6, a step that float32 holds exactly beside small numbers.
inline std::vector<double> differences(const LossSpec& spec, LossCase c) {
  const float h = 0x1p-7f;
  std::vector<double> out;
  for (float& lp : c.values["log_probs"]) {
    const float kept = lp;
    lp = kept + h;
    const double up = value_of(spec, c).loss;
    lp = kept - h;
    const double down = value_of(spec, c).loss;
    lp = kept;
    out.push_back((up - down) / (2.0 * h));
  }
  return out;
}

}  // namespace hearth::llm
