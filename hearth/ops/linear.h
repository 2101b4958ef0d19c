// The linear layer's product, with the weight as nn.Linear keeps it or packed once.
#pragma once

#include <memory>

#include "hearth/core/tensor.h"

namespace hearth {

/// x W^T + bias: x [..., in], weight [out, in], bias [out] or undefined -> [..., out] of x's dtype, accumulated in
/// float32. A float32 x may meet a weight of float32, bfloat16 or float16 (widened exactly); else the dtypes are equal.
/// Raises ShapeError, DtypeError. Example: Tensor y = linear(x, weight, bias);
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// A frozen weight, rearranged once for the forward and, on first use, for the backward product. Copies share it.
class PackedLinear {
 public:
  PackedLinear() = default;
  /// Takes a copy of weight [out, in]; later changes are not seen. `half_products`: a bfloat16 weight meets x rounded
  /// to bfloat16 where the processor multiplies such numbers; the sum stays float32.
  explicit PackedLinear(const Tensor& weight, bool half_products = true);

  bool defined() const { return bool(content_); }
  const Tensor& weight() const;

  /// out [n, out] = x [n, in] W^T + bias, and out [n, in] = dy [n, out] W; float32, without history.
  void forward(const Tensor& out, const Tensor& x, const Tensor& bias = {}) const;
  void backward(const Tensor& out, const Tensor& dy) const;

 private:
  struct Content;
  std::shared_ptr<Content> content_;
};

/// The same product with a packed weight; differentiable in x and bias, not in the weight. x float32. With a float32
/// weight the bits are those of `linear`.
Tensor linear(const Tensor& x, const PackedLinear& weight, const Tensor& bias = {});

}  // namespace hearth
