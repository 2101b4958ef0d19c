// gradcheck: compares gradients with finite differences.
#pragma once

#include <functional>

#include "hearth/core/tensor.h"

namespace hearth {

using TensorFunction = std::function<TensorList(const TensorList&)>;

/// The worst error of the gradients of `f` at `inputs` (float64 or complex128; those that require grad are checked),
/// against central differences of step `eps`: |analytic - numeric| / max(1, |analytic|, |numeric|), with random output
/// gradients. Both parts of a complex number are varied. Raises DtypeError for inputs of another type.
/// Example: EXPECT_LT(gradcheck([](const TensorList& x) { return TensorList{exp(x[0])}; }, {x}), 1e-6);
double gradcheck(const TensorFunction& f, const TensorList& inputs, double eps = 1e-5);

/// The same for the gradients of the gradients.
double gradgradcheck(const TensorFunction& f, const TensorList& inputs, double eps = 1e-5);

}  // namespace hearth
