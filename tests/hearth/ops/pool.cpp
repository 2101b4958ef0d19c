// Pooling and resizing: PyTorch's values, derivatives, NaN, sizes, wrong input.
#include "hearth/ops/pool.h"

#include <gtest/gtest.h>

#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;
using fused_check::expect_close;
using fused_check::random;

PoolOptions options_of(const Keywords& k) {
  PoolOptions o;
  o.stride = k.integers("stride");
  o.padding = k.integers("padding", {0});
  o.dilation = k.integers("dilation", {1});
  o.ceil_mode = k.flag("ceil_mode", false);
  o.count_include_pad = k.flag("count_include_pad", true);
  o.divisor = k.integer("divisor_override", 0);
  return o;
}

TensorList both(const Pooled& y) { return {y.values, y.indices}; }

TEST(Pool, AgreesWithPyTorch) {
  frozen::check_op("max_pool1d", [](const TensorList& x, const Keywords& k) {
    return both(max_pool1d(x[0], k.integers("kernel_size"), options_of(k)));
  });
  frozen::check_op("max_pool2d", [](const TensorList& x, const Keywords& k) {
    return both(max_pool2d(x[0], k.integers("kernel_size"), options_of(k)));
  });
  frozen::check_op("avg_pool1d", [](const TensorList& x, const Keywords& k) {
    return TensorList{avg_pool1d(x[0], k.integers("kernel_size"), options_of(k))};
  });
  frozen::check_op("avg_pool2d", [](const TensorList& x, const Keywords& k) {
    return TensorList{avg_pool2d(x[0], k.integers("kernel_size"), options_of(k))};
  });
  frozen::check_op("adaptive_avg_pool1d", [](const TensorList& x, const Keywords& k) {
    return TensorList{adaptive_avg_pool1d(x[0], k.integers("output_size"))};
  });
  frozen::check_op("adaptive_avg_pool2d", [](const TensorList& x, const Keywords& k) {
    return TensorList{adaptive_avg_pool2d(x[0], k.integers("output_size"))};
  });
  frozen::check_op("adaptive_max_pool1d", [](const TensorList& x, const Keywords& k) {
    return both(adaptive_max_pool1d(x[0], k.integers("output_size")));
  });
  frozen::check_op("adaptive_max_pool2d", [](const TensorList& x, const Keywords& k) {
    return both(adaptive_max_pool2d(x[0], k.integers("output_size")));
  });
  frozen::check_op("interpolate", [](const TensorList& x, const Keywords& k) {
    const std::string mode = k.text("mode", "nearest");
    std::vector<double> scale;
    if (k.has("scale_factor")) scale = {k.number("scale_factor", 1)};
    return TensorList{interpolate(x[0], k.integers("size"), scale,
                                  mode == "nearest"         ? Resize::nearest
                                  : mode == "nearest-exact" ? Resize::nearest_exact
                                                            : Resize::linear,
                                  k.flag("align_corners", false))};
  });
}

TEST(Pool, Derivatives) {
  const Tensor x = random({2, 2, 5, 4}, 1, Dtype::float64).set_requires_grad();
  const std::vector<TensorFunction> functions = {
      [](const TensorList& v) {
        return TensorList{
            max_pool2d(v[0] * v[0], {3, 2}, {.stride = {2, 1}, .padding = {1}, .ceil_mode = true}).values};
      },
      [](const TensorList& v) {
        return TensorList{avg_pool2d(v[0] * v[0], {3, 2}, {.stride = {2}, .padding = {1}, .count_include_pad = false})};
      },
      [](const TensorList& v) {
        return TensorList{adaptive_avg_pool2d(v[0] * v[0], {3, 3})};
      },
      [](const TensorList& v) {
        return TensorList{adaptive_max_pool2d(v[0] * v[0], {2, 3}).values};
      },
      [](const TensorList& v) {
        return TensorList{interpolate(v[0] * v[0], {7, 3}, {}, Resize::linear)};
      },
      [](const TensorList& v) { return TensorList{interpolate(v[0] * v[0], {}, {1.7}, Resize::linear, true)}; },
      [](const TensorList& v) {
        return TensorList{interpolate(v[0] * v[0], {}, {2, 0.5})};
      },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x}), 1e-6) << i;
  }
}

TEST(Pool, DerivativesOfVolumes) {
  const Tensor x = random({1, 2, 4, 5, 3}, 1, Dtype::float64).set_requires_grad();
  const std::vector<TensorFunction> functions = {
      [](const TensorList& v) {
        return TensorList{max_pool3d(v[0] * v[0], {3, 2, 2}, {.stride = {1, 2, 1}, .padding = {1}}).values};
      },
      [](const TensorList& v) {
        return TensorList{avg_pool3d(v[0] * v[0], {2}, {.stride = {1, 2, 1}, .padding = {1}, .divisor = 5})};
      },
      [](const TensorList& v) {
        return TensorList{adaptive_avg_pool3d(v[0] * v[0], {3, 2, -1})};
      },
      [](const TensorList& v) {
        return TensorList{interpolate(v[0] * v[0], {5, 3, 4}, {}, Resize::linear, true)};
      },
      [](const TensorList& v) {
        const Pooled p = max_pool3d(v[0], {2, 2, 1});
        return TensorList{max_unpool(p.values * p.values, p.indices, {4, 5, 3})};
      },
      [](const TensorList& v) {
        return TensorList{
            fractional_max_pool(v[0] * v[0], {2, 2, 1}, {2, 3, 2}, full({1, 2, 3}, 0.4, Dtype::float64)).values};
      },
      [](const TensorList& v) {
        return TensorList{resize(select(v[0] * v[0], 2, 0), {7, 2}, {}, Resize::cubic, {.antialias = true})};
      },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x}), 1e-6) << i;
  }
}

TEST(Pool, ResizesKeepConstantsAndLines) {
  // Every mode's weights add up to one; the linear ones keep a straight line where no border is near.
  const Tensor flat = full({1, 1, 6, 9}, 2.5, Dtype::float64),
               line = reshape(arange(0.0, 64.0, 1.0, Dtype::float64), {1, 1, 1, 64});
  for (Resize mode : {Resize::nearest, Resize::nearest_exact, Resize::linear, Resize::cubic, Resize::area})
    for (bool antialias : {false, true}) {
      if (antialias && mode != Resize::linear && mode != Resize::cubic) continue;
      expect_close(resize(flat, {4, 13}, {}, mode, {.antialias = antialias}), full({1, 1, 4, 13}, 2.5, Dtype::float64),
                   1e-12, 1e-12);
      if (mode != Resize::linear && mode != Resize::cubic) continue;
      const Tensor shrunk = resize(line, {1, 32}, {}, mode, {.antialias = antialias});
      for (int64_t i = 4; i < 28; ++i) EXPECT_NEAR(shrunk.data<double>()[i], double(2 * i) + 0.5, 1e-9) << i;
    }
  const Tensor bytes = from_values<uint8_t>({0, 255}, {1, 1, 1, 2});
  EXPECT_EQ(to_vector<int64_t>(resize(bytes, {1, 4}, {}, Resize::linear)), (std::vector<int64_t>{0, 64, 191, 255}));
}

TEST(Pool, NanTiesAndNegatives) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor x = reshape(from_values<float>({-inf, -inf, 1, nan, -3, -3}), {1, 6});
  const Pooled y = max_pool1d(x, {2});
  EXPECT_EQ(to_vector<int64_t>(y.indices), (std::vector<int64_t>{0, 3, 4}));
  EXPECT_EQ(to_vector<float>(y.values)[0], -inf);
  const Tensor whole = reshape(arange(0, 6), {1, 6});
  EXPECT_EQ(to_vector<int64_t>(max_pool1d(whole, {3}, {.stride = {2}, .padding = {1}}).values),
            (std::vector<int64_t>{1, 3, 5}));
  // Padding of a negative image never wins.
  EXPECT_EQ(to_vector<float>(max_pool1d(full({1, 2}, -5), {2}, {.stride = {1}, .padding = {1}}).values),
            (std::vector<float>{-5, -5, -5}));
}

TEST(Pool, OverlapsAddUpInOrderOnAnyNumberOfThreads) {
  const int threads = cpu::num_threads();
  Tensor first;
  for (int count : {1, 2, 3}) {
    cpu::set_num_threads(count);
    const Tensor x = random({4, 8, 30, 30}, 3).set_requires_grad();
    backward(sum(max_pool2d(x, {3}, {.stride = {1}}).values * 1.3) + sum(avg_pool2d(x, {3}, {.stride = {1}})));
    if (!first.defined()) first = x.grad();
    EXPECT_TRUE(fused_check::same_bits(first, x.grad())) << count;
  }
  cpu::set_num_threads(threads);
}

TEST(Pool, RefusesWrongInput) {
  const Tensor x = zeros({1, 2, 4, 4});
  EXPECT_THROW(max_pool2d(x, {5}), ShapeError);
  EXPECT_THROW(max_pool2d(x, {0}), ValueError);
  EXPECT_THROW(max_pool2d(x, {2}, {.padding = {2}}), ValueError);
  EXPECT_THROW(max_pool2d(zeros({4, 4}), {2}), ShapeError);
  EXPECT_THROW(avg_pool2d(to(x, Dtype::int32), {2}), DtypeError);
  EXPECT_THROW(avg_pool2d(x, {2}, {.dilation = {2}}), ValueError);
  EXPECT_THROW(adaptive_avg_pool2d(x, {1, 2, 3}), ValueError);
  EXPECT_THROW(max_pool2d(zeros({1, 2, 0, 4}), {1}), ShapeError);
  EXPECT_THROW(max_pool3d(x, {1}, {.stride = {1, 2}}), ValueError);
  EXPECT_THROW(max_unpool(x, full({1, 2, 4, 4}, 30, Dtype::int64), {5, 5}), ValueError);
  EXPECT_THROW(max_unpool(x, zeros({1, 2, 4, 3}, Dtype::int64), {5, 5}), ShapeError);
  EXPECT_THROW(fractional_max_pool(x, {3, 3}, {3, 3}, zeros({1, 2, 2})), ShapeError);
  EXPECT_THROW(resize(x, {3, 3}, {}, Resize::nearest, {.antialias = true}), ValueError);
  EXPECT_THROW(resize(zeros({1, 2, 4}), {3}, {}, Resize::cubic), ShapeError);
  EXPECT_THROW(interpolate(x, {2}, {2.0}), ValueError);
  EXPECT_THROW(interpolate(x, {}, {0.1}), ValueError);
  EXPECT_THROW(interpolate(x, {2}, {}, Resize::nearest, true), ValueError);
}

}  // namespace
}  // namespace hearth
