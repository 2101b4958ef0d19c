// Submitting: requests that become futures.
#pragma once

#include <functional>

#include "server/api/reply.h"
#include "server/api/routes.h"
#include "server/engine/engine.h"
#include "server/wire/command.h"

namespace hearth::server {

/// Hands a request's body to the engine as it came and answers {"request_id"}. What is wrong with a body fails its
/// future, so that its number is used up; it is refused here only where nobody could say whose future that is.
Handler submit_handler(const Api& api, CommandKind kind);

/// Answers {"request_id"}, with "sample_sequence_ids" where there are some, or the refusal.
Then<Accepted> answer_accepted(const Respond& respond);

}  // namespace hearth::server
