// Rotary embedding: values, derivatives, views, bits and errors.
#include "hearth/ops/rotary.h"

#include "hearth/ops/frozen_by_dtype.h"
#include "hearth/ops/fused_check.h"

namespace hearth {
namespace {

using namespace fused_check;

class Rotary : public Machine {};

Tensor frequencies(int64_t half) {
  Tensor f = Tensor::empty({half});
  for (int64_t i = 0; i < half; ++i) f.data<float>()[i] = float(std::pow(10000.0, -double(i) / double(half)));
  return f;
}

TEST_F(Rotary, Values) {
  each_isa([] {
    for (int64_t dim : {2, 6, 64, 80, 128, 256})
      for (int64_t half : {dim / 2, dim / 4}) {
        const RotaryTable table = rotary_table(frequencies(half), 300, 1.25);
        const Tensor x = random({4, 3, dim}, uint64_t(dim));
        const std::vector<int64_t> positions = {0, 1, 17, 299};
        const std::vector<double> y = to_vector<double>(rotary(x, integers(positions), table)),
                                  from = to_vector<double>(x);
        for (int64_t t = 0; t < 4; ++t)
          for (int64_t h = 0; h < 3; ++h)
            for (int64_t i = 0; i < dim; ++i) {
              const double* row = from.data() + (t * 3 + h) * dim;
              double expected = row[i];
              if (i < 2 * half) {
                const float angle = float(positions[size_t(t)]) * frequencies(half).data<float>()[i % half];
                const double c = 1.25 * std::cos(double(angle)), s = 1.25 * std::sin(double(angle));
                expected = i < half ? row[i] * c - row[i + half] * s : row[i] * c + row[i - half] * s;
              }
              ASSERT_NEAR(y[size_t((t * 3 + h) * dim + i)], expected, 4e-7)
                  << dim << " " << half << " " << t << " " << i;
            }
      }
  });
}

TEST_F(Rotary, Derivatives) {
  const RotaryTable table = rotary_table(frequencies(3), 20, 0.7);
  for (int64_t dim : {6, 9})
    expect_gradients(
        [&](const TensorList& x) {
          return mul(rotary(x[0], integers({3, 19}), table), x[0]);
        },
        {random({2, 2, dim}, 1, Dtype::float64)});
}

TEST_F(Rotary, ViewsAreReadInPlace) {
  const RotaryTable table = rotary_table(frequencies(20), 20);
  const Tensor fused = random({5, 200}, 2);
  const Tensor q = unflatten(narrow(fused, 1, 40, 120), 1, {3, 40});
  const Tensor positions = integers({0, 5, 1, 2, 7});
  EXPECT_TRUE(same_bits(rotary(q, positions, table), rotary(contiguous(q), positions, table)));
  const Tensor strange = transpose(random({3, 40, 5}, 3), 0, 2);  // last stride not 1
  EXPECT_TRUE(same_bits(rotary(transpose(strange, 1, 2), positions, table),
                        rotary(contiguous(transpose(strange, 1, 2)), positions, table)));
}

TEST_F(Rotary, BitsDoNotDependOnNeighbours) {
  const RotaryTable table = rotary_table(frequencies(32), 500);
  const Tensor x = random({300, 9, 64}, 4);
  const Tensor positions = arange(0, 300);
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    const Tensor input = to(x, dtype);
    each_isa([&] {
      const Tensor all = rotary(input, positions, table);
      for (int64_t t : {0, 1, 150, 299})
        ASSERT_TRUE(same_bits(rotary(narrow(input, 0, t, 1), narrow(positions, 0, t, 1), table), narrow(all, 0, t, 1)));
    });
    expect_thread_invariant([&]() -> TensorList {
      const Tensor leaf = clone(input).set_requires_grad();
      const Tensor y = rotary(leaf, positions, table);
      return {y.detach(), grad({sum(y * y * y)}, {leaf})[0]};
    });
  }
}

TEST_F(Rotary, PyTorchsFrozenCases) {
  // The angle is a float32 product here and a float64 one there: up to 1000 * 6e-8 apart.
  frozen::check_op("rotary_half",
                   [](const TensorList& x, const frozen::Keywords& k) -> TensorList {
                     const int64_t half = x[0].size(-1) / 2, offset = k.integer("offset", 0), tokens = x[0].size(0);
                     Tensor f = Tensor::empty({half});
                     for (int64_t i = 0; i < half; ++i)
                       f.data<float>()[i] = float(std::pow(k.number("theta", 10000), -double(i) / double(half)));
                     return {rotary(x[0], arange(offset, offset + tokens), rotary_table(f, offset + tokens))};
                   },
                   {1e-4, 1e-4});
}

TEST_F(Rotary, EmptyAndWrong) {
  const RotaryTable table = rotary_table(frequencies(4), 10);
  EXPECT_EQ(rotary(zeros({0, 2, 8}), integers({}), table).shape(), (Shape{0, 2, 8}));
  EXPECT_THROW(rotary(zeros({1, 2, 8}), integers({10}), table), IndexError);
  EXPECT_THROW(rotary(zeros({1, 2, 8}), integers({-1}), table), IndexError);
  EXPECT_THROW(rotary(zeros({1, 2, 8}), integers({1, 2}), table), ShapeError);
  EXPECT_THROW(rotary(zeros({1, 2, 6}), integers({1}), table), ShapeError);
  EXPECT_THROW(rotary(zeros({1, 8}), integers({1}), table), ShapeError);
  EXPECT_THROW(rotary(zeros({1, 2, 8}), zeros({1}), table), DtypeError);
  EXPECT_THROW(rotary(zeros({1, 2, 8}, Dtype::int32), integers({1}), table), DtypeError);
  EXPECT_THROW(rotary_table(frequencies(4), 0), ValueError);
  EXPECT_THROW(rotary_table(zeros({2, 2}), 4), ShapeError);
  EXPECT_THROW(rotary_table(zeros({2}, Dtype::float64), 4), DtypeError);
}

}  // namespace
}  // namespace hearth
