// Metrics: the engine's figures as Prometheus reads them.
#pragma once

#include <string>

#include "server/engine/answers.h"

namespace hearth::server {

/// Text of Prometheus' exposition format, version 0.0.4; every name begins with hearth_.
std::string engine_metrics(const EngineStatus& status);

}  // namespace hearth::server
