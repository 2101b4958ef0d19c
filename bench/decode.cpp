// Decoding one sequence: tokens a second against memory bandwidth divided by the bytes of the weights. Prints JSON.
// Arguments: [FOLDER [TOKENS [DTYPE]]]; without a folder, the small Llama with random weights.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "bench/small_llama.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"
#include "llm/sample/generate.h"
#include "llm/weights/load.h"

using namespace hearth;
using namespace hearth::llm;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Bytes a second that all threads together read from memory: a sum over 1 GiB, the best of five.
double read_bandwidth() {
  const int64_t count = int64_t(1) << 28, grain = count / 64;
  const Tensor buffer = ones({count});
  const float* data = buffer.data<float>();
  std::vector<float> sums(64);
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const double begun = now();
    cpu::parallel_for(0, count, grain, [&](int64_t b, int64_t e) {
      // Eight sums at once: one chain of additions would be slower than memory.
      float s[64] = {};
      for (int64_t i = b; i + 64 <= e; i += 64)
        for (int j = 0; j < 64; ++j) s[j] += data[i + j];
      for (int j = 0; j < 64; ++j) sums[size_t(b / grain)] += s[j];
    });
    best = std::max(best, double(count) * 4 / (now() - begun));
  }
  return best;
}

/// Bytes of the weights that one token reads: every matrix of the blocks and the output layer.
int64_t weight_bytes(const CausalLm& model) {
  int64_t bytes = model.head_weight().numel() * int64_t(dtype_size(model.head_weight().dtype()));
  for (const auto& [name, p] : model.named_parameters())
    if (p.dim() == 2 && name.find(".layers.") != std::string::npos) bytes += p.numel() * int64_t(dtype_size(p.dtype()));
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t tokens = argc > 2 ? std::atoll(argv[2]) : 64;
  const Dtype dtype = dtype_from_name(argc > 3 ? argv[3] : "float32");
  const auto model = argc > 1 ? load_model(argv[1], dtype) : small_llama(dtype);
  const Request request{{1, 5, 9, 11}, {.temperature = 0, .max_tokens = tokens}};
  llm::Generator generator(*model, nullptr, nullptr);
  generator.run({{{1, 5, 9, 11}, {.temperature = 0, .max_tokens = 2}}});
  std::vector<double> rates;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const double begun = now();
    const size_t made = generator.run({request})[0].tokens.size();
    rates.push_back(double(made) / (now() - begun));
  }
  std::sort(rates.begin(), rates.end());
  const double bandwidth = read_bandwidth(), bytes = double(weight_bytes(*model));
  fmt::print(
      "{{\"tokens_per_second\": {:.2f}, \"bandwidth_GB_per_second\": {:.2f}, \"weight_MB\": {:.1f}, "
      "\"limit_tokens_per_second\": {:.2f}, "
      "\"share\": {:.3f}, \"threads\": {}}}\n",
      rates[1], bandwidth / 1e9, bytes / 1e6, bandwidth / bytes, rates[1] / (bandwidth / bytes), cpu::num_threads());
}
