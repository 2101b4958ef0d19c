// Low-rank paths of the rows of one pass: the products that lora_linear and the losses over an output layer share.
#pragma once

#include "hearth/core/node.h"
#include "hearth/ops/lora.h"

namespace hearth {

/// What `scale * (x A^T) B^T` of each segment adds, forward and backward, without history. `h` is scale * x A^T of all
/// segments, one after the other in a flat tensor. Where only some rows of the pass are at hand, `first` is the number
/// of the first of them.
class LowRank {
 public:
  LowRank() = default;
  /// Raises ShapeError, DtypeError, ValueError in the name of `op` for what does not fit a weight [out, in] and `rows`.
  LowRank(const char* op, const LoraSegments& segments, const Shape& weight, int64_t rows);

  bool empty() const { return segments_.empty(); }
  Tensor new_h() const { return Tensor::empty({h_size_}); }

  /// h = scale * x A^T of x [rows, in].
  Tensor down(const Tensor& x) const;
  /// y += h B^T; y [some rows, out].
  void up(const Tensor& y, const Tensor& h, int64_t first = 0) const;
  /// dh = scale * dy B for the rows of dy [some rows, out].
  void up_backward(const Tensor& dh, const Tensor& dy, int64_t first = 0) const;
  /// dx += dh A; dx [rows, in].
  void down_backward(const Tensor& dx, const Tensor& dh) const;

  /// dA = dh^T x of each wanted segment, undefined for the others.
  TensorList a_gradients(const Tensor& dh, const Tensor& x, const std::vector<bool>& wanted) const;
  /// Sums for dB = dy^T h, kept transposed: the thin side is the one that is read across. Every row of the pass must be
  /// added, in order.
  TensorList new_b_sums(const std::vector<bool>& wanted) const;
  void add_b_gradients(const TensorList& sums, const Tensor& h, const Tensor& dy, int64_t first = 0) const;
  static void finish_b_gradients(TensorList& sums);

 private:
  struct Piece {
    size_t segment;
    int64_t row;  ///< in the tensor at hand
    int64_t rows;
    int64_t h;  ///< where its part of h begins
  };
  std::vector<Piece> pieces(int64_t first, int64_t count) const;

  LoraSegments segments_;
  std::vector<int64_t> h_starts_;
  int64_t h_size_ = 0;
};

/// Segments kept for backward; their versions are checked when they are used again.
class SavedSegments {
 public:
  SavedSegments() = default;
  explicit SavedSegments(const LoraSegments& segments);
  LoraSegments get(const GradContext& context) const;

 private:
  struct One {
    Saved a, b;
    double scale;
    int64_t begin, end;
  };
  std::vector<One> segments_;
};

/// a and b of each segment behind `first`: the inputs of a node.
TensorList with_segments(TensorList first, const LoraSegments& segments);
bool needs_grad(const LoraSegments& segments);

/// The paths' share of the result [rows of x, out], in plain ops.
Tensor composed_low_rank(const LoraSegments& segments, const Tensor& x, int64_t out);
/// Its backward in plain ops: the gradient of x, then of a and b of each segment.
Grads composed_low_rank_backward(const LoraSegments& segments, const Tensor& x, const Tensor& dy);

}  // namespace hearth
