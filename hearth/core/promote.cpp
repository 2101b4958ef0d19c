// Type promotion: the lattice and the three categories.
#include "hearth/core/promote.h"

#include <algorithm>

#include "hearth/core/tensor.h"

namespace hearth {

namespace {

enum class Category { boolean, integral, floating };

Category category(Dtype dtype) {
  if (dtype == Dtype::boolean) return Category::boolean;
  return is_floating(dtype) ? Category::floating : Category::integral;
}

/// An operand of lower priority changes the dtype only when its category is higher.
Dtype combine(Dtype strong, Dtype weak) { return category(weak) > category(strong) ? weak : strong; }

}  // namespace

Dtype promote_types(Dtype a, Dtype b) {
  if (a == b) return a;
  if (a > b) std::swap(a, b);
  if (category(a) != category(b)) return b;
  if (a == Dtype::uint8 && b == Dtype::int8) return Dtype::int16;
  if (a == Dtype::float16 && b == Dtype::bfloat16) return Dtype::float32;
  return b;
}

Dtype result_type(const Tensor& a, const Tensor& b) {
  if ((a.dim() == 0) == (b.dim() == 0)) return promote_types(a.dtype(), b.dtype());
  return a.dim() != 0 ? combine(a.dtype(), b.dtype()) : combine(b.dtype(), a.dtype());
}

Dtype result_type(const Tensor& a, const Scalar& b) { return combine(a.dtype(), b.dtype()); }

}  // namespace hearth
