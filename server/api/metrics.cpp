// Metrics: the engine's figures as Prometheus reads them.
#include "server/api/metrics.h"

#include <fmt/format.h>

#include <string_view>

namespace hearth::server {
namespace {

/// One figure: its name, what it is, and whether it only grows.
template <class T>
void add(std::string& out, std::string_view name, std::string_view help, std::string_view type, T value) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

void add_operations(std::string& out, const EngineStatus& status) {
  constexpr std::string_view name = "hearth_operations_total";
  out += fmt::format("# HELP {0} Requests by kind and what became of them.\n# TYPE {0} counter\n", name);
  for (const auto& [key, count] : status.operations) {
    const size_t dot = key.rfind('.');
    const std::string kind = key.substr(0, dot);
    const std::string state = dot == std::string::npos ? "" : key.substr(dot + 1);
    out += fmt::format("{}{{kind=\"{}\",state=\"{}\"}} {}\n", name, kind, state, count);
  }
}

}  // namespace

std::string engine_metrics(const EngineStatus& status) {
  std::string out;
  add(out, "hearth_ready", "1 once recovery is over and nothing is broken.", "gauge",
      int(status.ready && !status.draining && status.trouble.empty()));
  add(out, "hearth_sessions", "Live sessions.", "gauge", status.sessions);
  add(out, "hearth_models", "Live models.", "gauge", status.models);
  add(out, "hearth_samplers", "Live samplers.", "gauge", status.samplers);
  add(out, "hearth_waiting_operations", "Training requests that wait.", "gauge", status.waiting_operations);
  add(out, "hearth_waiting_samples", "Sampling requests that wait.", "gauge", status.waiting_samples);
  add(out, "hearth_running_samples", "Sequences that are being continued.", "gauge", status.running_samples);
  add(out, "hearth_open_polls", "Clients that wait for a result.", "gauge", status.open_polls);
  add(out, "hearth_base_bytes", "Memory of base models.", "gauge", status.base_bytes);
  add(out, "hearth_trainer_bytes", "Memory of adapters in training, with optimizer state.", "gauge",
      status.trainer_bytes);
  add(out, "hearth_sampler_bytes", "Memory of samplers' adapters.", "gauge", status.sampler_bytes);
  add(out, "hearth_cache_bytes", "Memory of keys and values.", "gauge", status.cache_bytes);
  add(out, "hearth_steps_total", "Steps of the worker.", "counter", status.steps);
  add(out, "hearth_training_tokens_total", "Tokens trained on.", "counter", status.training_tokens);
  add(out, "hearth_sampled_tokens_total", "Tokens sampled.", "counter", status.sampled_tokens);
  add(out, "hearth_prefill_tokens_total", "Tokens of prompts computed.", "counter", status.prefill_tokens);
  add(out, "hearth_replayed_operations_total", "Operations repeated from the journal.", "counter",
      status.replayed_operations);
  add(out, "hearth_training_seconds_total", "Time spent on training.", "counter", status.training_seconds);
  add(out, "hearth_sampling_seconds_total", "Time spent on sampling.", "counter", status.sampling_seconds);
  add_operations(out, status);
  return out;
}

}  // namespace hearth::server
