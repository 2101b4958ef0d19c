// Convolution: PyTorch's values, loops as reference, derivatives, bits, wrong input.
#include "hearth/ops/conv.h"

#include <gtest/gtest.h>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;
using fused_check::random;

ConvPadding padding_of(const Keywords& k) {
  if (k.has("padding") && k.raw("padding").is_string()) return k.text("padding", "");
  return k.integers("padding", {0});
}

Tensor third(const TensorList& x) { return x.size() > 2 ? x[2] : Tensor(); }

TEST(Conv, AgreesWithPyTorch) {
  frozen::check_op("conv1d", [](const TensorList& x, const Keywords& k) {
    return TensorList{conv1d(x[0], x[1], third(x), k.integers("stride", {1}), padding_of(k),
                             k.integers("dilation", {1}), k.integer("groups", 1))};
  });
  frozen::check_op("conv2d", [](const TensorList& x, const Keywords& k) {
    return TensorList{conv2d(x[0], x[1], third(x), k.integers("stride", {1}), padding_of(k),
                             k.integers("dilation", {1}), k.integer("groups", 1))};
  });
  frozen::check_op("conv_transpose1d", [](const TensorList& x, const Keywords& k) {
    return TensorList{conv_transpose1d(x[0], x[1], third(x), k.integers("stride", {1}), k.integers("padding", {0}),
                                       k.integers("output_padding", {0}), k.integer("groups", 1),
                                       k.integers("dilation", {1}))};
  });
  frozen::check_op("conv_transpose2d", [](const TensorList& x, const Keywords& k) {
    return TensorList{conv_transpose2d(x[0], x[1], third(x), k.integers("stride", {1}), k.integers("padding", {0}),
                                       k.integers("output_padding", {0}), k.integer("groups", 1),
                                       k.integers("dilation", {1}))};
  });
}

TEST(Conv, VolumesAreSumsOfImages) {
  // A kernel of depth 2 is two images' convolutions added; the transpose is the adjoint.
  const Tensor x = random({2, 4, 3, 5, 6}, 1, Dtype::float64), w = random({6, 2, 2, 3, 2}, 2, Dtype::float64);
  const Tensor y = conv3d(x, w, {}, {1, 2, 1}, {0, 2, 1}, {1, 1, 3}, 2);
  for (int64_t a = 0; a < 2; ++a) {
    Tensor sum;
    for (int64_t k = 0; k < 2; ++k) {
      const Tensor part = conv2d(select(x, 2, a + k), select(w, 2, k), {}, {2, 1}, {2, 1}, {1, 3}, 2);
      sum = sum.defined() ? sum + part : part;
    }
    fused_check::expect_close(select(y, 2, a), sum, 1e-12, 1e-12);
  }
  const Tensor g = random(y.shape(), 3, Dtype::float64);
  const Tensor back = conv_transpose3d(g, w, {}, {1, 2, 1}, {0, 2, 1}, {0, 0, 0}, 2, {1, 1, 3});
  ASSERT_EQ(back.shape(), x.shape());
  EXPECT_NEAR(sum(back * x).item(), sum(y * g).item(), 1e-9);
  const Tensor ints = to(random({1, 1, 4, 4}, 4, Dtype::float32, 9), Dtype::int64);
  const Tensor ones_kernel = ones({1, 1, 2, 2}, Dtype::int64);
  fused_check::expect_close(conv2d(ints, ones_kernel),
                            conv2d(to(ints, Dtype::float64), to(ones_kernel, Dtype::float64)), 0, 0);
}

TEST(Conv, AgreesWithLoops) {
  const Tensor x = random({2, 4, 7, 6}, 1, Dtype::float64), w = random({6, 2, 3, 2}, 2, Dtype::float64);
  const Tensor y = conv2d(x, w, {}, {2, 1}, {2, 1}, {1, 3}, 2);
  ASSERT_EQ(y.shape(), (Shape{2, 6, 5, 5}));
  const double *xs = x.data<double>(), *ws = w.data<double>(), *ys = y.data<double>();
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t o = 0; o < 6; ++o)
      for (int64_t a = 0; a < 5; ++a)
        for (int64_t b = 0; b < 5; ++b) {
          double sum = 0;
          for (int64_t c = 0; c < 2; ++c)
            for (int64_t i = 0; i < 3; ++i)
              for (int64_t j = 0; j < 2; ++j) {
                const int64_t r = a * 2 - 2 + i, s = b - 1 + 3 * j;
                if (r < 0 || r >= 7 || s < 0 || s >= 6) continue;
                sum += xs[((n * 4 + o / 3 * 2 + c) * 7 + r) * 6 + s] * ws[((o * 2 + c) * 3 + i) * 2 + j];
              }
          EXPECT_NEAR(ys[((n * 6 + o) * 5 + a) * 5 + b], sum, 1e-12);
        }
}

TEST(Conv, Derivatives) {
  const Tensor x = random({2, 2, 4, 3}, 1, Dtype::float64).set_requires_grad();
  const Tensor w = random({2, 2, 2, 2}, 2, Dtype::float64).set_requires_grad();
  const Tensor g = random({4, 1, 2, 2}, 3, Dtype::float64).set_requires_grad();
  const Tensor b = random({2}, 4, Dtype::float64).set_requires_grad();
  const TensorFunction conv = [](const TensorList& v) {
    return TensorList{tanh(conv2d(v[0], v[1], v[2], {2, 1}, {1, 0}, {1, 2}))};
  };
  const TensorFunction grouped = [](const TensorList& v) {
    return TensorList{conv2d(v[0], v[1], {}, {1}, "same", {1}, 2)};
  };
  const TensorFunction back = [](const TensorList& v) {
    return TensorList{tanh(conv_transpose2d(v[0], v[1], v[2], {2, 1}, {1, 0}, {1, 0}))};
  };
  const TensorFunction columns = [](const TensorList& v) {
    const Tensor c = im2col(v[0], {2, 2}, {1}, {1}, {2});
    return TensorList{col2im(c * c, {4, 3}, {2, 2}, {1}, {1}, {2})};
  };
  EXPECT_LT(gradcheck(conv, {x, w, b}), 1e-6);
  EXPECT_LT(gradgradcheck(conv, {x, w, b}), 1e-6);
  EXPECT_LT(gradcheck(grouped, {x, g}), 1e-6);
  EXPECT_LT(gradgradcheck(grouped, {x, g}), 1e-6);
  EXPECT_LT(gradcheck(back, {x, w, b}), 1e-6);
  EXPECT_LT(gradgradcheck(back, {x, w, b}), 1e-6);
  EXPECT_LT(gradcheck(columns, {x}), 1e-6);
  EXPECT_LT(gradgradcheck(columns, {x}), 1e-6);
}

TEST(Conv, SameBitsAloneInABatchAndOnAnyNumberOfThreads) {
  const Tensor x = random({5, 16, 20, 20}, 1), w = random({24, 16, 3, 3}, 2);
  const int threads = cpu::num_threads();
  Tensor first, first_dw, first_dx;
  for (int count : {1, 2, 3}) {
    cpu::set_num_threads(count);
    const Tensor image = x.detach().set_requires_grad(), filter = w.detach().set_requires_grad();
    const Tensor y = conv2d(image, filter, {}, {1}, 1);
    const TensorList g = grad({sum(y * y)}, {filter, image});
    if (count == 1) first = y.detach(), first_dw = g[0], first_dx = g[1];
    EXPECT_TRUE(fused_check::same_bits(first, y)) << count;
    EXPECT_TRUE(fused_check::same_bits(first_dw, g[0])) << count;
    EXPECT_TRUE(fused_check::same_bits(first_dx, g[1])) << count;
    const Tensor alone = conv2d(narrow(x, 0, 3, 1), w, {}, {1}, 1);
    EXPECT_TRUE(fused_check::same_bits(narrow(first, 0, 3, 1), alone)) << count;
  }
  cpu::set_num_threads(threads);
}

TEST(Conv, EveryFloatingDtypeAndNoBatch) {
  for (Dtype dtype : {Dtype::float16, Dtype::bfloat16, Dtype::float32, Dtype::float64}) {
    const Tensor y = conv1d(ones({2, 5}, dtype), ones({3, 2, 2}, dtype), ones({3}, dtype));
    EXPECT_EQ(y.dtype(), dtype);
    ASSERT_EQ(y.shape(), (Shape{3, 4}));
    for (double v : to_vector<double>(y)) EXPECT_EQ(v, 5);
  }
  EXPECT_EQ(conv2d(zeros({0, 2, 5, 5}), zeros({3, 2, 2, 2})).shape(), (Shape{0, 3, 4, 4}));
  EXPECT_EQ(conv_transpose1d(ones({2, 3}), ones({2, 1, 2}), {}, {2}).shape(), (Shape{1, 6}));
}

TEST(Conv, RefusesWrongInput) {
  const Tensor x = zeros({1, 4, 5, 5}), w = zeros({6, 4, 3, 3});
  EXPECT_THROW(conv2d(x, zeros({6, 3, 3, 3})), ShapeError);
  EXPECT_THROW(conv2d(x, zeros({6, 4, 3})), ShapeError);
  EXPECT_THROW(conv2d(zeros({5}), w), ShapeError);
  EXPECT_THROW(conv2d(x, zeros({6, 4, 6, 3})), ShapeError);
  EXPECT_THROW(conv2d(x, w, zeros({5})), ShapeError);
  EXPECT_THROW(conv2d(x, w, {}, {0}), ValueError);
  EXPECT_THROW(conv2d(x, w, {}, {1}, -1), ValueError);
  EXPECT_THROW(conv2d(x, w, {}, {1, 1, 1}), ValueError);
  EXPECT_THROW(conv2d(x, w, {}, {2}, "same"), ValueError);
  EXPECT_THROW(conv2d(x, w, {}, {1}, "full"), ValueError);
  EXPECT_THROW(conv2d(x, w, {}, {1}, 0, {1}, 3), ValueError);
  EXPECT_THROW(conv2d(x, to(w, Dtype::float64)), DtypeError);
  EXPECT_THROW(conv2d(to(x, Dtype::boolean), to(w, Dtype::boolean)), DtypeError);
  EXPECT_THROW(conv_transpose2d(x, zeros({4, 2, 3, 3}), {}, {2}, {0}, {2}), ValueError);
  EXPECT_THROW(conv_transpose2d(x, w), ShapeError);
  EXPECT_THROW(im2col(x, {6, 6}), ShapeError);
  EXPECT_THROW(col2im(zeros({1, 4, 9}), {4, 4}, {3}), ShapeError);
}

}  // namespace
}  // namespace hearth
