// Workshop, recovery points: a model's state on disk, so that a restart need not do everything again.
#include "hearth/core/error.h"
#include "server/engine/workshop.h"

namespace hearth::server {

// Only where no gradient is accumulated: that is not saved.
std::optional<RecoveryPoint> Workshop::recovery_point(const std::string& model_id, Trainer& trainer, bool always) {
  if (trainer.trainer.has_gradient() || trainer.seq_id <= trainer.recovery_seq) return {};
  if (!always && trainer.replay_seconds < static_cast<double>(options_.replay_budget.count())) return {};
  Draft draft = folders_.draft();
  trainer.trainer.save(draft.path(), trainer.base, folders_.file_system());
  const Sealed sealed = draft.seal(Folders::place_of_state(model_id, trainer.seq_id));
  trainer.recovery_seq = trainer.seq_id;
  trainer.replay_seconds = 0;
  return RecoveryPoint{trainer.seq_id, sealed.folder, sealed.hash};
}

std::map<std::string, RecoveryPoint> Workshop::recovery_points() {
  std::map<std::string, RecoveryPoint> points;
  for (auto& [id, trainer] : trainers_) try {
      if (auto point = recovery_point(id, trainer, true)) points[id] = *point;
    } catch (const std::exception&) {
      // The journal brings this one back.
    }
  return points;
}

}  // namespace hearth::server
