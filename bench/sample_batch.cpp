// Sampling by continuous batching: tokens a second with 1, 8 and 64 continuations running: median steps.
// Prints JSON.
// Arguments: [FOLDER [TOKENS [DTYPE [TEMPERATURE [TOP_P]]]]]; without a folder (or "-"), the small Llama with random
// weights.
#include "llm/sample/sample_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "bench/small_llama.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/hearth.h"
#include "llm/weights/load.h"

using namespace hearth;
using namespace hearth::llm;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// A batch of `running` continuations of different short prompts, whose prompts are computed.
std::unique_ptr<SampleBatch> started(const CausalLm& model, int64_t running, int64_t tokens,
                                     const SamplingParams& params) {
  auto batch = std::make_unique<SampleBatch>(model, nullptr, SampleLimits{.running = running});
  for (int64_t i = 0; i < running; ++i) {
    SampleRequest request{.params = params, .ignore_eos = true};
    for (int32_t t = 0; t < 8; ++t) request.prompt.push_back(int32_t((i * 37 + t * 11) % model.config().vocab_size));
    request.params.max_tokens = tokens + 1;
    request.params.seed = uint64_t(i);
    batch->add(request);
  }
  batch->step();
  return batch;
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t tokens = argc > 2 ? std::atoll(argv[2]) : 32;
  const Dtype dtype = dtype_from_name(argc > 3 ? argv[3] : "float32");
  SamplingParams params;
  if (argc > 4) params.temperature = std::atof(argv[4]);
  if (argc > 5) params.top_p = std::atof(argv[5]);
  const auto model = argc > 1 && argv[1] != std::string_view("-") ? load_model(argv[1], dtype) : small_llama(dtype);
  // The sizes take turns, step by step, so that whatever else the machine does meets all of them.
  const std::vector<int64_t> sizes = {1, 8, 64};
  std::vector<std::unique_ptr<SampleBatch>> batches;
  for (int64_t size : sizes) batches.push_back(started(*model, size, tokens, params));
  std::vector<std::vector<double>> seconds(sizes.size());
  for (int64_t t = 0; t < tokens; ++t)
    for (size_t i = 0; i < sizes.size(); ++i) {
      const double begun = now();
      for (const FinishedSample& f : batches[i]->step())
        if (f.error) std::rethrow_exception(f.error);
      seconds[i].push_back(now() - begun);
    }
  std::vector<double> rates;
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::sort(seconds[i].begin(), seconds[i].end());
    rates.push_back(double(sizes[i]) / seconds[i][seconds[i].size() / 2]);
  }
  fmt::print(
      "{{\"tokens_per_second_1\": {:.2f}, \"tokens_per_second_8\": {:.2f}, \"tokens_per_second_64\": {:.2f}, "
      "\"ratio_64\": {:.2f}, \"threads\": {}}}\n",
      rates[0], rates[1], rates[2], rates[2] / rates[0], cpu::num_threads());
}
