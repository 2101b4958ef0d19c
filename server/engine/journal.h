// A line of the journal as something that the workshop can do again.
#pragma once

#include "server/engine/job.h"
#include "server/store/records.h"

namespace hearth::server {

/// Raises ValueError when its body is not kept any more.
Job replay_job(const ModelRecord& model, const OperationRecord& operation);

}  // namespace hearth::server
