// Commands: their names, and the ids that follow from what a client counts.
#include "server/wire/command.h"

#include <array>
#include <utility>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

constexpr std::array<std::pair<CommandKind, std::string_view>, 8> names{{
    {CommandKind::create_model, "create_model"},
    {CommandKind::load_weights, "load_weights"},
    {CommandKind::forward_backward, "forward_backward"},
    {CommandKind::optim_step, "optim_step"},
    {CommandKind::save_weights, "save_weights"},
    {CommandKind::save_weights_for_sampler, "save_weights_for_sampler"},
    {CommandKind::save_weights_external, "save_weights_external"},
    {CommandKind::unload_model, "unload_model"},
}};

}  // namespace

std::string_view command_name(CommandKind kind) {
  for (const auto& [candidate, name] : names) {
    if (candidate == kind) return name;
  }
  fail<ValueError>("command: no such kind: ", int(kind));
}

CommandKind command_kind(std::string_view name) {
  for (const auto& [kind, candidate] : names) {
    if (candidate == name) return kind;
  }
  fail<ValueError>("command: no such request: ", name.substr(0, 100));
}

std::string training_id(std::string_view session_id, int64_t model_seq_id) {
  return std::string(session_id) + ":train:" + std::to_string(model_seq_id);
}

std::string sampler_id(std::string_view session_id, int64_t sampling_session_seq_id) {
  return std::string(session_id) + ":sample:" + std::to_string(sampling_session_seq_id);
}

}  // namespace hearth::server
