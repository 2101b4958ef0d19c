// Root-mean-square and layer norm: values, derivatives, views, bits and errors.
#include "hearth/ops/norm.h"

#include "hearth/ops/frozen_by_dtype.h"
#include "hearth/ops/fused_check.h"

namespace hearth {
namespace {

using namespace fused_check;

class Norm : public Machine {};

/// The definitions in float64; an undefined weight or bias counts as 1 or 0.
Tensor reference(const Tensor& x_, const Tensor& weight, const Tensor& bias, double eps, bool centered) {
  const Tensor x = to(x_, Dtype::float64);
  const Tensor shifted = centered ? sub(x, mean(x, {-1}, true)) : x;
  Tensor y = div(shifted, sqrt(add(mean(mul(shifted, shifted), {-1}, true), eps)));
  if (weight.defined()) y = mul(y, to(weight, Dtype::float64));
  if (bias.defined()) y = add(y, to(bias, Dtype::float64));
  return y;
}

TEST_F(Norm, ValuesOfEveryLengthAndDtype) {
  each_isa([] {
    for (auto [dtype, tolerance] : {std::pair{Dtype::float64, 1e-13}, std::pair{Dtype::float32, 3e-6},
                                    std::pair{Dtype::bfloat16, 8e-3}, std::pair{Dtype::float16, 1e-3}})
      for (int64_t dim : {1, 3, 8, 17, 64, 80, 128, 200, 576, 5000}) {
        const Tensor x = add(random({3, dim}, uint64_t(dim), dtype, 2), full({1}, 0.5, dtype)),
                     w = random({dim}, 1, dtype), b = random({dim}, 2, dtype);
        expect_close(rms_norm(x, w, 1e-6), reference(x, w, {}, 1e-6, false), tolerance, tolerance, "rms_norm");
        expect_close(rms_norm(x, {}, 1e-6), reference(x, {}, {}, 1e-6, false), tolerance, tolerance, "rms_norm");
        // With one element x - mean is 0; what is left is the bias.
        expect_close(layer_norm(x, w, b, 1e-5), reference(x, w, b, 1e-5, true), tolerance, 4 * tolerance, "layer_norm");
        expect_close(layer_norm(x, {}, {}, 1e-5), reference(x, {}, {}, 1e-5, true), tolerance, 4 * tolerance, "layer");
      }
  });
}

TEST_F(Norm, LayerNormOfALargeOffset) {
  const Tensor x = add(random({4, 300}, 3), full({1}, 1000.0));
  // The mean near 1000 is known to 6e-5, which is all that may be lost.
  expect_close(layer_norm(x, {}, {}, 1e-5), reference(x, {}, {}, 1e-5, true), 3e-4, 3e-4);
}

TEST_F(Norm, Derivatives) {
  const Tensor x = random({4, 5}, 4, Dtype::float64), w = random({5}, 5, Dtype::float64),
               b = random({5}, 6, Dtype::float64);
  expect_gradients([](const TensorList& v) { return rms_norm(v[0], v[1], 1e-3); }, {x, w});
  expect_gradients([](const TensorList& v) { return rms_norm(v[0], {}, 1e-3); }, {x});
  expect_gradients([](const TensorList& v) { return layer_norm(v[0], v[1], v[2], 1e-3); }, {x, w, b});
  expect_gradients([](const TensorList& v) { return layer_norm(v[0], {}, {}, 1e-3); }, {x});
}

TEST_F(Norm, Float32GradientsAgreeWithFloat64) {
  for (int64_t dim : {17, 64, 576}) {
    const int64_t rows = 300;
    const TensorList inputs = {random({rows, dim}, 7, Dtype::float64), random({dim}, 8, Dtype::float64),
                               random({dim}, 9, Dtype::float64)};
    const Tensor c = random({rows, dim}, 10, Dtype::float64);
    const auto gradients = [&](Dtype dtype, bool centered) {
      TensorList xs;
      for (const Tensor& x : inputs) xs.push_back(clone(to(x, dtype)).set_requires_grad());
      const Tensor y = centered ? layer_norm(xs[0], xs[1], xs[2], 1e-5) : rms_norm(xs[0], xs[1], 1e-5);
      return grad({sum(y * to(c, dtype))}, xs, {}, {}, true);
    };
    for (bool centered : {false, true})
      each_isa([&] {
        const TensorList narrow = gradients(Dtype::float32, centered), wide = gradients(Dtype::float64, centered);
        for (size_t k = 0; k < (centered ? 3u : 2u); ++k) expect_close(narrow[k], wide[k], 1e-4, 2e-5);
      });
  }
}

TEST_F(Norm, HeadsOfAFusedProjectionAreReadInPlace) {
  const int64_t tokens = 7, heads = 3, dim = 80;
  const Tensor fused = random({tokens, (heads + 2) * dim}, 11);
  const Tensor q = unflatten(narrow(fused, 1, dim, heads * dim), 1, {heads, dim});
  const Tensor w = random({dim}, 12);
  EXPECT_FALSE(q.is_contiguous());
  EXPECT_TRUE(same_bits(rms_norm(q, w, 1e-6), rms_norm(contiguous(q), w, 1e-6)));
  const Tensor a = clone(q).set_requires_grad(), b = clone(fused).set_requires_grad();
  const Tensor c = random({tokens, heads, dim}, 13);
  const Tensor g = grad({sum(rms_norm(a, w, 1e-6) * c)}, {a})[0];
  const Tensor from_view = unflatten(narrow(b, 1, dim, heads * dim), 1, {heads, dim});
  const Tensor h = grad({sum(rms_norm(from_view, w, 1e-6) * c)}, {b})[0];
  EXPECT_TRUE(same_bits(unflatten(narrow(h, 1, dim, heads * dim), 1, {heads, dim}), g));
  EXPECT_TRUE(
      same_bits(rms_norm(transpose(fused, 0, 1), {}, 1e-6), rms_norm(contiguous(transpose(fused, 0, 1)), {}, 1e-6)));
}

TEST_F(Norm, RowsDoNotDependOnOthers) {
  const Tensor x = random({150, 576}, 14), w = random({576}, 15), b = random({576}, 16);
  each_isa([&] {
    const Tensor all = rms_norm(x, w, 1e-6), layer = layer_norm(x, w, b, 1e-6);
    for (int64_t r : {0, 1, 77, 149}) {
      ASSERT_TRUE(same_bits(rms_norm(narrow(x, 0, r, 1), w, 1e-6), narrow(all, 0, r, 1)));
      ASSERT_TRUE(same_bits(layer_norm(narrow(x, 0, r, 1), w, b, 1e-6), narrow(layer, 0, r, 1)));
    }
  });
  expect_thread_invariant([&]() -> TensorList {
    const TensorList xs = leaves({x, w, b});
    const Tensor y = layer_norm(xs[0], xs[1], xs[2], 1e-6), z = rms_norm(xs[0], xs[1], 1e-6);
    TensorList results = grad({sum(y * y * z)}, xs);
    results.push_back(y.detach());
    results.push_back(z.detach());
    return results;
  });
}

/// f over the last dimensions of `normalized_shape`, flattened into one.
Tensor over(const frozen::Keywords& k, const TensorList& x,
            const std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)>& f) {
  int64_t n = 1;
  for (int64_t size : k.integers("normalized_shape")) n *= size;
  const auto flat = [&](size_t i) { return i < x.size() ? reshape(x[i], {n}) : Tensor(); };
  return reshape(f(reshape(x[0], {-1, n}), flat(1), flat(2)), x[0].shape());
}

TEST_F(Norm, PyTorchsFrozenCases) {
  check_frozen("rms_norm", [](const TensorList& x, const frozen::Keywords& k) -> TensorList {
    return {over(k, x,
                 [&](const Tensor& v, const Tensor& w, const Tensor&) { return rms_norm(v, w, k.number("eps", 0)); })};
  });
  // One case lies 1000 from zero, where float32 knows the mean to 6e-5.
  check_frozen(
      "layer_norm",
      [](const TensorList& x, const frozen::Keywords& k) -> TensorList {
        return {over(k, x, [&](const Tensor& v, const Tensor& w, const Tensor& b) {
          return layer_norm(v, w, b, k.number("eps", 0));
        })};
      },
      1e-4);
}

TEST_F(Norm, EmptyAndWrong) {
  EXPECT_EQ(rms_norm(zeros({0, 4}), zeros({4}), 1e-6).shape(), (Shape{0, 4}));
  const Tensor x = zeros({0, 4}).set_requires_grad(), w = ones({4}).set_requires_grad();
  const TensorList g = grad({sum(rms_norm(x, w, 1e-6))}, {x, w});
  EXPECT_EQ(to_vector<float>(g[1]), (std::vector<float>{0, 0, 0, 0}));
  EXPECT_THROW(rms_norm(zeros({2, 4}), zeros({3}), 1e-6), ShapeError);
  EXPECT_THROW(rms_norm(zeros({2, 4}), zeros({1, 4}), 1e-6), ShapeError);
  EXPECT_THROW(rms_norm(zeros({}), {}, 1e-6), ShapeError);
  EXPECT_THROW(rms_norm(zeros({2, 4}), zeros({4}, Dtype::float64), 1e-6), DtypeError);
  EXPECT_THROW(layer_norm(zeros({2, 4}, Dtype::int64), {}, {}, 1e-6), DtypeError);
}

}  // namespace
}  // namespace hearth
