// Embedding: hearth/ops/embedding.h.
#include "hearth/ops/embedding.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding binding{[](Module& m) {
  m.def(
      "embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, "
      "sparse: bool = False)",
      [](Args& a) {
        check<NotImplementedError>(!a.flag(3) && !a.flag(4),
                                   "embedding: scale_grad_by_freq and sparse gradients are "
                                   "for nn.functional.embedding");
        const int64_t padding = a.integer(2);
        return embedding(a.tensor(0), a.tensor(1), padding >= 0 ? std::optional<int64_t>(padding) : std::nullopt);
      });
}};

}  // namespace

}  // namespace hearth::python
