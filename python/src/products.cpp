// Products of vectors and matrices.
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/einsum.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

const Binding products{[](Module& m) {
  m.def(
      "matmul(input: Tensor, other: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return matmul(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "mm(input: Tensor, mat2: Tensor, *, out: Tensor? = None)", [](Args& a) { return mm(a.tensor(0), a.tensor(1)); },
      method);
  m.def(
      "bmm(input: Tensor, mat2: Tensor, *, out: Tensor? = None)", [](Args& a) { return bmm(a.tensor(0), a.tensor(1)); },
      method);
  m.def(
      "mv(input: Tensor, vec: Tensor, *, out: Tensor? = None)", [](Args& a) { return mv(a.tensor(0), a.tensor(1)); },
      method);
  m.def(
      "dot(input: Tensor, tensor: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return dot(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "vdot(input: Tensor, other: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return to(vdot(a.tensor(0), a.tensor(1)), a.tensor(0).dtype()); }, method);
  const auto outer_product = [](Args& a) { return outer(a.tensor(0), a.tensor(1)); };
  m.def("outer(input: Tensor, vec2: Tensor, *, out: Tensor? = None)", outer_product, method);
  m.def("ger(input: Tensor, vec2: Tensor, *, out: Tensor? = None)", outer_product, method);
  m.def(
      "inner(input: Tensor, other: Tensor, *, out: Tensor? = None)",
      [](Args& a) {
        const Tensor &x = a.tensor(0), &y = a.tensor(1);
        if (x.dim() == 0 || y.dim() == 0) return mul(x, y);
        check<ShapeError>(x.size(-1) == y.size(-1), "inner: last dimensions differ: ", x.shape(), " and ", y.shape());
        return tensordot(x, y, std::vector<int64_t>{-1}, std::vector<int64_t>{-1});
      },
      method);
  m.def(
      "kron(input: Tensor, other: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return kron(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "trace(input: Tensor)", [](Args& a) { return trace(a.tensor(0)); }, method);
}};

/// t times a number of its kind; integers take its whole part.
Tensor scaled(const Tensor& t, const Scalar& by) {
  if (by.to_complex() == 1.0) return t;
  return mul(t, is_integral(t.dtype()) && !by.is_complex() ? Scalar(by.to_int64()) : by);
}

/// Zeros that have x's history: a result does not read x when beta is 0, but x has a gradient, of zeros.
Tensor unread(const Tensor& x, const Shape& shape) {
  const Tensor all = expand(ones({}, Dtype::boolean, x.device()), shape);
  return masked_fill(expand(x, shape), all, Scalar(0));
}

/// beta x + alpha (what `product` makes of arguments 1 and 2), rounded once for 16-bit floats; in x's dtype.
template <class Product>
Tensor added(Args& a, Product product) {
  const Tensor& x = a.tensor(0);
  check<DtypeError>(x.dtype() == a.tensor(1).dtype() && x.dtype() == a.tensor(2).dtype(), a.op(),
                    ": dtypes differ: ", x.dtype(), ", ", a.tensor(1).dtype(), ", ", a.tensor(2).dtype());
  const Dtype dtype = x.dtype(), work = dtype == Dtype::float16 || dtype == Dtype::bfloat16 ? Dtype::float32
                                        : dtype == Dtype::boolean                           ? Dtype::int64
                                                                                            : dtype;
  const Scalar beta = a.number(3), alpha = a.number(4);
  const Tensor y = to(product(to(a.tensor(1), work), to(a.tensor(2), work)), work);
  const Shape shape = y.shape();
  check<ShapeError>(broadcast_shapes(a.op(), x.shape(), shape) == shape, a.op(), ": ", x.shape(),
                    " cannot be broadcast to ", shape);
  const Tensor rest = beta.to_complex() != 0.0 ? scaled(to(x, work), beta) : unread(to(x, work), shape);
  return to(add(scaled(y, alpha), rest), dtype);
}

bool is_half(Dtype dtype) { return dtype == Dtype::float16 || dtype == Dtype::bfloat16; }

/// torch.addr: 16-bit floats are rounded at each step, as PyTorch rounds them.
Tensor added_outer(Args& a) {
  const Tensor& x = a.tensor(0);
  const Scalar beta = a.number(3), alpha = a.number(4);
  for (const Scalar& factor : {beta, alpha})
    check<DtypeError>(is_differentiable(x.dtype()) || !(factor.is_floating() || factor.is_complex()), a.op(),
                      ": integers can only be scaled by integers");
  if (!is_half(x.dtype()) || beta.to_complex() == 0.0)
    return added(a, [](const Tensor& v, const Tensor& w) { return outer(v, w); });
  const auto rounded = [&](const Scalar& factor) { return scalar_tensor(factor, x.dtype()); };
  return add(mul(x, rounded(beta)), outer(mul(a.tensor(1), rounded(alpha)), a.tensor(2)));
}

/// torch.addbmm: 16-bit floats are added up batch by batch, each sum rounded, as PyTorch adds them.
Tensor added_batches(Args& a) {
  const Tensor &x = a.tensor(0), &left = a.tensor(1), &right = a.tensor(2);
  if (!is_half(x.dtype()) || left.dim() != 3 || right.dim() != 3 || left.size(0) != right.size(0) || left.size(0) == 0)
    return added(a, [](const Tensor& v, const Tensor& w) { return sum(bmm(v, w), {0}); });
  const auto wide = [](const Tensor& t) { return to(t, Dtype::float32); };
  Tensor y = x;
  for (int64_t b = 0; b < left.size(0); ++b) {
    const Tensor product = scaled(mm(wide(select(left, 0, b)), wide(select(right, 0, b))), a.number(4));
    const Scalar beta = b == 0 ? a.number(3) : Scalar(1);
    const Tensor rest = beta.to_complex() == 0.0 ? unread(wide(y), product.shape()) : scaled(wide(y), beta);
    y = to(add(product, rest), x.dtype());
  }
  return y;
}

const Binding sums{[](Module& m) {
  const char* tail = ", *, beta: Number = 1, alpha: Number = 1, out: Tensor? = None)";
  const auto text = [tail](const char* head) { return std::string(head) + tail; };
  m.def(
      text("addmm(input: Tensor, mat1: Tensor, mat2: Tensor").c_str(),
      [](Args& a) { return added(a, [](const Tensor& x, const Tensor& y) { return mm(x, y); }); }, method | inplace);
  m.def(
      text("addmv(input: Tensor, mat: Tensor, vec: Tensor").c_str(),
      [](Args& a) { return added(a, [](const Tensor& x, const Tensor& y) { return mv(x, y); }); }, method | inplace);
  m.def(
      text("addr(input: Tensor, vec1: Tensor, vec2: Tensor").c_str(), [](Args& a) { return added_outer(a); },
      method | inplace);
  m.def(
      text("baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor").c_str(),
      [](Args& a) { return added(a, [](const Tensor& x, const Tensor& y) { return bmm(x, y); }); }, method | inplace);
  m.def(
      text("addbmm(input: Tensor, batch1: Tensor, batch2: Tensor").c_str(), [](Args& a) { return added_batches(a); },
      method | inplace);
}};

/// torch.cross: without dim the first dimension of size 3.
Tensor old_cross(Args& a) {
  const Tensor &x = a.tensor(0), &y = a.tensor(1);
  if (a.given(2)) return cross(x, y, a.integer(2));
  const Shape shape = broadcast_shapes("cross", x.shape(), y.shape());
  for (int d = 0; d < shape.size(); ++d)
    if (shape[d] == 3) return cross(x, y, d);
  fail<ShapeError>("cross: no dimension has size 3: ", x.shape(), " and ", y.shape());
}

const Binding diagonals{[](Module& m) {
  m.def(
      "diag(input: Tensor, diagonal: int = 0, *, out: Tensor? = None)",
      [](Args& a) { return diag(a.tensor(0), a.integer(1)); }, method);
  m.def(
      "diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1)",
      [](Args& a) { return diag_embed(a.tensor(0), a.integer(1), a.integer(2), a.integer(3)); }, method);
  m.def(
      "diagflat(input: Tensor, offset: int = 0)",
      [](Args& a) { return diag_embed(reshape(a.tensor(0), {-1}), a.integer(1)); }, method);
}};

const Binding distances{[](Module& m) {
  m.def(
      "cross(input: Tensor, other: Tensor, dim: int? = None, *, out: Tensor? = None)",
      [](Args& a) { return old_cross(a); }, method);
  m.def("cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str? = None)", [](Args& a) {
    const std::string mode = a.given(3) ? a.text(3) : "use_mm_for_euclid_dist_if_necessary";
    check<ValueError>(mode == "use_mm_for_euclid_dist_if_necessary" || mode == "use_mm_for_euclid_dist" ||
                          mode == "donot_use_mm_for_euclid_dist",
                      "cdist: compute_mode is not known: ", mode);
    std::optional<bool> by_product;
    if (mode != "use_mm_for_euclid_dist_if_necessary") by_product = mode == "use_mm_for_euclid_dist";
    return cdist(a.tensor(0), a.tensor(1), a.real(2), by_product);
  });
  m.def(
      "dist(input: Tensor, other: Tensor, p: float = 2)",
      [](Args& a) { return norm(sub(a.tensor(0), a.tensor(1)), a.real(2)); }, method);
  m.def("_einsum(equation: str, operands: Tensors)", [](Args& a) { return einsum(a.text(0), a.tensors(1)); });
  m.def("_tensordot(a: Tensor, b: Tensor, dims_a: ints, dims_b: ints)",
        [](Args& a) { return tensordot(a.tensor(0), a.tensor(1), a.ints(2), a.ints(3)); });
}};

}  // namespace

}  // namespace hearth::python
