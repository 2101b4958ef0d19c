// Fingerprint of a base model.
#include "llm/lora/fingerprint.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <vector>

#include "hearth/core/grad_mode.h"
#include "hearth/ops/create.h"

namespace hearth::llm {

namespace {

constexpr int64_t matrices = 8, samples = 1024;

/// Samples with alternating pseudo-random signs, added up and divided by their root sum of squares: a number near the
/// standard normal, which rounding to 16 bits moves by less than a hundredth.
double signature(const Tensor& matrix) {
  const int64_t count = std::min(matrix.numel(), samples), step = std::max<int64_t>(matrix.numel() / samples, 1);
  const std::vector<float> values = to_vector<float>(matrix.detach().alias({count}, {step}, matrix.offset()));
  double sum = 0, squares = 1e-30;
  uint32_t state = 1;
  for (float v : values) {
    state = state * 1664525u + 1013904223u;
    sum += state >> 31 ? double(v) : -double(v);
    squares += double(v) * double(v);
  }
  return sum / std::sqrt(squares);
}

std::vector<double> numbers(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> out;
  for (double v; in >> v;) out.push_back(v);
  return out;
}

}  // namespace

std::string base_fingerprint(const NamedTensors& parameters) {
  NoGrad guard;
  std::vector<Tensor> chosen;
  for (const auto& [name, tensor] : parameters)
    if (tensor.dim() == 2 && tensor.numel() > 0 && tensor.is_contiguous()) chosen.push_back(tensor);
  std::string out;
  const int64_t count = std::min<int64_t>(matrices, int64_t(chosen.size()));
  for (int64_t i = 0; i < count; ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%s%.4f", i ? " " : "",
                  signature(chosen[size_t(i * int64_t(chosen.size()) / count)]));
    out += number;
  }
  return out;
}

bool same_base(const std::string& a, const std::string& b) {
  const std::vector<double> x = numbers(a), y = numbers(b);
  if (x.empty() || x.size() != y.size()) return false;
  for (size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i] - y[i]) <= 0.1)) return false;
  return true;
}

}  // namespace hearth::llm
