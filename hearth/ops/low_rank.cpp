// Low-rank paths: one group of small products for all segments of a pass.
#include "hearth/ops/low_rank.h"

#include <algorithm>

#include "hearth/backend/kernels/matmul.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

using Products = std::vector<kernels::GroupedProduct>;

/// A float32 matrix, or its transpose, from some row on.
struct Operand {
  const float* data;
  int64_t row, column;
};

Operand rows_of(const Tensor& x, int64_t row = 0) {
  return {x.data<float>() + row * x.stride(0), x.stride(0), x.stride(1)};
}
Operand transposed(const Operand& x) { return {x.data, x.column, x.row}; }

kernels::GroupedProduct product(int64_t m, int64_t n, int64_t k, const Operand& a, const Operand& b, float* out,
                                double scale = 1) {
  return {m, n, k, a.data, a.row, a.column, b.data, b.row, b.column, out, n, float(scale)};
}

/// A matrix that a segment's first product fills; zeros where there is none.
Tensor new_sum(const LoraSegment& s, int64_t rows, int64_t columns) {
  return s.end > s.begin ? Tensor::empty({rows, columns}) : zeros({rows, columns});
}

}  // namespace

LowRank::LowRank(const char* op, const LoraSegments& segments, const Shape& weight, int64_t rows) {
  int64_t end = 0;
  for (const LoraSegment& s : segments) {
    check<DtypeError>(s.a.dtype() == Dtype::float32 && s.b.dtype() == Dtype::float32, op,
                      ": a and b must be float32: ", s.a.dtype(), ", ", s.b.dtype());
    check<ShapeError>(s.a.dim() == 2 && s.b.dim() == 2 && s.a.size(1) == weight[1] && s.b.size(0) == weight[0] &&
                          s.a.size(0) == s.b.size(1),
                      op, ": a must be [rank, in], b [out, rank]: ", s.a.shape(), " and ", s.b.shape(), " for weight ",
                      weight);
    check<ValueError>(s.begin >= end && s.end >= s.begin && s.end <= rows, op,
                      ": segments must ascend within the rows: rows ", s.begin, " to ", s.end, " after ", end, " of ",
                      rows);
    end = s.end;
    h_starts_.push_back(h_size_);
    h_size_ += (s.end - s.begin) * s.a.size(0);
    segments_.push_back({s.a.detach(), s.b.detach(), s.scale, s.begin, s.end});
  }
}

std::vector<LowRank::Piece> LowRank::pieces(int64_t first, int64_t count) const {
  std::vector<Piece> out;
  out.reserve(segments_.size());
  for (size_t i = 0; i < segments_.size(); ++i) {
    const LoraSegment& s = segments_[i];
    const int64_t begin = std::max(s.begin, first), end = std::min(s.end, first + count);
    if (begin < end) out.push_back({i, begin - first, end - begin, h_starts_[i] + (begin - s.begin) * s.a.size(0)});
  }
  return out;
}

Tensor LowRank::down(const Tensor& x) const {
  const Tensor h = new_h();
  Products products;
  for (const Piece& p : pieces(0, x.size(0))) {
    const LoraSegment& s = segments_[p.segment];
    products.push_back(product(p.rows, s.a.size(0), x.size(1), rows_of(x, p.row), transposed(rows_of(s.a)),
                               h.data<float>() + p.h, s.scale));
  }
  kernels::matmul_grouped(x.device(), products, false);
  return h;
}

void LowRank::up(const Tensor& y, const Tensor& h, int64_t first) const {
  Products products;
  for (const Piece& p : pieces(first, y.size(0))) {
    const LoraSegment& s = segments_[p.segment];
    const int64_t rank = s.b.size(1);
    products.push_back(product(p.rows, y.size(1), rank, {h.data<float>() + p.h, rank, 1}, transposed(rows_of(s.b)),
                               y.data<float>() + p.row * y.size(1)));
  }
  kernels::matmul_grouped(y.device(), products, true);
}

void LowRank::up_backward(const Tensor& dh, const Tensor& dy, int64_t first) const {
  Products products;
  for (const Piece& p : pieces(first, dy.size(0))) {
    const LoraSegment& s = segments_[p.segment];
    products.push_back(
        product(p.rows, s.b.size(1), dy.size(1), rows_of(dy, p.row), rows_of(s.b), dh.data<float>() + p.h, s.scale));
  }
  kernels::matmul_grouped(dy.device(), products, false);
}

void LowRank::down_backward(const Tensor& dx, const Tensor& dh) const {
  Products products;
  for (const Piece& p : pieces(0, dx.size(0))) {
    const LoraSegment& s = segments_[p.segment];
    const int64_t rank = s.a.size(0);
    products.push_back(product(p.rows, dx.size(1), rank, {dh.data<float>() + p.h, rank, 1}, rows_of(s.a),
                               dx.data<float>() + p.row * dx.size(1)));
  }
  kernels::matmul_grouped(dx.device(), products, true);
}

TensorList LowRank::a_gradients(const Tensor& dh, const Tensor& x, const std::vector<bool>& wanted) const {
  TensorList gradients(segments_.size());
  Products products;
  for (size_t i = 0; i < segments_.size(); ++i)
    if (wanted[i]) gradients[i] = new_sum(segments_[i], segments_[i].a.size(0), segments_[i].a.size(1));
  for (const Piece& p : pieces(0, x.size(0))) {
    if (!wanted[p.segment]) continue;
    const int64_t rank = segments_[p.segment].a.size(0);
    products.push_back(product(rank, x.size(1), p.rows, transposed({dh.data<float>() + p.h, rank, 1}),
                               rows_of(x, p.row), gradients[p.segment].data<float>()));
  }
  kernels::matmul_grouped(x.device(), products, false);
  return gradients;
}

TensorList LowRank::new_b_sums(const std::vector<bool>& wanted) const {
  TensorList sums(segments_.size());
  for (size_t i = 0; i < segments_.size(); ++i)
    if (wanted[i]) sums[i] = new_sum(segments_[i], segments_[i].b.size(1), segments_[i].b.size(0));
  return sums;
}

void LowRank::add_b_gradients(const TensorList& sums, const Tensor& h, const Tensor& dy, int64_t first) const {
  Products begun, more;
  for (const Piece& p : pieces(first, dy.size(0))) {
    if (!sums[p.segment].defined()) continue;
    const int64_t rank = segments_[p.segment].b.size(1);
    (segments_[p.segment].begin >= first ? begun : more)
        .push_back(product(rank, dy.size(1), p.rows, transposed({h.data<float>() + p.h, rank, 1}), rows_of(dy, p.row),
                           sums[p.segment].data<float>()));
  }
  kernels::matmul_grouped(dy.device(), begun, false);
  kernels::matmul_grouped(dy.device(), more, true);
}

void LowRank::finish_b_gradients(TensorList& sums) {
  for (Tensor& sum : sums)
    if (sum.defined()) sum = contiguous(transpose(sum, 0, 1));
}

SavedSegments::SavedSegments(const LoraSegments& segments) {
  for (const LoraSegment& s : segments) segments_.push_back({save(s.a), save(s.b), s.scale, s.begin, s.end});
}

LoraSegments SavedSegments::get(const GradContext& context) const {
  LoraSegments out;
  for (const One& s : segments_) out.push_back({s.a.get(context), s.b.get(context), s.scale, s.begin, s.end});
  return out;
}

TensorList with_segments(TensorList first, const LoraSegments& segments) {
  for (const LoraSegment& s : segments) {
    first.push_back(s.a);
    first.push_back(s.b);
  }
  return first;
}

bool needs_grad(const LoraSegments& segments) {
  for (const LoraSegment& s : segments)
    if (needs_grad(s.a, s.b)) return true;
  return false;
}

namespace {

/// Pieces for the segments' rows, zeros of `columns` between them, joined.
Tensor between_zeros(const LoraSegments& segments, const TensorList& pieces, int64_t rows, int64_t columns) {
  TensorList all;
  int64_t at = 0;
  const auto fill_up_to = [&](int64_t row) {
    if (row > at) all.push_back(zeros({row - at, columns}));
  };
  for (size_t i = 0; i < segments.size(); ++i) {
    fill_up_to(segments[i].begin);
    all.push_back(pieces[i]);
    at = segments[i].end;
  }
  fill_up_to(rows);
  return all.empty() ? zeros({rows, columns}) : cat(all, 0);
}

Tensor rows_in(const Tensor& x, const LoraSegment& s) { return narrow(x, 0, s.begin, s.end - s.begin); }

}  // namespace

Tensor composed_low_rank(const LoraSegments& segments, const Tensor& x, int64_t out) {
  TensorList pieces;
  for (const LoraSegment& s : segments)
    pieces.push_back(matmul(mul(matmul(rows_in(x, s), transpose(s.a, 0, 1)), s.scale), transpose(s.b, 0, 1)));
  return between_zeros(segments, pieces, x.size(0), out);
}

Grads composed_low_rank_backward(const LoraSegments& segments, const Tensor& x, const Tensor& dy) {
  Grads grads(1);
  TensorList dx;
  for (const LoraSegment& s : segments) {
    const Tensor own_x = rows_in(x, s), own_dy = rows_in(dy, s);
    const Tensor h = mul(matmul(own_x, transpose(s.a, 0, 1)), s.scale), dh = mul(matmul(own_dy, s.b), s.scale);
    dx.push_back(matmul(dh, s.a));
    grads.push_back(matmul(transpose(dh, 0, 1), own_x));
    grads.push_back(matmul(transpose(own_dy, 0, 1), h));
  }
  grads[0] = between_zeros(segments, dx, x.size(0), x.size(1));
  return grads;
}

}  // namespace hearth
