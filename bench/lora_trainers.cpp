// LoRA trainers: many adapters trained in turn over one base beside one adapter. Prints JSON.
// Arguments: [TRAINERS [TOKENS [ROUNDS]]]: TOKENS a request, in datums of up to 256 tokens.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

#include "bench/small_llama.h"
#include "hearth/hearth.h"
#include "llm/tune/lora_trainer.h"

using namespace hearth;
using namespace hearth::llm;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Seconds that this process computed: beside other work they tell more than the clock on the wall.
double computed() { return double(std::clock()) / CLOCKS_PER_SEC; }

struct Speed {
  double wall, computed;  ///< tokens a second
};

std::vector<TrainDatum> make_data(int64_t tokens) {
  std::vector<TrainDatum> data;
  for (uint32_t state = 1; tokens > 0; tokens -= 256) {
    TrainDatum& d = data.emplace_back();
    for (int64_t t = 0; t < std::min<int64_t>(tokens, 256); ++t) {
      state = state * 1664525u + 1013904223u;
      d.tokens.push_back(int32_t(state >> 17));
      d.targets.push_back(int64_t(state >> 18));
    }
    d.inputs["weights"].assign(d.targets.size(), 1.0f);
  }
  return data;
}

/// Tokens a second of one request to each trainer and a step of each.
Speed measure(std::vector<LoraTrainer*> trainers, const std::vector<TrainDatum>& data, int requests, bool merged) {
  const LossSpec spec;
  std::vector<PassRequest> all;
  for (int i = 0; i < requests; ++i) all.push_back({trainers[size_t(i) % trainers.size()], &data, &spec, false});
  const double begun = now(), worked = computed();
  for (size_t i = 0; i < all.size(); i += merged ? all.size() : 1) {
    const auto part = merged ? all : std::vector<PassRequest>{all[i]};
    for (PassOutcome& outcome : forward_backward(part))
      if (auto* error = std::get_if<std::exception_ptr>(&outcome)) std::rethrow_exception(*error);
    for (const PassRequest& request : part) request.trainer->optim_step({});
  }
  const double tokens = double(token_count(data) * requests);
  return {tokens / (now() - begun), tokens / (computed() - worked)};
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 32;
  const int64_t tokens = argc > 2 ? std::atoll(argv[2]) : 256;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 2;
  const std::shared_ptr<const CausalLm> base = small_llama();
  std::vector<LoraTrainer> trainers;
  for (int i = 0; i < count; ++i)
    trainers.emplace_back(base, lora_config({.rank = 16, .unembed = false}), uint64_t(i), "");
  std::vector<LoraTrainer*> all;
  for (LoraTrainer& t : trainers) all.push_back(&t);
  const std::vector<TrainDatum> data = make_data(tokens);
  measure({all[0]}, data, 1, false);
  for (int round = 0; round < rounds; ++round) {
    const Speed one = measure({all[0]}, data, count, false), turn = measure(all, data, count, false);
    const Speed merged = measure(all, data, count, true);
    const auto line = [&](const char* what, const Speed& speed) {
      fmt::print(
          "{{\"what\": \"{}\", \"trainers\": {}, \"tokens\": {}, \"tokens_per_second\": {:.1f}, \"ratio\": {:.3f}, "
          "\"computed_ratio\": {:.3f}}}\n",
          what, count, token_count(data), speed.wall, speed.wall / one.wall, speed.computed / one.computed);
    };
    line("one adapter", one);
    line("in turn", turn);
    line("merged", merged);
  }
  fmt::print("{{\"peak_bytes\": {}}}\n", allocator({}).stats().peak);
}
