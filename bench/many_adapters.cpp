// Many LoRA adapters in one pass over one base, with and without LoRA on the output layer, against one adapter with all
// the rows; without adapters to train, decoding rows of eight. Prints JSON.
// Arguments: [ADAPTERS [TOKENS [DTYPE]]]: adapters (16; 0: decode), tokens of each (32), the base's type (float32).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include "bench/small_llama.h"
#include "hearth/hearth.h"

using namespace hearth;
using namespace hearth::llm;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

LoraConfig config_of(bool head) {
  LoraConfig config{.rank = 16, .alpha = 32};
  config.target_modules = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
  if (head) config.target_modules.push_back("lm_head");
  return config;
}

std::vector<LoraAdapter> make_adapters(const CausalLm& model, int64_t count, bool head) {
  std::vector<LoraAdapter> adapters;
  for (int64_t i = 0; i < count; ++i) {
    adapters.emplace_back(config_of(head), model.linear_layers(), uint64_t(i));
    adapters.back().requires_grad_(true);
  }
  return adapters;
}

/// One sequence of `length` tokens for each of `count` ranges; the first adapters have one each, or one has them all.
struct Work {
  Work(const CausalLm& model, int64_t count, int64_t length) : count(count), length(length) {
    std::mt19937_64 engine(1);
    const auto token = [&] { return int32_t(engine() % uint64_t(model.config().vocab_size)); };
    std::vector<std::vector<int32_t>> sequences(static_cast<size_t>(count));
    std::vector<int64_t> wanted;
    for (auto& sequence : sequences)
      for (int64_t i = 0; i < length; ++i) {
        sequence.push_back(token());
        wanted.push_back(token());
      }
    batch = pack(sequences);
    targets = from_values<int64_t>(wanted, {count * length});
    weights = full({count * length}, 1.0 / double(length));
  }

  /// Seconds of forward, loss and backward.
  double step(const CausalLm& model, const std::vector<LoraAdapter>& adapters) const {
    for (const LoraAdapter& adapter : adapters)
      for (const Tensor& p : adapter.parameters()) p.set_grad({});
    std::vector<AdapterRows> ranges = {{&adapters[0], 0, count * length}};
    if (adapters.size() > 1) {
      ranges.clear();
      for (int64_t i = 0; i < count; ++i) ranges.push_back({&adapters[size_t(i)], i * length, (i + 1) * length});
    }
    const RowAdapters rows(ranges);
    const double begun = now();
    backward(model.cross_entropy(model.hidden(batch, rows), targets, weights, rows).loss);
    return now() - begun;
  }

  int64_t count, length;
  TokenBatch batch;
  Tensor targets, weights;
};

/// Each way in turn, so that other work on the machine meets all alike; of each the fastest of three.
void bench_training(const CausalLm& model, int64_t count, int64_t length) {
  const Work work(model, count, length);
  const std::vector<LoraAdapter> ways[] = {make_adapters(model, 1, false), make_adapters(model, 1, true),
                                           make_adapters(model, count, false), make_adapters(model, count, true)};
  double best[4] = {1e9, 1e9, 1e9, 1e9};
  for (int repeat = 0; repeat < 3; ++repeat)
    for (int way = 0; way < 4; ++way) best[way] = std::min(best[way], work.step(model, ways[way]));
  const double tokens = double(count * length);
  fmt::print(
      "{{\"adapters\": {}, \"tokens_each\": {}, \"one_tokens_per_second\": {:.1f}, "
      "\"one_with_head_tokens_per_second\": {:.1f}, \"merged_ratio\": {:.3f}, \"merged_with_head_ratio\": {:.3f}}}\n",
      count, length, tokens / best[0], tokens / best[1], best[0] / best[2], best[1] / best[3]);
}

/// Milliseconds of one pass over `rows` sequences that each add a token, rows dealt to the adapters in turn.
/// Milliseconds of one pass over `rows` sequences that each add a token; each adapter has `run` rows side by side.
double decode(const CausalLm& model, int64_t rows, const std::vector<const LoraAdapter*>& adapters, int64_t run) {
  NoGrad guard;
  KvCache cache(model.config());
  std::vector<int64_t> slots;
  for (int64_t r = 0; r < rows; ++r) slots.push_back(cache.add());
  std::vector<AdapterRows> ranges;
  for (int64_t r = 0; r < rows && !adapters.empty(); r += run)
    ranges.push_back({adapters[size_t(r / run) % adapters.size()], r, std::min(r + run, rows)});
  const RowAdapters rows_of(ranges);
  std::vector<double> times;
  for (int64_t step = 0; step < 10; ++step) {
    std::vector<int64_t> tokens(size_t(rows), 5), positions(size_t(rows), step), starts;
    for (int64_t r = 0; r <= rows; ++r) starts.push_back(r);
    const auto tensor = [](const std::vector<int64_t>& v) { return from_values<int64_t>(v, {int64_t(v.size())}); };
    const TokenBatch batch = {tensor(tokens), tensor(positions), tensor(starts)};
    const double begun = now();
    cache.begin(slots, batch);
    model.logits(model.hidden(batch, rows_of, &cache), rows_of);
    if (step >= 2) times.push_back((now() - begun) * 1e3);
  }
  // The fastest: what other programs take from the machine is not of interest.
  return *std::min_element(times.begin(), times.end());
}

void bench_decoding(const CausalLm& model) {
  const std::vector<LoraAdapter> adapters = make_adapters(model, 8, true);
  std::vector<const LoraAdapter*> eight;
  for (const LoraAdapter& a : adapters) eight.push_back(&a);
  for (int64_t rows : {1, 4, 8, 16, 32, 64}) {
    const int64_t run = std::max<int64_t>(1, rows / 8);
    fmt::print(
        "{{\"rows\": {}, \"base_ms\": {:.2f}, \"one_adapter_ms\": {:.2f}, \"eight_adapters_ms\": {:.2f}, "
        "\"eight_in_turns_ms\": {:.2f}}}\n",
        rows, decode(model, rows, {}, 1), decode(model, rows, {eight[0]}, rows), decode(model, rows, eight, run),
        decode(model, rows, eight, 1));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t adapters = argc > 1 ? std::atoll(argv[1]) : 16, tokens = argc > 2 ? std::atoll(argv[2]) : 32;
  const auto model = small_llama(dtype_from_name(argc > 3 ? argv[3] : "float32"));
  if (adapters > 0)
    bench_training(*model, adapters, tokens);
  else
    bench_decoding(*model);
}
