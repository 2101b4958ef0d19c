// Muon: Newton-Schulz orthogonalisation of the momentum.
#include "hearth/optim/muon.h"

#include <algorithm>
#include <cmath>

#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth::optim {
namespace {

/// U V' of the singular value decomposition, roughly: X <- a X + (b A + c A A) X with A = X X', from X of norm 1.
Tensor orthogonalize(const Tensor& matrix, const MuonOptions& o) {
  const bool tall = matrix.size(0) > matrix.size(1);
  Tensor x = tall ? transpose(matrix, 0, 1) : matrix;
  x = div(x, std::max(std::sqrt(sum(mul(x, x)).item()), o.eps));
  for (int k = 0; k < o.steps; ++k) {
    const Tensor gram = matmul(x, transpose(x, 0, 1));
    x = add(mul(x, o.a), matmul(add(mul(gram, o.b), mul(matmul(gram, gram), o.c)), x));
  }
  return tall ? transpose(x, 0, 1) : x;
}

double rate_factor(MuonRate rate, const Shape& shape) {
  const double rows = double(shape[0]), columns = double(shape[1]);
  switch (rate) {
    case MuonRate::original:
      return std::sqrt(std::max(1.0, rows / columns));
    case MuonRate::match_rms_adamw:
      return 0.2 * std::sqrt(std::max(rows, columns));
    case MuonRate::spectral_unclamped:
      return std::sqrt(rows / columns);
  }
  fail<ValueError>("muon: unknown rate rule: ", int(rate));
}

}  // namespace

Muon::Muon(TensorList params, const MuonOptions& options)
    : Muon(std::vector<ParamGroup>{{std::move(params), options.lr, options.weight_decay}}, options) {}

Muon::Muon(std::vector<ParamGroup> groups, const MuonOptions& options)
    : ComposedOptimizer(std::move(groups)), options_(options) {
  check<ValueError>(options.momentum >= 0 && options.eps >= 0,
                    "muon: momentum and eps must not be negative: ", options.momentum, ", ", options.eps);
  check<ValueError>(options.steps >= 0 && options.steps < 100, "muon: steps must be in [0, 100): ", options.steps);
  for (const ParamGroup& group : groups_)
    for (const Tensor& p : group.params)
      check<ShapeError>(p.dim() == 2 && p.numel() > 0, "muon: parameters must be matrices, seen: ", p.shape());
}

std::optional<Shape> Muon::state_shape(const Tensor& p, std::string_view name) const {
  if (name == "momentum_buffer") return p.shape();
  return {};
}

Tensor Muon::updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) {
  Tensor& average = state(i, "momentum_buffer");
  copy_(average, add(average, mul(sub(gradient, average), 1 - options_.momentum)));
  const Tensor direction = options_.nesterov ? add(gradient, mul(sub(average, gradient), options_.momentum)) : average;
  const Tensor decayed = group.weight_decay != 0 ? mul(p, 1 - group.lr * group.weight_decay) : p;
  return sub(decayed, mul(orthogonalize(direction, options_), group.lr * rate_factor(options_.rate, p.shape())));
}

}  // namespace hearth::optim
