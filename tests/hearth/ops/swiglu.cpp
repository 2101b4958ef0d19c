// SwiGLU: values, derivatives, fused layout, bits and errors.
#include "hearth/ops/swiglu.h"

#include "hearth/ops/frozen_by_dtype.h"
#include "hearth/ops/fused_check.h"

namespace hearth {
namespace {

using namespace fused_check;

class Swiglu : public Machine {};

TEST_F(Swiglu, ValuesOfEveryLengthAndDtype) {
  each_isa([] {
    for (auto [dtype, tolerance] : {std::pair{Dtype::float64, 1e-14}, std::pair{Dtype::float32, 1e-6},
                                    std::pair{Dtype::bfloat16, 4e-3}, std::pair{Dtype::float16, 5e-4}})
      for (int64_t n : {1, 3, 16, 17, 100, 1536}) {
        const Tensor gate = random({3, n}, 1, dtype, 30), up = random({3, n}, 2, dtype, 4);
        const std::vector<double> y = to_vector<double>(swiglu(gate, up)), g = to_vector<double>(gate),
                                  u = to_vector<double>(up);
        for (size_t i = 0; i < y.size(); ++i) {
          const double expected = g[i] / (1 + std::exp(-g[i])) * u[i];
          ASSERT_NEAR(y[i], expected, tolerance * std::fabs(expected) + 1e-7) << dtype << " " << n;
        }
      }
    const std::vector<float> far = to_vector<float>(swiglu(from_values<float>({1000, -1000}), ones({2})));
    EXPECT_EQ(far[0], 1000);
    EXPECT_EQ(far[1], 0);
  });
}

TEST_F(Swiglu, Derivatives) {
  const Tensor gate = random({2, 5}, 3, Dtype::float64, 3), up = random({2, 5}, 4, Dtype::float64);
  expect_gradients([](const TensorList& x) { return swiglu(x[0], x[1]); }, {gate, up});
  expect_gradients([](const TensorList& x) { return swiglu_packed(x[0]); }, {random({2, 3, 10}, 5, Dtype::float64, 3)});
}

TEST_F(Swiglu, PackedIsTheSameBits) {
  for (int64_t n : {3, 64, 100}) {
    const Tensor both = random({6, 2 * n}, 6, Dtype::float32, 4);
    const Tensor gate = narrow(both, 1, 0, n), up = narrow(both, 1, n, n);
    each_isa([&] {
      ASSERT_TRUE(same_bits(swiglu_packed(both), swiglu(gate, up)));
      ASSERT_TRUE(same_bits(swiglu(gate, up), swiglu(contiguous(gate), contiguous(up))));
      const TensorList xs = leaves({gate, up}), packed = leaves({both});
      const Tensor c = random({6, n}, 7);
      const TensorList g = grad({sum(swiglu(xs[0], xs[1]) * c)}, xs),
                       p = grad({sum(swiglu_packed(packed[0]) * c)}, packed);
      ASSERT_TRUE(same_bits(narrow(p[0], 1, 0, n), g[0]));
      ASSERT_TRUE(same_bits(narrow(p[0], 1, n, n), g[1]));
    });
  }
}

TEST_F(Swiglu, BitsDoNotDependOnNeighbours) {
  const Tensor gate = random({90, 203}, 8, Dtype::float32, 5), up = random({90, 203}, 9);
  each_isa([&] {
    const Tensor all = swiglu(gate, up);
    for (int64_t c : {0, 7, 16, 202})  // alone an element meets the masked tail, in its row the vector body
      ASSERT_TRUE(same_bits(swiglu(narrow(gate, 1, c, 1), narrow(up, 1, c, 1)), narrow(all, 1, c, 1)));
  });
  expect_thread_invariant([&]() -> TensorList {
    const TensorList xs = leaves({gate, up});
    const Tensor y = swiglu(xs[0], xs[1]);
    TensorList results = grad({sum(y * y)}, xs);
    results.push_back(y.detach());
    return results;
  });
}

TEST_F(Swiglu, PyTorchsFrozenCases) {
  check_frozen("swiglu",
               [](const TensorList& x, const frozen::Keywords&) -> TensorList { return {swiglu(x[0], x[1])}; });
}

TEST_F(Swiglu, EmptyAndWrong) {
  EXPECT_EQ(swiglu(zeros({0, 4}), zeros({0, 4})).shape(), (Shape{0, 4}));
  EXPECT_EQ(swiglu_packed(zeros({3, 0})).shape(), (Shape{3, 0}));
  EXPECT_THROW(swiglu(zeros({2, 4}), zeros({2, 3})), ShapeError);
  EXPECT_THROW(swiglu(zeros({4}), zeros({4}, Dtype::float64)), DtypeError);
  EXPECT_THROW(swiglu(zeros({4}, Dtype::int64), zeros({4}, Dtype::int64)), DtypeError);
  EXPECT_THROW(swiglu_packed(zeros({2, 3})), ShapeError);
  EXPECT_THROW(swiglu_packed(zeros({})), ShapeError);
}

}  // namespace
}  // namespace hearth
