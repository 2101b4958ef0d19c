// Softmax and log-softmax: values, dimensions, dtypes, derivatives, bits and errors.
#include "hearth/ops/softmax.h"

#include "hearth/ops/frozen_by_dtype.h"
#include "hearth/ops/fused_check.h"

namespace hearth {
namespace {

using namespace fused_check;

class Softmax : public Machine {};

/// The definition in float64 over the last dimension.
std::vector<double> reference(const Tensor& x, bool log) {
  std::vector<double> y = to_vector<double>(x);
  const size_t n = size_t(x.size(-1));
  for (size_t r = 0; r < y.size() / n; ++r) {
    double* row = y.data() + r * n;
    double top = row[0], total = 0;
    for (size_t i = 0; i < n; ++i) top = std::max(top, row[i]);
    for (size_t i = 0; i < n; ++i) total += std::exp(row[i] - top);
    for (size_t i = 0; i < n; ++i) row[i] = log ? row[i] - top - std::log(total) : std::exp(row[i] - top) / total;
  }
  return y;
}

TEST_F(Softmax, ValuesOfEveryLengthAndDtype) {
  struct Case {
    Dtype dtype;
    double tolerance;
  };
  each_isa([] {
    for (const Case& c : {Case{Dtype::float64, 1e-14}, Case{Dtype::float32, 3e-6}, Case{Dtype::bfloat16, 8e-3},
                          Case{Dtype::float16, 1e-3}})
      for (int64_t n : {1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 200, 5000}) {
        const Tensor x = random({3, n}, uint64_t(n), c.dtype, 8);
        for (bool log : {false, true}) {
          const std::vector<double> y = to_vector<double>(log ? log_softmax(x, -1) : softmax(x, -1));
          const std::vector<double> expected = reference(x, log);
          for (size_t i = 0; i < y.size(); ++i)
            ASSERT_NEAR(y[i], expected[i], c.tolerance * (1 + std::fabs(expected[i])))
                << c.dtype << " length " << n << " log " << log << " element " << i;
        }
      }
  });
}

TEST_F(Softmax, AnyDimension) {
  const Tensor x = random({3, 4, 5}, 1, Dtype::float64);
  for (int64_t dim : {0, 1, 2, -1, -2, -3}) {
    const Tensor expected = movedim(softmax(contiguous(movedim(x, dim, -1)), -1), -1, dim);
    const Tensor y = softmax(x, dim);
    EXPECT_TRUE(y.is_contiguous());
    EXPECT_TRUE(same_bits(y, expected)) << dim;
    EXPECT_TRUE(same_bits(softmax(transpose(transpose(x, 0, 1), 0, 1), dim), y));
  }
  EXPECT_EQ(softmax(scalar_tensor(3.0, Dtype::float64), 0).item(), 1.0);
  EXPECT_EQ(log_softmax(scalar_tensor(3.0), -1).item(), 0.0);
  EXPECT_EQ(softmax(zeros({0, 4}), 1).shape(), (Shape{0, 4}));
  EXPECT_EQ(softmax(zeros({4, 0}), 1).shape(), (Shape{4, 0}));
  EXPECT_EQ(softmax(zeros({4, 0}), 0).shape(), (Shape{4, 0}));
}

TEST_F(Softmax, InfinitiesAndNan) {
  each_isa([] {
    const float inf = INFINITY;
    const std::vector<float> p = to_vector<float>(softmax(from_values<float>({0, -inf, 0, 1000}, {2, 2}), -1));
    EXPECT_EQ(p, (std::vector<float>{1, 0, 0, 1}));
    for (float bad : {inf, float(NAN)}) {
      for (int64_t at : {0, 5, 18}) {
        Tensor x = zeros({1, 19});
        x.data<float>()[at] = bad;
        for (float v : to_vector<float>(softmax(x, -1)))
          if (std::isnan(bad)) {
            ASSERT_TRUE(std::isnan(v));
          }
        ASSERT_TRUE(std::isnan(to_vector<float>(softmax(x, -1))[size_t(at)]));
      }
    }
    ASSERT_TRUE(std::isnan(to_vector<float>(softmax(full({2}, -INFINITY), 0))[0]));
  });
}

TEST_F(Softmax, Derivatives) {
  for (int64_t dim : {0, 1}) {
    expect_gradients([&](const TensorList& x) { return softmax(x[0], dim); }, {random({3, 5}, 2, Dtype::float64, 2)});
    expect_gradients([&](const TensorList& x) { return log_softmax(x[0], dim); },
                     {random({3, 5}, 3, Dtype::float64, 2)});
  }
  // Float32 rows longer than a register, against the float64 path.
  for (bool log : {false, true}) {
    const auto f = [&](const Tensor& x) { return log ? log_softmax(x, -1) : softmax(x, -1); };
    const Tensor wide = random({4, 77}, 4, Dtype::float64, 3).set_requires_grad();
    const Tensor x = to(wide.detach(), Dtype::float32).set_requires_grad();
    const Tensor weights = random({4, 77}, 5);
    const TensorList g = grad({sum(f(x) * weights)}, {x}),
                     expected = grad({sum(f(wide) * to(weights, Dtype::float64))}, {wide});
    expect_close(g[0], expected[0], 1e-5, 1e-6);
  }
}

TEST_F(Softmax, RowsDoNotDependOnOthers) {
  const Tensor x = random({50, 1003}, 6, Dtype::float32, 5);
  each_isa([&] {
    for (bool log : {false, true}) {
      const auto f = [&](const Tensor& rows) { return log ? log_softmax(rows, -1) : softmax(rows, -1); };
      const Tensor all = f(x);
      for (int64_t r : {0, 1, 17, 49}) ASSERT_TRUE(same_bits(f(narrow(x, 0, r, 1)), narrow(all, 0, r, 1))) << r;
    }
  });
  expect_thread_invariant([&]() -> TensorList {
    const Tensor leaf = clone(x).set_requires_grad();
    const Tensor y = softmax(leaf, -1), z = log_softmax(leaf, -1);
    return {y.detach(), z.detach(), grad({sum(y * z)}, {leaf})[0]};
  });
}

TEST_F(Softmax, PyTorchsFrozenCases) {
  check_frozen("softmax", [](const TensorList& x, const frozen::Keywords& k) -> TensorList {
    return {softmax(x[0], k.integer("dim", -1))};
  });
  check_frozen("log_softmax", [](const TensorList& x, const frozen::Keywords& k) -> TensorList {
    return {log_softmax(x[0], k.integer("dim", -1))};
  });
}

TEST_F(Softmax, Errors) {
  EXPECT_THROW(softmax(arange(0, 4), 0), DtypeError);
  EXPECT_THROW(softmax(zeros({2, 3}), 2), IndexError);
  EXPECT_THROW(log_softmax(zeros({2, 3}), -3), IndexError);
}

}  // namespace
}  // namespace hearth
