// Index notation: PyTorch's values, loops as reference, derivatives, wrong input.
#include "hearth/ops/einsum.h"

#include <gtest/gtest.h>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/ops/indexing.h"

namespace hearth {
namespace {

using fused_check::random;

TEST(Einsum, AgreesWithPyTorch) {
  frozen::check_op("einsum", [](const TensorList& x, const frozen::Keywords& k) {
    return TensorList{einsum(k.text("equation", ""), x)};
  });
}

double at(const Tensor& x, std::initializer_list<int64_t> place) {
  int64_t offset = 0;
  int d = 0;
  for (int64_t i : place) offset += i * x.strides()[d++];
  return x.data<double>()[offset];
}

TEST(Einsum, AgreesWithLoops) {
  const Tensor a = random({2, 3, 4}, 1, Dtype::float64), b = random({4, 1, 5}, 2, Dtype::float64),
               c = random({5, 2}, 3, Dtype::float64);
  // Three operands, a broadcast letter, one that only the last shares.
  const Tensor y = einsum("xyk,kyz,zx->yx", {a, b, c});
  ASSERT_EQ(y.shape(), (Shape{3, 2}));
  for (int64_t j = 0; j < 3; ++j)
    for (int64_t i = 0; i < 2; ++i) {
      double expected = 0;
      for (int64_t k = 0; k < 4; ++k)
        for (int64_t z = 0; z < 5; ++z) expected += at(a, {i, j, k}) * at(b, {k, 0, z}) * at(c, {z, i});
      EXPECT_NEAR(index(y, {int(j), int(i)}).item(), expected, 1e-12);
    }
}

TEST(Einsum, Forms) {
  const Tensor m = random({3, 3}, 4, Dtype::float64), v = random({3}, 5, Dtype::float64);
  const auto values = [](const Tensor& x) { return to_vector<double>(x); };
  EXPECT_NEAR(einsum("ii", {m}).item(), sum(diagonal(m)).item(), 1e-12);
  EXPECT_EQ(values(einsum("ii->i", {m})), values(diagonal(m)));
  EXPECT_EQ(values(einsum("ba", {m})), values(transpose(m, 0, 1)));
  EXPECT_EQ(values(einsum(" i j -> j i ", {m})), values(transpose(m, 0, 1)));
  EXPECT_EQ(values(einsum("...j->j...", {m})), values(transpose(m, 0, 1)));
  EXPECT_NEAR(einsum("i,i", {v, v}).item(), sum(v * v).item(), 1e-12);
  EXPECT_EQ(einsum("i,j", {v, v}).shape(), (Shape{3, 3}));
  EXPECT_EQ(einsum("iiij->ij", {random({2, 2, 2, 4}, 6)}).shape(), (Shape{2, 4}));
  EXPECT_EQ(einsum("a...b,b...c->a...c", {random({2, 5, 3}, 7), random({3, 4, 1, 6}, 8)}).shape(), (Shape{2, 4, 5, 6}));
  EXPECT_EQ(einsum("ij,jk->ik", {zeros({2, 0}), zeros({0, 3})}).shape(), (Shape{2, 3}));
  EXPECT_EQ(to_vector<int64_t>(einsum("i,i->", {arange(0, 4), arange(0, 4)})), (std::vector<int64_t>{14}));
}

TEST(Einsum, Derivatives) {
  const Tensor a = random({2, 3, 3}, 1, Dtype::float64).set_requires_grad();
  const Tensor b = random({3, 2}, 2, Dtype::float64).set_requires_grad();
  for (const char* text : {"bij,jb->ib", "bii,ib->b", "...ij,jk->...k", "bij,jk->", "bij,jb->bji"}) {
    const TensorFunction f = [&](const TensorList& v) { return TensorList{tanh(einsum(text, v))}; };
    EXPECT_LT(gradcheck(f, {a, b}), 1e-6) << text;
    EXPECT_LT(gradgradcheck(f, {a, b}), 1e-6) << text;
  }
}

TEST(Einsum, SameBitsOnAnyNumberOfThreads) {
  const Tensor a = random({8, 40, 70}, 1), b = random({8, 70, 30}, 2);
  const int threads = cpu::num_threads();
  cpu::set_num_threads(1);
  const Tensor alone = einsum("bij,bjk->bik", {a, b});
  cpu::set_num_threads(3);
  EXPECT_TRUE(fused_check::same_bits(alone, einsum("bij,bjk->bik", {a, b})));
  cpu::set_num_threads(threads);
}

TEST(Einsum, RefusesWrongInput) {
  const Tensor m = zeros({2, 3});
  EXPECT_THROW(einsum("ij,jk->ik", {m}), ValueError);
  EXPECT_THROW(einsum("ijk->i", {m}), ShapeError);
  EXPECT_THROW(einsum("i1->i", {m}), ValueError);
  EXPECT_THROW(einsum("ij->ii", {m}), ValueError);
  EXPECT_THROW(einsum("ij->k", {m}), ValueError);
  EXPECT_THROW(einsum("ii->i", {m}), ShapeError);
  EXPECT_THROW(einsum("ij,ij->ij", {m, zeros({3, 2})}), ShapeError);
  EXPECT_THROW(einsum("ij,ij->ij", {m, zeros({2, 3}, Dtype::float64)}), DtypeError);
  EXPECT_THROW(einsum("i.j->i", {m}), ValueError);
  EXPECT_THROW(einsum("......ij->i", {m}), ValueError);
  EXPECT_THROW(einsum("i", {}), ValueError);
}

}  // namespace
}  // namespace hearth
