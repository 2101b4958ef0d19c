// QR: products, orthonormal columns, every mode and shape, derivatives, reflectors.
#include "hearth/ops/qr.h"

#include "hearth/autograd/engine.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

TEST(Qr, Decomposes) {
  for (Dtype dtype : dtypes)
    for (const Shape& shape : {Shape{2, 4, 3}, Shape{3, 4}, Shape{3, 3}, Shape{3, 0}, Shape{0, 3}})
      for (const char* mode : {"reduced", "complete"}) {
        const Tensor a = random(shape, 1, dtype);
        const QrFactors f = qr(a, mode);
        EXPECT_LT(difference(matmul(f.q, f.r), a), tolerance(dtype));
        const Tensor gram = matmul(mH(f.q), f.q);
        const Tensor one = contiguous(expand(eye(f.q.size(-1), f.q.size(-1), dtype), gram.shape()));
        EXPECT_LT(difference(gram, one), tolerance(dtype));
        EXPECT_EQ(difference(triu(f.r), f.r), 0);
        EXPECT_LT(difference(qr(a, "r").r, qr(a).r), tolerance(dtype));
      }
  EXPECT_THROW(qr(ones({2, 2}), "full"), ValueError);
}

TEST(Qr, Derivatives) {
  const auto both = [](const char* mode) {
    return [mode](const Tensor& x) {
      const QrFactors f = qr(x, mode);
      return TensorList{f.q, f.r};
    };
  };
  for (const Shape& shape : {Shape{2, 4, 3}, Shape{2, 4}, Shape{3, 3}}) {
    // A complex diagonal of R is real, which gradcheck's own gradients respect only through the function.
    const auto make = [&](Dtype dtype) { return random(shape, 2, dtype); };
    expect_derivatives("reduced", both("reduced"), make);
    if (shape[shape.size() - 2] <= shape.back()) expect_derivatives("complete", both("complete"), make);
  }
  const Tensor tall = leaf(random({3, 2}, 3));
  EXPECT_THROW(backward(sum(qr(tall, "complete").r)), ValueError);
  EXPECT_THROW(backward(sum(qr(tall, "r").r)), ValueError);
  EXPECT_THROW(backward(sum(geqrf(tall).tau)), NotImplementedError);
}

TEST(Qr, Reflectors) {
  for (Dtype dtype : dtypes) {
    const Tensor a = random({2, 5, 3}, 4, dtype), c = random({2, 5, 2}, 5, dtype);
    const Reflectors f = geqrf(a);
    const Tensor q = householder_product(f.a, f.tau);
    EXPECT_LT(difference(q, qr(a).q), tolerance(dtype));
    const Tensor whole = qr(a, "complete").q;
    EXPECT_LT(difference(ormqr(f.a, f.tau, c), matmul(whole, c)), tolerance(dtype));
    EXPECT_LT(difference(ormqr(f.a, f.tau, c, true, true), matmul(mH(whole), c)), tolerance(dtype));
    EXPECT_LT(difference(ormqr(f.a, f.tau, mT(c), false), matmul(mT(c), whole)), tolerance(dtype));
    EXPECT_LT(difference(ormqr(leaf(f.a), f.tau, mT(c), false, true), matmul(mT(c), mH(whole))), tolerance(dtype));
    EXPECT_LT(difference(householder_product(leaf(f.a), f.tau), q), tolerance(dtype));
  }
  EXPECT_THROW(householder_product(ones({2, 3}), ones({2})), ShapeError);
  EXPECT_THROW(ormqr(ones({3, 2}), ones({3}), ones({3, 3})), ShapeError);
  EXPECT_EQ(householder_product(ones({0, 3, 2}), ones({0, 2})).shape(), (Shape{0, 3, 2}));
}

TEST(Qr, ReflectorsHaveDerivatives) {
  const auto make = [](Dtype dtype) { return random({4, 2}, 6, dtype); };
  expect_derivatives(
      "householder_product", [](const Tensor& x) { return TensorList{householder_product(x, select(x, 0, 0))}; }, make);
  expect_derivatives(
      "ormqr", [](const Tensor& x) { return TensorList{ormqr(x, select(x, 0, 1), x, true, true)}; }, make);
}

}  // namespace
}  // namespace hearth
