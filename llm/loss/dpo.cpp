// Direct preference optimisation.
#include "llm/loss/dpo.h"

#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/loss.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth::llm {

Tensor sequence_log_probs(const Tensor& log_probs, const PackedBatch& batch) {
  const Tensor weighted = mul(log_probs, from_values<float>(std::span<const float>(batch.weights), {batch.size()}));
  TensorList sums;
  for (size_t s = 0; s + 1 < batch.cu_seqlens.size(); ++s)
    sums.push_back(sum(narrow(weighted, 0, batch.cu_seqlens[s], batch.cu_seqlens[s + 1] - batch.cu_seqlens[s])));
  return stack(sums, 0);
}

Tensor dpo_losses(const Tensor& chosen, const Tensor& rejected, const Tensor& reference_chosen,
                  const Tensor& reference_rejected, double beta) {
  check<ShapeError>(chosen.shape() == rejected.shape() && chosen.shape() == reference_chosen.shape() &&
                        chosen.shape() == reference_rejected.shape(),
                    "dpo: shapes differ: ", chosen.shape(), ", ", rejected.shape(), ", ", reference_chosen.shape(),
                    ", ", reference_rejected.shape());
  const Tensor margin = sub(sub(chosen, rejected), sub(reference_chosen, reference_rejected));
  const Tensor x = mul(margin, beta);
  return binary_cross_entropy_with_logits(x, ones_like(x), {}, Reduction::none);
}

}  // namespace hearth::llm
