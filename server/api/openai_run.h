// OpenAI run: one completion or chat from its request to its answer, whole or as a stream.
#pragma once

#include <string>

#include "server/api/openai_request.h"
#include "server/http/respond.h"

namespace hearth::server {

class Engine;

/// Asks the engine for every prompt, `n` continuations each, and answers. `model` is what the engine calls the model.
/// When the client goes away the work is stopped.
void run_openai(Engine& engine, const std::string& owner, const std::string& model, OpenAiRequest request,
                const Respond& respond);

}  // namespace hearth::server
