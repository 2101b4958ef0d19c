// Norms of vectors and matrices, and condition numbers.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Which norm: a number, "fro" or "nuc".
struct NormOrder {
  NormOrder(double p) : p(p) {}
  NormOrder(std::string name) : name(std::move(name)) {}
  double p = 0;
  std::string name;
};

/// (sum |x|^p)^(1/p) over `dims` (all without any), computed in `dtype` where one is given; p as in `norm`. Raises
/// DtypeError for integers, ShapeError for an extreme of nothing.
Tensor vector_norm(const Tensor& x, double p = 2, const std::vector<int64_t>& dims = {}, bool keepdim = false,
                   std::optional<Dtype> dtype = {});

/// Over two dimensions: "fro" sqrt(sum |x|^2), "nuc" the sum of singular values, 2 and -2 the largest and smallest of
/// them, 1 and -1 the largest and smallest sum of |x| over the first dimension (columns), inf and -inf over the second.
Tensor matrix_norm(const Tensor& x, const NormOrder& order, const std::array<int64_t, 2>& dims, bool keepdim = false,
                   std::optional<Dtype> dtype = {});

/// PyTorch's choice between the two: without `order` the 2-norm of all elements (of `dims`); with one, a vector norm
/// for one dimension, a matrix norm for two. Raises ShapeError for other numbers of dimensions.
Tensor linalg_norm(const Tensor& x, const std::optional<NormOrder>& order,
                   const std::optional<std::vector<int64_t>>& dims, bool keepdim = false,
                   std::optional<Dtype> dtype = {});

/// |A| |A^-1| of [..., n, n], infinite for singular matrices; for 2 and -2 (2 without `order`) by singular values, for
/// any [..., m, n].
Tensor cond(const Tensor& a, const std::optional<NormOrder>& order = {});

}  // namespace hearth
