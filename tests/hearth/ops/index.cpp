// Integer indices along one dimension: PyTorch's values, derivatives, order of sums, wrong input.
#include "hearth/ops/index.h"

#include <gtest/gtest.h>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"
#include "hearth/ops/inplace.h"

namespace hearth {
namespace {

using frozen::Keywords;
using fused_check::random;

Tensor ids(std::initializer_list<int64_t> values, const Shape& shape) { return from_values<int64_t>(values, shape); }

TEST(Index, AgreesWithPyTorch) {
  frozen::check_op("gather", [](const TensorList& x, const Keywords& k) {
    return TensorList{gather(x[0], k.integer("dim", 0), x[1])};
  });
  frozen::check_op("scatter", [](const TensorList& x, const Keywords& k) {
    const int64_t dim = k.integer("dim", 0);
    return TensorList{k.has("value") ? scatter(x[0], dim, x[1], k.number("value", 0)) : scatter(x[0], dim, x[1], x[2])};
  });
  frozen::check_op("scatter_add", [](const TensorList& x, const Keywords& k) {
    return TensorList{scatter_add(x[0], k.integer("dim", 0), x[1], x[2])};
  });
  frozen::check_op("index_select", [](const TensorList& x, const Keywords& k) {
    return TensorList{index_select(x[0], k.integer("dim", 0), x[1])};
  });
  frozen::check_op("index_add", [](const TensorList& x, const Keywords& k) {
    return TensorList{index_add(x[0], k.integer("dim", 0), x[1], x[2], k.number("alpha", 1))};
  });
  frozen::check_op("index_copy", [](const TensorList& x, const Keywords& k) {
    return TensorList{index_copy(x[0], k.integer("dim", 0), x[1], x[2])};
  });
  frozen::check_op("index_fill", [](const TensorList& x, const Keywords& k) {
    return TensorList{index_fill(x[0], k.integer("dim", 0), x[1], k.number("value", 0))};
  });
  frozen::check_op("take", [](const TensorList& x, const Keywords&) { return TensorList{take(x[0], x[1])}; });
  frozen::check_op("take_along_dim", [](const TensorList& x, const Keywords& k) {
    return TensorList{take_along_dim(x[0], x[1], k.integer("dim", 0))};
  });
}

TEST(Index, Derivatives) {
  const Tensor x = random({3, 4}, 1, Dtype::float64).set_requires_grad();
  const Tensor s = random({3, 4}, 2, Dtype::float64).set_requires_grad();
  const Tensor rows = ids({2, 0, 2}, {3}), cells = ids({0, 2, 1, 1, 0, 0, 2, 2, 1, 1, 1, 0}, {3, 4});
  const std::vector<TensorFunction> functions = {
      [&](const TensorList& v) { return TensorList{tanh(index_select(v[0], 0, rows)) * v[1]}; },
      [&](const TensorList& v) { return TensorList{tanh(gather(v[0], 0, cells)) * v[1]}; },
      [&](const TensorList& v) { return TensorList{tanh(scatter_add(v[0], 0, cells, v[1] * v[0]))}; },
      [&](const TensorList& v) { return TensorList{tanh(index_add(v[0], 0, rows, v[1] * v[1], 0.5))}; },
      [&](const TensorList& v) {
        return TensorList{tanh(index_copy(v[0], 0, ids({1, 0, 2}, {3}), v[1])) * v[0]};
      },
      [&](const TensorList& v) {
        return TensorList{tanh(index_fill(v[0], 1, ids({1, 3}, {2}), sum(v[1])))};
      },
      [&](const TensorList& v) {
        return TensorList{tanh(scatter(v[0], 1, ids({0, 2, 1, 3, 3, 0}, {3, 2}), v[1])) * v[0]};
      },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x, s}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x, s}), 1e-6) << i;
  }
}

TEST(Index, EveryDtype) {
  for (Dtype dtype : {Dtype::boolean, Dtype::uint8, Dtype::int8, Dtype::int16, Dtype::int32, Dtype::int64,
                      Dtype::float16, Dtype::bfloat16, Dtype::float32, Dtype::float64}) {
    const Tensor x = to(ids({1, 0, 1, 1, 0, 0}, {3, 2}), dtype);
    EXPECT_EQ(to_vector<int64_t>(index_select(x, 0, ids({2, 0}, {2}))), (std::vector<int64_t>{0, 0, 1, 0})) << dtype;
    EXPECT_EQ(to_vector<int64_t>(gather(x, 1, ids({1, 0, 0}, {3, 1}))), (std::vector<int64_t>{0, 1, 0})) << dtype;
    const Tensor sums = scatter_add(zeros({2}, dtype), 0, ids({1, 1, 0}, {3}), to(ids({1, 1, 0}, {3}), dtype));
    EXPECT_EQ(to_vector<int64_t>(sums), (std::vector<int64_t>{0, dtype == Dtype::boolean ? 1 : 2})) << dtype;
    const Tensor index = to(ids({2, 0}, {2}), Dtype::int32);
    EXPECT_EQ(index_select(x, 0, index).dtype(), dtype);
  }
}

TEST(Index, LastWriterWinsAndSumsKeepTheirOrder) {
  const Tensor x = zeros({2}, Dtype::float32);
  EXPECT_EQ(to_vector<float>(scatter(x, 0, ids({1, 1, 1}, {3}), from_values<float>({1, 2, 3}))),
            (std::vector<float>{0, 3}));
  // 1e8 + 1 + 1 - 1e8 depends on the order in float32: from left to right it is 0.
  EXPECT_EQ(scatter_add(x, 0, ids({1, 1, 1, 1}, {4}), from_values<float>({1e8f, 1, 1, -1e8f})).data<float>()[1], 0);
  const Tensor rows = Tensor::empty({5000}, Dtype::int64);
  for (int64_t i = 0; i < 5000; ++i) rows.data<int64_t>()[i] = i * 7919 % 13;
  const Tensor src = random({5000, 130}, 3);
  const int threads = cpu::num_threads();
  std::vector<Tensor> sums;
  for (int count : {1, 2, 3}) {
    cpu::set_num_threads(count);
    sums.push_back(index_add(zeros({13, 130}), 0, rows, src));
    EXPECT_TRUE(fused_check::same_bits(sums[0], sums.back())) << count;
    const Tensor cells = scatter_add(zeros({13, 130}), 0, expand(reshape(rows, {5000, 1}), {5000, 130}), src);
    EXPECT_TRUE(fused_check::same_bits(sums[0], cells)) << count;
  }
  cpu::set_num_threads(threads);
}

TEST(Index, WritesInPlace) {
  Tensor leaf = from_values<double>({1, 2, 3}).set_requires_grad();
  Tensor x = leaf * 2;
  Tensor src = from_values<double>({10, 20}).set_requires_grad();
  index_add_(x, 0, ids({2, 0}, {2}), src);
  scatter_(narrow(x, 0, 1, 2), 0, ids({0}, {1}), 7.0);
  EXPECT_EQ(to_vector<double>(x.detach()), (std::vector<double>{22, 7, 16}));
  backward(sum(x * x));
  EXPECT_EQ(to_vector<double>(leaf.grad()), (std::vector<double>{88, 0, 64}));
  EXPECT_EQ(to_vector<double>(src.grad()), (std::vector<double>{32, 44}));
}

TEST(Index, EmptyAndZeroDim) {
  EXPECT_EQ(index_select(zeros({3, 2}), 0, zeros({0}, Dtype::int64)).shape(), (Shape{0, 2}));
  EXPECT_EQ(index_select(zeros({3, 0}), 0, ids({1}, {1})).shape(), (Shape{1, 0}));
  EXPECT_EQ(gather(zeros({0, 3}), 0, zeros({0, 2}, Dtype::int64)).shape(), (Shape{0, 2}));
  EXPECT_EQ(gather(scalar_tensor(5.0), 0, ids({0}, {})).item(), 5);
  EXPECT_EQ(scatter(scalar_tensor(5.0), 0, ids({0}, {}), 3.0).item(), 3);
}

TEST(Index, RefusesWrongInput) {
  const Tensor x = zeros({3, 4});
  try {
    index_select(x, 1, ids({0, 4}, {2}));
    FAIL();
  } catch (const IndexError& error) {
    EXPECT_STREQ(error.what(), "index_select: index 4 is out of bounds for dimension 1 with size 4");
  }
  EXPECT_THROW(gather(x, 0, ids({-1}, {1, 1})), IndexError);
  EXPECT_THROW(gather(x, 0, ids({0}, {1})), ShapeError);
  EXPECT_THROW(gather(x, 0, zeros({1, 5}, Dtype::int64)), ShapeError);
  EXPECT_THROW(gather(x, 2, ids({0}, {1, 1})), IndexError);
  EXPECT_THROW(gather(x, 0, zeros({1, 1})), DtypeError);
  EXPECT_THROW(scatter(x, 0, ids({3}, {1, 1}), 1), IndexError);
  EXPECT_THROW(scatter(x, 0, ids({0, 1}, {2, 1}), zeros({1, 1})), ShapeError);
  EXPECT_THROW(scatter_add(x, 0, ids({0}, {1, 1}), zeros({1, 1}, Dtype::float64)), DtypeError);
  EXPECT_THROW(index_add(x, 0, ids({0}, {1}), zeros({2, 4})), ShapeError);
  EXPECT_THROW(take(x, ids({12}, {1})), IndexError);
  EXPECT_THROW(take(x, ids({-13}, {1})), IndexError);
}

}  // namespace
}  // namespace hearth
