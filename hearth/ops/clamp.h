// Larger and smaller of two, bounds, and replacing what is not a finite number.
#pragma once

#include <optional>

#include "hearth/core/tensor.h"

namespace hearth {

/// The larger element, NaN if either is; where both are equal each gets half the gradient.
Tensor maximum(const Tensor& x, const Tensor& y);
Tensor minimum(const Tensor& x, const Tensor& y);
/// The larger element, the other one if one is NaN; where both are equal each gets half the gradient.
Tensor fmax(const Tensor& x, const Tensor& y);
Tensor fmin(const Tensor& x, const Tensor& y);

/// min(max(x, low), high), so `high` wins if low > high; either may be absent, not both (ValueError). The gradient is
/// 0 on the bounds. Example: Tensor y = clamp(x, 0, 1);
Tensor clamp(const Tensor& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high);
/// Bounds for each element, broadcast; an undefined tensor stands for none. They are differentiated too.
Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high);
inline Tensor clamp_min(const Tensor& x, const Scalar& low) { return clamp(x, low, std::nullopt); }
inline Tensor clamp_max(const Tensor& x, const Scalar& high) { return clamp(x, std::nullopt, high); }
const Tensor& clamp_(const Tensor& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high);

/// NaN and the infinities replaced; the infinities by the dtype's extremes unless given.
Tensor nan_to_num(const Tensor& x, double nan = 0, std::optional<double> posinf = {},
                  std::optional<double> neginf = {});

}  // namespace hearth
