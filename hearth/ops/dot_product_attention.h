// Attention for any leading dimensions and masks, composed of plain products and a softmax; it stores all scores.
#pragma once

#include <optional>

#include "hearth/core/tensor.h"

namespace hearth {

struct AttentionOptions {
  Tensor mask{};           ///< bool (true takes part) or floating (added to the scores), broadcast to [..., L, S]
  bool is_causal = false;  ///< query i sees keys 0..i
  std::optional<double> scale{};  ///< 1 / sqrt(E) when left out
  bool enable_gqa = false;        ///< each key head serves several query heads in a row
};

/// softmax(q k^T scale + mask) v. Shapes: q [..., L, E], k [..., S, E], v [..., S, F] give [..., L, F]; with enable_gqa
/// q's heads (third dimension from the end) are a multiple of k's and v's. A query that sees no key gives zeros.
/// For packed sequences and long ones use `attention`. Raises ShapeError, DtypeError, ValueError for a mask with
/// is_causal. Source: Vaswani et al. 2017, PyTorch's scaled_dot_product_attention.
/// Example: Tensor y = scaled_dot_product_attention(q, k, v, {.is_causal = true});
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options = {});

}  // namespace hearth
