// Singular values: products, full and reduced forms, derivatives, nothing and what is not a number.
#include "hearth/ops/svd.h"

#include "hearth/autograd/engine.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

TEST(Svd, Decomposes) {
  for (Dtype dtype : dtypes)
    for (const Shape& shape : {Shape{2, 4, 3}, Shape{3, 5}, Shape{3, 3}})
      for (bool full : {false, true}) {
        const Tensor a = random(shape, 1, dtype);
        const Svd f = svd(a, full);
        const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
        EXPECT_EQ(f.u.size(-1), full ? m : k);
        EXPECT_EQ(f.vh.size(-2), full ? n : k);
        const Tensor u = narrow(f.u, -1, 0, k), vh = narrow(f.vh, -2, 0, k);
        EXPECT_LT(difference(matmul(scale_columns(u, f.s), vh), a), tolerance(dtype));
        const Tensor gram = matmul(mH(f.u), f.u), one = eye(f.u.size(-1), f.u.size(-1), dtype);
        EXPECT_LT(difference(gram, contiguous(expand(one, gram.shape()))), tolerance(dtype));
        EXPECT_LT(difference(svdvals(a), f.s), tolerance(dtype));
      }
}

TEST(Svd, Derivatives) {
  for (const Shape& shape : {Shape{2, 3, 3}, Shape{4, 2}, Shape{2, 4}}) {
    const auto make = [&](Dtype dtype) { return random(shape, 2, dtype); };
    expect_derivatives(
        "svdvals", [](const Tensor& x) { return TensorList{svdvals(x)}; }, make);
    expect_derivatives(
        "svd",
        [](const Tensor& x) {
          const Svd f = svd(x, false);
          const Tensor together = matmul(scale_columns(f.u, exp(f.s)), f.vh);
          return TensorList{abs(f.u), f.s, abs(f.vh), together};
        },
        make);
    expect_derivatives(
        "u alone", [](const Tensor& x) { return TensorList{abs(svd(x, false).u)}; }, make);
    expect_derivatives(
        "v alone", [](const Tensor& x) { return TensorList{abs(svd(x, false).vh)}; }, make);
  }
}

TEST(Svd, RefusesLossesOfThePhase) {
  const Tensor a = leaf(random({3, 3}, 3, Dtype::complex128));
  EXPECT_THROW(backward(sum(imag(svd(a).u))), ValueError);
}

TEST(Svd, OfNothingAndOfWhatIsNotANumber) {
  EXPECT_THROW(svd(full({2, 2}, NAN)), LinAlgError);
  EXPECT_THROW(svdvals(full({2, 2}, INFINITY)), LinAlgError);
  EXPECT_THROW(svd(ones({3})), ShapeError);
  EXPECT_EQ(svd(ones({3, 0})).u.shape(), (Shape{3, 3}));
  EXPECT_EQ(svd(ones({3, 0}), false).u.shape(), (Shape{3, 0}));
  EXPECT_EQ(svd(ones({0, 2, 3})).vh.shape(), (Shape{0, 3, 3}));
}

}  // namespace
}  // namespace hearth
