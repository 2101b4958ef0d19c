// Reductions and statistics: PyTorch's values and gradients, ties, NaN, empty dimensions, wrong input.
#include "hearth/ops/reduce.h"

#include "frozen.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;

Dims dims_of(const Keywords& k) { return k.integers("dim"); }
bool keep(const Keywords& k) { return k.flag("keepdim", false); }

void check(const char* op, std::function<TensorList(const Tensor&, const Keywords&)> f, frozen::Tolerance t = {}) {
  SCOPED_TRACE(op);
  frozen::check_op(
      op, [&](const TensorList& x, const Keywords& k) { return f(x[0], k); }, t);
}

TEST(Reduce, FrozenSums) {
  check("sum", [](const Tensor& x, const Keywords& k) { return TensorList{sum(x, dims_of(k), keep(k))}; },
        {.float32 = 1e-3, .float64 = 1e-3});
  check("mean", [](const Tensor& x, const Keywords& k) { return TensorList{mean(x, dims_of(k), keep(k))}; },
        {.float32 = 1e-3, .float64 = 1e-3});
  check("nansum", [](const Tensor& x, const Keywords& k) { return TensorList{nansum(x, dims_of(k), keep(k))}; });
  check("nanmean", [](const Tensor& x, const Keywords& k) { return TensorList{nanmean(x, dims_of(k), keep(k))}; });
  check("prod", [](const Tensor& x, const Keywords& k) { return TensorList{prod(x, dims_of(k), keep(k))}; });
  check("any", [](const Tensor& x, const Keywords& k) { return TensorList{any(x, dims_of(k), keep(k))}; });
  check("all", [](const Tensor& x, const Keywords& k) { return TensorList{all(x, dims_of(k), keep(k))}; });
  check("count_nonzero", [](const Tensor& x, const Keywords& k) { return TensorList{count_nonzero(x, dims_of(k))}; });
}

TEST(Reduce, FrozenExtremes) {
  check("amax", [](const Tensor& x, const Keywords& k) { return TensorList{amax(x, dims_of(k), keep(k))}; });
  check("amin", [](const Tensor& x, const Keywords& k) { return TensorList{amin(x, dims_of(k), keep(k))}; });
  check("max", [](const Tensor& x, const Keywords& k) {
    if (!k.has("dim")) return TensorList{max(x)};
    const ValueIndex r = max(x, k.integer("dim", 0), keep(k));
    return TensorList{r.values, r.indices};
  });
  check("min", [](const Tensor& x, const Keywords& k) {
    if (!k.has("dim")) return TensorList{min(x)};
    const ValueIndex r = min(x, k.integer("dim", 0), keep(k));
    return TensorList{r.values, r.indices};
  });
  const auto dim = [](const Keywords& k) {
    return k.has("dim") ? std::optional<int64_t>(k.integer("dim", 0)) : std::nullopt;
  };
  check("argmax", [&](const Tensor& x, const Keywords& k) { return TensorList{argmax(x, dim(k), keep(k))}; });
  check("argmin", [&](const Tensor& x, const Keywords& k) { return TensorList{argmin(x, dim(k), keep(k))}; });
  check("median", [](const Tensor& x, const Keywords& k) {
    const ValueIndex r = median(x, k.integer("dim", 0), keep(k));
    return TensorList{r.values, r.indices};
  });
}

TEST(Reduce, FrozenStatistics) {
  const auto correction = [](const Keywords& k) { return k.number("correction", 1); };
  check("var",
        [&](const Tensor& x, const Keywords& k) { return TensorList{var(x, dims_of(k), correction(k), keep(k))}; });
  check("std",
        [&](const Tensor& x, const Keywords& k) { return TensorList{std(x, dims_of(k), correction(k), keep(k))}; });
  check("var_mean", [&](const Tensor& x, const Keywords& k) {
    const auto [v, m] = var_mean(x, dims_of(k), correction(k), keep(k));
    return TensorList{v, m};
  });
  check("logsumexp", [](const Tensor& x, const Keywords& k) { return TensorList{logsumexp(x, dims_of(k), keep(k))}; });
  check("norm", [](const Tensor& x, const Keywords& k) {
    return TensorList{norm(x, std::stod(k.text("p", "2")), dims_of(k), keep(k))};
  });
}

TEST(Reduce, FirstAndSecondDerivatives) {
  const Tensor x = from_values<double>({0.3, -1.2, 0.8, 2.1, -0.6, 1.4, 0.9, -2.2, 0.5, 1.1, -0.7, 1.9}, {2, 3, 2})
                       .set_requires_grad();
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> functions[] = {
      {"sum", [](const Tensor& t) { return square(sum(t, {1})); }},
      {"mean",
       [](const Tensor& t) {
         return square(mean(t, {0, 2}, true));
       }},
      {"prod", [](const Tensor& t) { return prod(t, {1}); }},
      {"prod all", [](const Tensor& t) { return prod(t); }},
      {"amax",
       [](const Tensor& t) {
         return square(amax(t, {1, 2}));
       }},
      {"max", [](const Tensor& t) { return square(max(t, 1).values); }},
      {"median", [](const Tensor& t) { return square(median(t, 1, true).values); }},
      {"var", [](const Tensor& t) { return var(t, {1}); }},
      {"std",
       [](const Tensor& t) {
         return std(t, {0, 2}, 0);
       }},
      {"logsumexp", [](const Tensor& t) { return logsumexp(t, {2}); }},
      {"norm 2", [](const Tensor& t) { return norm(t, 2, {1}); }},
      {"norm 3", [](const Tensor& t) { return norm(t, 3); }},
      {"norm 1.5", [](const Tensor& t) { return norm(t, 1.5, {0}); }},
      {"norm 1", [](const Tensor& t) { return square(norm(t, 1, {0})); }},
      {"norm inf", [](const Tensor& t) { return square(norm(t, INFINITY, {1})); }},
  };
  for (const auto& [name, f] : functions) {
    const auto run = [&f = f](const TensorList& in) { return TensorList{f(in[0])}; };
    EXPECT_LT(gradcheck(run, {x}), 1e-6) << name;
    EXPECT_LT(gradgradcheck(run, {x}), 1e-6) << name;
  }
}

TEST(Reduce, EmptyAndWrong) {
  const Tensor none = zeros({0, 3});
  EXPECT_EQ(to_vector<float>(sum(none, {0})), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(sum(none, {1}).shape(), (Shape{0}));
  EXPECT_TRUE(std::isnan(mean(none).item()));
  EXPECT_EQ(amax(none, {1}).shape(), (Shape{0}));
  EXPECT_THROW(amax(none, {0}), IndexError);
  EXPECT_THROW(max(none, 0), IndexError);
  EXPECT_THROW(argmax(none), IndexError);
  EXPECT_THROW(mean(arange(0, 3)), DtypeError);
  EXPECT_THROW(sum(zeros({2, 2}), {0, -2}), ValueError);
  EXPECT_THROW(sum(zeros({2, 2}), {2}), IndexError);
  EXPECT_EQ(sum(zeros({}), {0}).shape(), Shape{});
  EXPECT_TRUE(std::isnan(var(ones({1})).item()));
  EXPECT_EQ(sum(full({1000}, 200, Dtype::uint8)).item_int(), 200000);
}

TEST(Reduce, SixteenBitsAreRoundedOnce) {
  const Tensor x = full({3, 1000}, 1.2421875, Dtype::bfloat16);
  EXPECT_EQ(to_vector<float>(mean(x, {1})), (std::vector<float>{1.2421875, 1.2421875, 1.2421875}));
  EXPECT_EQ(norm(full({1, 4}, 300, Dtype::float16)).item(), 600);
  EXPECT_NEAR(logsumexp(zeros({100000}, Dtype::float16)).item(), std::log(100000.0), 0.01);
  EXPECT_EQ(var(x, {1}).dtype(), Dtype::bfloat16);
}

TEST(Reduce, TiesAndNan) {
  const Tensor x = from_values<double>({3, 1, 3, 2}).set_requires_grad();
  EXPECT_EQ(to_vector<double>(grad({amax(x)}, {x})[0]), (std::vector<double>{0.5, 0, 0.5, 0}));
  EXPECT_EQ(to_vector<double>(grad({max(x, 0).values}, {x})[0]), (std::vector<double>{1, 0, 0, 0}));
  const Tensor y = from_values<double>({3, NAN, 1, NAN});
  EXPECT_EQ(argmax(y).item_int(), 1);
  EXPECT_EQ(median(y, 0).indices.item_int(), 1);
  EXPECT_TRUE(std::isnan(median(y).item()));
  EXPECT_EQ(median(from_values<int64_t>({4, 1, 3, 2})).item_int(), 2);
}

}  // namespace
}  // namespace hearth
