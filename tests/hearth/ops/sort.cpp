// Order: PyTorch's values, NaN, ties, derivatives, naive references, wrong input.
#include "hearth/ops/sort.h"

#include <gtest/gtest.h>

#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

TEST(Sort, AgreesWithPyTorch) {
  frozen::check_op("sort", [](const TensorList& x, const Keywords& k) {
    const Ordered y = sort(x[0], k.integer("dim", -1), k.flag("descending", false), k.flag("stable", false));
    return TensorList{y.values, y.indices};
  });
  frozen::check_op("argsort", [](const TensorList& x, const Keywords& k) {
    return TensorList{argsort(x[0], k.integer("dim", -1), k.flag("descending", false))};
  });
  frozen::check_op("topk", [](const TensorList& x, const Keywords& k) {
    const Ordered y = topk(x[0], k.integer("k", 1), k.integer("dim", -1), k.flag("largest", true));
    return TensorList{y.values, y.indices};
  });
  frozen::check_op("kthvalue", [](const TensorList& x, const Keywords& k) {
    const Ordered y = kthvalue(x[0], k.integer("k", 1), k.integer("dim", -1), k.flag("keepdim", false));
    return TensorList{y.values, y.indices};
  });
  frozen::check_op("unique", [](const TensorList& x, const Keywords&) {
    const Unique y = unique(x[0]);
    return TensorList{y.values, y.inverse, y.counts};
  });
  frozen::check_op("bincount", [](const TensorList& x, const Keywords& k) {
    return TensorList{bincount(x[0], x.size() > 1 ? x[1] : Tensor(), k.integer("minlength", 0))};
  });
  frozen::check_op("searchsorted", [](const TensorList& x, const Keywords& k) {
    return TensorList{searchsorted(x[0], x[1], k.flag("right", false))};
  });
}

TEST(Sort, NanIsLargestAndTiesKeepTheirOrder) {
  const Tensor x = from_values<float>({nan, 1, -inf, nan, 1, inf, -0.f, 0.f});
  EXPECT_EQ(to_vector<int64_t>(argsort(x)), (std::vector<int64_t>{2, 6, 7, 1, 4, 5, 0, 3}));
  EXPECT_EQ(to_vector<int64_t>(argsort(x, 0, true)), (std::vector<int64_t>{0, 3, 5, 1, 4, 6, 7, 2}));
  EXPECT_EQ(to_vector<int64_t>(topk(x, 4).indices), (std::vector<int64_t>{0, 3, 5, 1}));
  EXPECT_EQ(to_vector<int64_t>(topk(x, 4, 0, false).indices), (std::vector<int64_t>{2, 6, 7, 1}));
  EXPECT_EQ(kthvalue(x, 3).values.item(), 0);
  EXPECT_EQ(unique(from_values<float>({nan, 1, nan, 1})).values.shape(), (Shape{3}));
}

TEST(Sort, EveryDtypeAndLayout) {
  for (Dtype dtype : {Dtype::boolean, Dtype::uint8, Dtype::int8, Dtype::int16, Dtype::int32, Dtype::int64,
                      Dtype::float16, Dtype::bfloat16, Dtype::float32, Dtype::float64}) {
    const Tensor x = transpose(to(from_values<int64_t>({1, 0, 0, 1, 1, 0}, {2, 3}), dtype), 0, 1);
    const Ordered y = sort(x, 0);
    EXPECT_EQ(y.values.dtype(), dtype);
    EXPECT_EQ(to_vector<int64_t>(y.values), (std::vector<int64_t>{0, 0, 0, 1, 1, 1})) << dtype;
    EXPECT_EQ(to_vector<int64_t>(y.indices), (std::vector<int64_t>{1, 2, 2, 0, 0, 1})) << dtype;
  }
  EXPECT_EQ(sort(zeros({0, 3})).values.shape(), (Shape{0, 3}));
  EXPECT_EQ(sort(zeros({3, 0})).values.shape(), (Shape{3, 0}));
  EXPECT_EQ(topk(zeros({3, 2}), 0).values.shape(), (Shape{3, 0}));
  EXPECT_EQ(sort(scalar_tensor(2.0)).values.item(), 2);
  const Tensor big = Tensor::empty({2}, Dtype::int64);
  big.data<int64_t>()[0] = (int64_t(1) << 60) + 1;
  big.data<int64_t>()[1] = int64_t(1) << 60;
  EXPECT_EQ(to_vector<int64_t>(argsort(big)), (std::vector<int64_t>{1, 0}));
}

TEST(Sort, Derivatives) {
  const Tensor x = fused_check::random({3, 5}, 4, Dtype::float64).set_requires_grad();
  const std::vector<TensorFunction> functions = {
      [](const TensorList& v) { return TensorList{tanh(sort(v[0], 0, true).values) * v[0]}; },
      [](const TensorList& v) { return TensorList{tanh(topk(v[0] * v[0], 2, 1).values)}; },
      [](const TensorList& v) { return TensorList{tanh(kthvalue(v[0] * v[0], 2, 1).values)}; },
      [](const TensorList& v) { return TensorList{tanh(msort(v[0] * v[0]))}; },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x}), 1e-6) << i;
  }
}

TEST(Sort, SameOnAnyNumberOfThreads) {
  const Tensor x = fused_check::random({300, 100}, 8);
  const int threads = cpu::num_threads();
  cpu::set_num_threads(1);
  const Tensor alone = argsort(x);
  cpu::set_num_threads(3);
  EXPECT_TRUE(fused_check::same_bits(alone, argsort(x)));
  cpu::set_num_threads(threads);
  for (int64_t r = 0; r < 300; r += 37) {
    const std::vector<float> row = to_vector<float>(select(sort(x).values, 0, r));
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
  }
}

TEST(Sort, Histogram) {
  const Tensor x = from_values<float>({0, 1, 1.99f, 2, 4, 5, -1, nan});
  EXPECT_EQ(to_vector<float>(histc(x, 4, 0, 4)), (std::vector<float>{1, 2, 1, 1}));
  EXPECT_EQ(to_vector<float>(histc(from_values<float>({1, 2, 3, 3}), 2)), (std::vector<float>{1, 3}));
  EXPECT_EQ(to_vector<float>(histc(from_values<float>({5}), 3)), (std::vector<float>{0, 1, 0}));
  EXPECT_THROW(histc(x, 4), ValueError);
  EXPECT_THROW(histc(x, 0, 0, 1), ValueError);
  EXPECT_THROW(histc(arange(0, 3), 2), DtypeError);
}

TEST(Sort, RefusesWrongInput) {
  EXPECT_THROW(topk(zeros({3}), 4), ValueError);
  EXPECT_THROW(topk(zeros({3}), -1), ValueError);
  EXPECT_THROW(kthvalue(zeros({3}), 0), ValueError);
  EXPECT_THROW(sort(zeros({3}), 1), IndexError);
  EXPECT_THROW(bincount(from_values<int64_t>({1, -1})), ValueError);
  EXPECT_THROW(bincount(zeros({2})), DtypeError);
  EXPECT_THROW(bincount(arange(0, 3), zeros({2})), ShapeError);
  EXPECT_THROW(searchsorted(zeros({2, 3}), zeros({3, 2})), ShapeError);
}

}  // namespace
}  // namespace hearth
