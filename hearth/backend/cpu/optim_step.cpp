// Optimizer updates on the CPU: all parameters of a list in one parallel loop over pieces.
#include "hearth/backend/kernels/optim_step.h"

#include <algorithm>
#include <cmath>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/optim_step.h"

namespace hearth::cpu {

extern kernels::SgdStepFn sgd_step;
extern kernels::AdamStepFn adam_step;
extern kernels::SumSquaresFn sum_squares;
extern kernels::ScaleFn scale;

namespace {

constexpr int64_t piece_elements = 16384;

struct Piece {
  size_t item;
  int64_t first, count;
};

/// Pieces of the tensors, in order; `tensor_of(i)` gives the i-th.
template <class F>
std::vector<Piece> cut(size_t items, F tensor_of) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < items; ++i)
    for (int64_t first = 0, n = tensor_of(i).numel(); first < n; first += piece_elements)
      pieces.push_back({i, first, std::min(piece_elements, n - first)});
  return pieces;
}

const OptimKernels& kernels_for(const Tensor& x) {
  return select(generic::optim_kernels, avx2::optim_kernels, avx512::optim_kernels)[float_index(x.dtype(), "optim")];
}

void* at(const Tensor& x, int64_t element) {
  return x.defined() ? static_cast<char*>(x.raw()) + size_t(element) * dtype_size(x.dtype()) : nullptr;
}

/// Calls f(piece) for all pieces.
template <class F>
void each_piece(const std::vector<Piece>& pieces, F f) {
  int64_t elements = 0;
  for (const Piece& piece : pieces) elements += piece.count;
  const int64_t count = int64_t(pieces.size());
  const int64_t grain = std::max<int64_t>(1, count * piece_elements / std::max<int64_t>(1, elements));
  parallel_for(0, count, grain, [&](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) f(pieces[size_t(i)], size_t(i));
  });
}

}  // namespace

void sgd_step(const std::vector<kernels::SgdItem>& items, const kernels::SgdSettings& s) {
  each_piece(cut(items.size(), [&](size_t i) { return items[i].param; }), [&](const Piece& piece, size_t) {
    const kernels::SgdItem& item = items[piece.item];
    kernels_for(item.param)
        .sgd({at(item.param, piece.first),
              at(item.grad, piece.first),
              {at(item.buffer, piece.first), nullptr, nullptr},
              piece.count},
             {s.lr, s.momentum, s.dampening, s.weight_decay, s.nesterov, s.maximize, item.first});
  });
}

void adam_step(const std::vector<kernels::AdamItem>& items, const kernels::AdamSettings& s) {
  std::vector<AdamNumbers> numbers;
  for (const kernels::AdamItem& item : items)
    numbers.push_back({s.lr, s.beta1, s.beta2, s.eps, s.weight_decay, s.lr / (1 - std::pow(s.beta1, double(item.step))),
                       std::sqrt(1 - std::pow(s.beta2, double(item.step))), s.decoupled, s.amsgrad, s.maximize});
  each_piece(cut(items.size(), [&](size_t i) { return items[i].param; }), [&](const Piece& piece, size_t) {
    const kernels::AdamItem& item = items[piece.item];
    kernels_for(item.param)
        .adam({at(item.param, piece.first),
               at(item.grad, piece.first),
               {at(item.exp_avg, piece.first), at(item.exp_avg_sq, piece.first), at(item.max_exp_avg_sq, piece.first)},
               piece.count},
              numbers[piece.item]);
  });
}

double sum_squares(const TensorList& xs) {
  const std::vector<Piece> pieces = cut(xs.size(), [&](size_t i) { return xs[i]; });
  std::vector<double> sums(pieces.size());
  each_piece(pieces, [&](const Piece& piece, size_t i) {
    const Tensor& x = xs[piece.item];
    sums[i] = kernels_for(x).sum_squares(at(x, piece.first), piece.count);
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

void scale(const TensorList& xs, double factor) {
  each_piece(cut(xs.size(), [&](size_t i) { return xs[i]; }), [&](const Piece& piece, size_t) {
    const Tensor& x = xs[piece.item];
    kernels_for(x).scale(at(x, piece.first), piece.count, factor);
  });
}

}  // namespace hearth::cpu
