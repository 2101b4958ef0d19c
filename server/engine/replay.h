// Replay: computes a run again from its journal and compares, operation by operation; or computes what it would have
// been without some of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/options.h"
#include "server/store/store.h"

namespace hearth::server {

/// What is left out: a whole operation, or one datum of it (counted from 0). "7" or "7:3".
struct LeftOut {
  int64_t seq_id = 0;
  std::optional<int64_t> datum;
};

/// Raises ValueError for anything else. Example: parse_left_out("7:3")
LeftOut parse_left_out(const std::string& text);

struct ReplayOptions {
  std::string run;
  std::vector<LeftOut> without;
  std::string out;  ///< not empty: the folder that the final adapter and optimizer are written to
};

/// What became of one operation.
struct ReplayedOperation {
  enum class Verdict {
    same,      ///< the same bits as recorded
    differs,   ///< other bits
    computed,  ///< nothing to compare with: not recorded, dropped by retention, or meant to be different
    left_out,  ///< as asked, or because the record says that it failed and changed nothing
  };
  int64_t seq_id = 0;
  std::string kind;
  Verdict verdict = Verdict::computed;
  std::string detail;
};

struct ReplayReport {
  int64_t operations = 0, same = 0, differ = 0;
  std::string state_hash;         ///< at the end
  std::string recorded_platform;  ///< not empty: computed on another processor or build, so bits may differ
};

/// The store must not be open in a server. What is read: the run's record, journal and the checkpoints that it loaded;
/// nothing in the store is changed. Raises ValueError when the run is unknown, its journal is not whole any more, or
/// something left out is not there; IoError.
/// Example: ReplayReport r = replay(store, engine_options, {.run = "S:train:0"}, print);
ReplayReport replay(Store& store, const EngineOptions& engine, const ReplayOptions& options,
                    const std::function<void(const ReplayedOperation&)>& tell);

}  // namespace hearth::server
