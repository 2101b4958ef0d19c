// Multi-head attention with PyTorch's interface, for sequences of one length.
#pragma once

#include "hearth/nn/linear.h"

namespace hearth::nn {

struct MultiheadOptions {
  double dropout = 0;  ///< of attention weights, in training
  bool bias = true;
  bool batch_first = false;
};

/// Which keys a query may not see.
struct AttentionMask {
  Tensor mask{};              ///< bool (true is hidden) or floating (added), [L, S] or [N * heads, L, S]
  Tensor key_padding_mask{};  ///< bool [N, S] (or [S]), true is hidden
  bool is_causal = false;     ///< query i sees keys 0 ... i
};

/// What attention gives; `weights` [N, L, S] are the mean over heads.
struct Attended {
  Tensor output, weights;
};

/// Attention of `heads` heads between projected queries, keys and values (Vaswani et al. 2017). Shapes: query
/// [L, N, width], key and value [S, N, width] (with batch_first [N, L, width]; or without N). Parameters are named as
/// in PyTorch: `in_proj_weight` [3 width, width], `in_proj_bias`, `out_proj.weight`, `out_proj.bias`. Raises ValueError
/// unless heads divides width, ShapeError, DtypeError. Example: nn::MultiheadAttention attention(64, 4, {.batch_first =
/// true}); Tensor y = attention(x, x, x).output;
class MultiheadAttention : public Module {
 public:
  MultiheadAttention(int64_t width, int64_t heads, const MultiheadOptions& options = {});
  Attended operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                      const AttentionMask& mask = {}) const;

  Tensor in_proj_weight, in_proj_bias;
  Linear out_proj;

 private:
  Tensor scores_bias(const AttentionMask& mask, int64_t batch, int64_t queries, int64_t keys, Dtype dtype) const;
  /// [batch, length, width] through third `part` of the input projection, as [batch, heads, length, width / heads].
  Tensor project(const Tensor& x, int64_t part) const;

  int64_t width_, heads_;
  MultiheadOptions options_;
};

}  // namespace hearth::nn
