// SwiGLU: separate or fused operands, one kernel.
#include "hearth/ops/swiglu.h"

#include "hearth/backend/kernels/swiglu.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/view.h"

namespace hearth {
namespace {

/// x as [rows, n]; in place where it is two-dimensional with a last stride of 1.
Tensor as_rows(const Tensor& x) {
  if (x.dim() == 2 && x.stride(1) == 1) return x;
  const Tensor dense = contiguous(x);
  const int64_t n = x.size(-1);
  return dense.alias({n == 0 ? 0 : x.numel() / n, n}, {n, 1}, dense.offset());
}

/// Columns [start, start + n) of contiguous or strided rows.
Tensor columns(const Tensor& rows, int64_t start, int64_t n) {
  return rows.alias({rows.size(0), n}, {rows.stride(0), 1}, rows.offset() + start);
}

struct Pair {
  Tensor gate, up;
};

/// The formula in ops, so that it can be differentiated again.
Pair composed_backward(const Tensor& gate, const Tensor& up, const Tensor& dy) {
  const Tensor s = sigmoid(gate);
  const Tensor slope = mul(s, add(mul(gate, sub(scalar_tensor(1.0, gate.dtype()), s)), 1.0));
  return {mul(mul(dy, up), slope), mul(dy, mul(gate, s))};
}

void check_floating(const char* name, const Tensor& x) {
  check<DtypeError>(is_floating(x.dtype()), name, ": dtype must be floating: ", x.dtype());
  check<ShapeError>(x.dim() >= 1, name, ": needs at least one dimension");
}

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up) {
  check_floating("swiglu", gate);
  check<DtypeError>(gate.dtype() == up.dtype(), "swiglu: dtypes differ: ", gate.dtype(), " and ", up.dtype());
  check<ShapeError>(gate.shape() == up.shape(), "swiglu: shapes differ: ", gate.shape(), " and ", up.shape());
  const Tensor y = empty_like(gate);
  {
    NoGrad guard;
    kernels::swiglu(gate.device(), as_rows(y), as_rows(gate), as_rows(up));
  }
  if (!needs_grad(gate, up)) return y;
  return record("swiglu", y, {gate, up}, [gate = save(gate), up = save(up)](const GradContext& c) -> Grads {
    const Tensor g = gate.get(c), u = up.get(c);
    if (grad_enabled()) {
      const Pair d = composed_backward(g, u, c.dy());
      return {d.gate, d.up};
    }
    const Grads grads = {empty_like(g), empty_like(u)};
    kernels::swiglu_backward(g.device(), as_rows(grads[0]), as_rows(grads[1]), as_rows(c.dy()), as_rows(g), as_rows(u));
    return grads;
  });
}

Tensor swiglu_packed(const Tensor& x) {
  check_floating("swiglu_packed", x);
  check<ShapeError>(x.size(-1) % 2 == 0, "swiglu_packed: the last dimension must be even: ", x.shape());
  const int64_t n = x.size(-1) / 2;
  Shape shape = x.shape();
  shape[shape.size() - 1] = n;
  const Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  {
    NoGrad guard;
    const Tensor rows = as_rows(x);
    kernels::swiglu(x.device(), as_rows(y), columns(rows, 0, n), columns(rows, n, n));
  }
  if (!needs_grad(x)) return y;
  return record("swiglu_packed", y, {x}, [x = save(x), n](const GradContext& c) -> Grads {
    const Tensor input = x.get(c);
    const Tensor dx = empty_like(input);
    if (grad_enabled()) {
      const Pair d = composed_backward(narrow(input, -1, 0, n), narrow(input, -1, n, n), c.dy());
      Shape twice = input.shape();
      // Stacked in front of the last dimension and flattened, the two gradients lie as gate and up do.
      twice[twice.size() - 1] = 1;
      twice.push_back(n);
      Shape wide = twice;
      wide[wide.size() - 2] = 2;
      const Tensor first = from_values<double>({1, 0}, {2, 1}), second = from_values<double>({0, 1}, {2, 1});
      return {reshape(add(mul(reshape(d.gate, twice), to(first, input.dtype())),
                          mul(reshape(d.up, twice), to(second, input.dtype()))),
                      input.shape())};
    }
    const Tensor rows = as_rows(dx), from = as_rows(input);
    kernels::swiglu_backward(input.device(), columns(rows, 0, n), columns(rows, n, n), as_rows(c.dy()),
                             columns(from, 0, n), columns(from, n, n));
    return {dx};
  });
}

}  // namespace hearth
