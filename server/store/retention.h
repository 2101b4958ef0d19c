// Retention: what may be forgotten, and when. Nothing that bringing a live model back needs is ever among it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/store/records.h"

namespace hearth::server {

class Store;

/// How long things stay after the session of their run has ended. Absent: for ever.
struct RetentionSettings {
  std::optional<Time> results = 3600 * second;      ///< what futures answered; samples and ephemeral samplers too
  std::optional<Time> bodies = 7 * 86400 * second;  ///< the requests themselves: what `hearth replay` reads
  std::optional<Time> audit;                        ///< counted from the entry itself
  int64_t archive_bytes = int64_t(4) << 30;         ///< how much of built archives is kept
};

/// What may go of one run's journal.
struct RunPlan {
  std::vector<std::string> bodies;   ///< request ids whose bodies may go
  std::vector<std::string> results;  ///< request ids whose results may go
};

/// Pure: decides by the records alone. `ended`: when the run's session ended; nothing goes before it has. Of a model
/// that is not unloaded, operations after its newest internal checkpoint keep everything, and so does what has not
/// been done yet.
RunPlan plan_run(const ModelRecord& model, std::optional<Time> ended, const std::vector<OperationRecord>& operations,
                 const RetentionSettings& settings, Time now);

/// What one pass removed.
struct RetentionReport {
  int64_t bodies = 0;
  int64_t results = 0;
  int64_t samplers = 0;
  int64_t checkpoints = 0;  ///< whose time was over
  int64_t folders = 0;
  int64_t archives = 0;
  int64_t pages = 0;  ///< of the database file, given back to the system
};

/// One pass over everything, in small transactions, so that requests are not held up. Waits for the writer: call it on
/// the store's background thread (`store.background`), never on the loop thread. Raises IoError where writing fails;
/// what was done until then stays done, and the next pass goes on.
RetentionReport run_retention(Store& store, const RetentionSettings& settings, Time now);

}  // namespace hearth::server
