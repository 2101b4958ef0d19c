// Weighted sums along one dimension: a sparse matrix applied to it, under average pooling and resizing.
#pragma once

#include <memory>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Row i of the matrix, entries first[i] to below first[i + 1]: which elements are taken (`index`) and how much of
/// each.
struct Taps {
  int64_t size = 0;  ///< elements of the dimension they are taken from
  std::vector<int64_t> first{0};
  std::vector<int64_t> index;
  std::vector<double> weight;

  int64_t rows() const { return int64_t(first.size()) - 1; }
  void add(int64_t at, double w) {
    index.push_back(at);
    weight.push_back(w);
  }
  void end_row() { first.push_back(int64_t(index.size())); }
  /// The same matrix with rows and elements exchanged.
  Taps transposed() const;
};

/// y[.., i, ..] = sum of weight * x[.., index, ..] along `dim`; float32 or float64. Differentiable, and again.
/// Raises ShapeError when the dimension's size is not that of the taps. Example: Tensor y = resample(x, -1, taps);
Tensor resample(const Tensor& x, int64_t dim, std::shared_ptr<const Taps> taps);

}  // namespace hearth
