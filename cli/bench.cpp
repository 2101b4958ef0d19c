// hearth bench: how fast a model trains and samples on this machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <memory>

#include "cli/command.h"
#include "cli/terminal.h"
#include "hearth/autograd/engine.h"
#include "hearth/core/allocator.h"
#include "hearth/optim/adamw.h"
#include "llm/loss/token_log_probs.h"
#include "llm/models/config.h"
#include "llm/sample/generate.h"
#include "llm/weights/load.h"

namespace hearth::cli {

namespace {

struct BenchCommand {
  std::string model, dtype;
  int64_t batch = 4, length = 128, decode = 64;
  bool json = false;
};

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

/// The median of three runs after a warm-up.
double median_seconds(const std::function<void()>& work) {
  work();
  double times[3];
  for (double& t : times) t = seconds_of(work);
  std::sort(times, times + 3);
  return times[1];
}

std::vector<int32_t> some_tokens(const llm::CausalLm& model, int64_t count, int64_t seed) {
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back(int32_t((i * 7919 + seed * 104729 + 3) % model.config().vocab_size));
  return tokens;
}

double train_rate(const llm::CausalLm& model, const BenchCommand& c) {
  const llm::LoraAdapter adapter({}, model.linear_layers(), 0);
  adapter.requires_grad_(true);
  optim::AdamW optimizer(adapter.parameters());
  PackedBatch batch;
  for (int64_t s = 0; s < c.batch; ++s) {
    const std::vector<int32_t> tokens = some_tokens(model, c.length, s);
    batch.append(tokens.data(), nullptr, c.length, s);
  }
  return double(batch.size()) / median_seconds([&] {
           optimizer.zero_grad();
           backward(llm::batch_cross_entropy(model, batch, &adapter));
           optimizer.step();
         });
}

double decode_rate(const llm::CausalLm& model, int64_t sequences, const BenchCommand& c) {
  std::vector<llm::Request> requests;
  for (int64_t s = 0; s < sequences; ++s)
    requests.push_back({some_tokens(model, 8, s), {.temperature = 0, .max_tokens = c.decode}});
  int64_t tokens = 0;
  const double seconds = median_seconds([&] {
    tokens = 0;
    llm::Generator generator(model, nullptr, nullptr);
    for (const llm::Generated& g : generator.run(requests)) tokens += int64_t(g.tokens.size());
  });
  return double(tokens) / seconds;
}

int run_bench(const BenchCommand& c) {
  const auto model =
      llm::load_model(c.model, c.dtype.empty() ? std::nullopt : std::optional<Dtype>(dtype_from_name(c.dtype)));
  const double train = train_rate(*model, c), one = decode_rate(*model, 1, c), eight = decode_rate(*model, 8, c);
  const AllocatorStats memory = allocator({}).stats();
  if (c.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"lora_step_tokens_per_second", train},
                                                                  {"decode_tokens_per_second", one},
                                                                  {"decode_8_tokens_per_second", eight},
                                                                  {"peak_bytes", memory.peak}}));
    return exit_done;
  }
  fmt::print("{} parameters\n", with_commas(llm::parameter_count(model->config())));
  fmt::print("LoRA step, {} x {} tokens   {:>10.1f} tokens/s\n", c.batch, c.length, train);
  fmt::print("decoding, 1 sequence       {:>10.1f} tokens/s\n", one);
  fmt::print("decoding, 8 sequences      {:>10.1f} tokens/s\n", eight);
  fmt::print("most memory in tensors     {:>10}\n", byte_size(double(memory.peak)));
  return exit_done;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App* bench = app.add_subcommand("bench", "How fast a model trains and samples on this machine");
  bench->add_option("MODEL", command->model, "Model folder")->required();
  bench->add_option("--batch", command->batch, "Sequences of the training step")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  bench->add_option("--length", command->length, "Tokens of each")
      ->capture_default_str()
      ->check(CLI::Range(2, 1 << 20));
  bench->add_option("--decode", command->decode, "Tokens to decode")->capture_default_str()->check(CLI::PositiveNumber);
  bench->add_option("--dtype", command->dtype, "float32 or bfloat16; default: as the files have it");
  bench->add_flag("--json", command->json, "Print JSON");
  bench->callback([command, &action] { action = [command] { return run_bench(*command); }; });
}

}  // namespace hearth::cli
