// LoRA step: forward, backward and AdamW on packed sequences, as bench/peers/peft_step.py does it. Prints JSON.
// Arguments: [FOLDER [STEPS [DTYPE]]], FOLDER from bench/peers/make_small.py; without one, the same with random
// weights.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "bench/small_llama.h"
#include "hearth/hearth.h"
#include "llm/lora/files.h"
#include "llm/weights/load.h"

using namespace hearth;
using namespace hearth::llm;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Work {
  TokenBatch batch;
  Tensor targets, weights;
};

/// Each row of tokens [sequences, length] predicts all of its tokens but the first.
Work make_work(const Tensor& tokens) {
  std::vector<std::vector<int32_t>> inputs;
  std::vector<int64_t> targets;
  for (int64_t s = 0; s < tokens.size(0); ++s) {
    const std::vector<int64_t> row = to_vector<int64_t>(select(tokens, 0, s));
    inputs.emplace_back(row.begin(), row.end() - 1);
    targets.insert(targets.end(), row.begin() + 1, row.end());
  }
  const int64_t n = int64_t(targets.size());
  return {pack(inputs), from_values<int64_t>(std::span<const int64_t>(targets), {n}), full({n}, 1.0 / double(n))};
}

}  // namespace

int main(int argc, char** argv) {
  const int steps = argc > 2 ? std::atoi(argv[2]) : 3;
  const double begun = now();
  const Dtype dtype = dtype_from_name(argc > 3 ? argv[3] : "float32");
  const auto model = argc > 1 ? load_model(argv[1], dtype) : small_llama(dtype);
  const LoraAdapter adapter = argc > 1 ? load_adapter(argv[1] + std::string("/adapter"), model->linear_layers())
                                       : LoraAdapter({.rank = 16, .alpha = 32}, model->linear_layers(), 1);
  adapter.requires_grad_(true);
  const Tensor tokens = argc > 1 ? SafetensorsFile::open(argv[1] + std::string("/tokens.safetensors")).tensor("tokens")
                                 : randint(0, model->config().vocab_size, {8, 256});
  const Work work = make_work(tokens);
  optim::AdamW optimizer(adapter.parameters(), {.lr = 1e-4, .weight_decay = 0});
  std::string seconds, losses;
  std::vector<double> timed;
  for (int i = 0; i <= steps; ++i) {
    const double t0 = now();
    optimizer.zero_grad();
    const Tensor hidden = model->hidden(work.batch, &adapter);
    const double t1 = now();
    const Tensor loss = model->weighted_loss(hidden, work.targets, work.weights, &adapter);
    const double t2 = now();
    backward(loss);
    const double t3 = now();
    optimizer.step();
    const double t4 = now();
    fmt::print(stderr,
               "step {}: loss {:.6f}, {:.3f} s (forward {:.3f}, head {:.3f}, backward {:.3f}, optimizer {:.3f})\n", i,
               loss.item(), t4 - t0, t1 - t0, t2 - t1, t3 - t2, t4 - t3);
    if (i == 0) fmt::print(stderr, "process start to first step done: {:.2f} s\n", t4 - begun);
    if (i > 0) timed.push_back(t4 - t0);
  }
  std::sort(timed.begin(), timed.end());
  fmt::print(
      "{{\"tokens\": {}, \"median_seconds\": {:.4f}, \"median_tokens_per_second\": {:.2f}, \"peak_bytes\": {}}}\n",
      tokens.numel(), timed[timed.size() / 2], double(tokens.numel()) / timed[timed.size() / 2],
      allocator({}).stats().peak);
}
