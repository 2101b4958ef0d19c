// Rotary embedding: table, checks, and a backward that is the inverse rotation.
#include "hearth/ops/rotary.h"

#include <cmath>

#include "hearth/backend/kernels/rotary.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"

namespace hearth {

RotaryTable rotary_table(const Tensor& inv_freq, int64_t positions, double attention_factor) {
  check<ShapeError>(inv_freq.dim() == 1, "rotary_table: inv_freq must have one dimension: ", inv_freq.shape());
  check<DtypeError>(inv_freq.dtype() == Dtype::float32, "rotary_table: inv_freq must be float32: ", inv_freq.dtype());
  check<ValueError>(positions >= 1, "rotary_table: positions must be at least 1: ", positions);
  const Tensor frequencies = contiguous(inv_freq.detach());
  const int64_t half = frequencies.numel();
  RotaryTable table{Tensor::empty({positions, half}), Tensor::empty({positions, half})};
  const float* frequency = frequencies.data<float>();
  float *cos = table.cos.data<float>(), *sin = table.sin.data<float>();
  for (int64_t p = 0; p < positions; ++p)
    for (int64_t i = 0; i < half; ++i) {
      const double angle = double(float(p) * frequency[i]);
      cos[p * half + i] = float(std::cos(angle) * attention_factor);
      sin[p * half + i] = float(std::sin(angle) * attention_factor);
    }
  return table;
}

namespace {

void check_arguments(const Tensor& x, const Tensor& positions, const RotaryTable& table) {
  check<DtypeError>(is_floating(x.dtype()), "rotary: dtype must be floating: ", x.dtype());
  check<ShapeError>(x.dim() == 3, "rotary: x must be [tokens, heads, dim]: ", x.shape());
  check<DtypeError>(positions.dtype() == Dtype::int64, "rotary: positions must be int64: ", positions.dtype());
  check<ShapeError>(positions.dim() == 1 && positions.size(0) == x.size(0),
                    "rotary: one position per token is needed: positions ", positions.shape(), ", x ", x.shape());
  check<ShapeError>(table.cos.dim() == 2 && table.cos.shape() == table.sin.shape(),
                    "rotary: cos and sin must be [positions, half]: ", table.cos.shape(), " and ", table.sin.shape());
  check<ShapeError>(2 * table.cos.size(1) <= x.size(2), "rotary: the table turns more than a head has: 2 * ",
                    table.cos.size(1), " of ", x.size(2));
  const int64_t *position = positions.data<int64_t>(), step = positions.stride(0);
  for (int64_t t = 0; t < positions.numel(); ++t)
    check<IndexError>(position[t * step] >= 0 && position[t * step] < table.cos.size(0), "rotary: position ",
                      position[t * step], " of token ", t, " is outside the table of ", table.cos.size(0));
}

Tensor turn(const Tensor& x, const Tensor& positions, const RotaryTable& table, bool inverse) {
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  {
    NoGrad guard;
    const Dtype wide = x.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32;
    const Tensor rows = x.stride(2) == 1 || x.size(2) == 1 ? x : contiguous(x);
    kernels::rotary(x.device(), y, rows, contiguous(positions), contiguous(to(table.cos, wide)),
                    contiguous(to(table.sin, wide)), inverse);
  }
  if (!needs_grad(x)) return y;
  return record("rotary", y, {x}, [positions, table, inverse](const GradContext& c) -> Grads {
    return {turn(c.dy(), positions, table, !inverse)};
  });
}

}  // namespace

Tensor rotary(const Tensor& x, const Tensor& positions, const RotaryTable& table) {
  check_arguments(x, positions, table);
  return turn(x, positions, table, false);
}

}  // namespace hearth
