// Workshop, optim_step: one update with what forward-backward requests have added up.
#include "server/engine/workshop.h"

namespace hearth::server {

JobResult Workshop::optim_step(const Job& job, const OptimStep& command) {
  Trainer& trainer = need(job);
  llm::AdamStep step{command.learning_rate, command.beta1,        command.beta2,
                     command.eps,           command.weight_decay, command.grad_clip_norm};
  JobResult result;
  OptimStepResult answer;
  answer.metrics = trainer.trainer.optim_step(step);
  hash_state(trainer, result, false);
  result.payload = encode(answer);
  return result;
}

}  // namespace hearth::server
