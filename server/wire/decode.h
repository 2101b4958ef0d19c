// Decoders of single requests; command.h has the functions that choose among them.
#pragma once

#include "server/wire/body.h"
#include "server/wire/command.h"

namespace hearth::server {

CreateModel decode_create_model(std::string_view body, UnknownFields* unknown, const WireLimits& limits);
LoadWeights decode_load_weights(std::string_view body, UnknownFields* unknown, const WireLimits& limits);
UnloadModel decode_unload_model(std::string_view body, UnknownFields* unknown);
OptimStep decode_optim_step(std::string_view body, UnknownFields* unknown);
SaveWeights decode_save_weights(CommandKind kind, std::string_view body, UnknownFields* unknown,
                                const WireLimits& limits);
ForwardBackward decode_forward_backward(std::string_view body, UnknownFields* unknown, const WireLimits& limits);

/// Notes or refuses fields of an object in which every field is a setting: one that is not known and holds more than
/// null, false, 0 or nothing would have changed the result. Raises ValueError naming it.
void refuse_unknown_settings(const JsonObject& settings, std::initializer_list<std::string_view> names,
                             std::string_view request, std::string_view prefix, UnknownFields* unknown);

/// Raises unless an optimizer's configuration, if there is one, is adamw's.
void check_optimizer(const JsonObject& request, std::string_view key, std::string_view name, UnknownFields* unknown);

}  // namespace hearth::server
