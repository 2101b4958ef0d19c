// Random tensors against PyTorch's frozen streams: integers, uniform numbers, permutations and masks to the bit, normal
// and exponential ones to 1e-6; each draw must also leave the generator where PyTorch leaves it.
#include "hearth/ops/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "hearth/hearth.h"

namespace hearth {
namespace {

const std::string folder = HEARTH_SHARED "/data/torch-rng";
constexpr uint64_t seeds[] = {0, 1, 42, 1337, 2147483653};

class Random : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "shared data is absent: " << folder;
  }
  void TearDown() override { manual_seed(Generator::default_seed); }

  /// Runs `draw` for each seed and compares its numbers and the one that follows.
  void expect(const std::string& key, std::function<Tensor(uint64_t seed)> draw, double tolerance = 0) {
    const auto file = SafetensorsFile::open(folder + "/streams.safetensors");
    for (uint64_t seed : seeds) {
      const std::string name = std::to_string(seed) + "/" + key;
      manual_seed(seed);
      const Tensor seen = draw(seed), expected = file.tensor(name);
      ASSERT_EQ(seen.shape(), expected.shape()) << name;
      ASSERT_EQ(seen.dtype(), expected.dtype()) << name;
      const std::vector<double> a = to_vector<double>(seen), b = to_vector<double>(expected);
      for (size_t i = 0; i < a.size(); ++i)
        ASSERT_LE(std::fabs(a[i] - b[i]), tolerance * (1 + std::fabs(b[i]))) << name << " element " << i;
      ASSERT_EQ(rand({1}).item(), file.tensor(name + "/next").item()) << name << " leaves the generator elsewhere";
    }
  }
};

TEST_F(Random, Uniform) {
  for (int64_t n : {1, 5, 15, 16, 17, 100}) expect("rand_" + std::to_string(n), [&](uint64_t) { return rand({n}); });
  expect("rand_double_17", [](uint64_t) { return rand({17}, Dtype::float64); });
  expect("uniform_inplace_20", [](uint64_t) { return uniform_(empty({20}), -0.7, 0.7); });
  expect("generator_rand_5", [](uint64_t seed) {
    Generator g(seed + 1);
    return rand({5}, Dtype::float32, &g);
  });
}

TEST_F(Random, Normal) {
  for (int64_t n : {1, 5, 15, 16, 17, 100})
    expect(
        "randn_" + std::to_string(n), [&](uint64_t) { return randn({n}); }, 1e-6);
  expect(
      "randn_double_17", [](uint64_t) { return randn({17}, Dtype::float64); }, 1e-6);
  expect(
      "randn_4x5",
      [](uint64_t) {
        return randn({4, 5});
      },
      1e-6);
  expect(
      "normal_inplace_7", [](uint64_t) { return normal_(empty({7}), 1.5, 0.25); }, 1e-6);
  expect(
      "normal_inplace_20", [](uint64_t) { return normal_(empty({20}), 1.5, 0.25); }, 1e-6);
  expect(
      "normal_tensors",
      [](uint64_t) { return normal(to(arange(0, 6), Dtype::float32), to(arange(1, 7), Dtype::float32)); }, 1e-6);
  expect(
      "exponential_inplace_20", [](uint64_t) { return exponential_(empty({20}), 1.5); }, 1e-6);
  expect(
      "nninit_trunc_normal",
      [](uint64_t) {
        return trunc_normal_(empty({6, 5}), 0, 0.02);
      },
      1e-5);
}

TEST_F(Random, Integers) {
  expect("randint_100", [](uint64_t) { return randint(0, 100, {20}); });
  expect("randint_neg", [](uint64_t) { return randint(-5, 6, {20}); });
  expect("randint_large", [](uint64_t) { return randint(0, int64_t(1) << 40, {10}); });
  expect("randperm_10", [](uint64_t) { return randperm(10); });
  expect("randperm_1000", [](uint64_t) { return randperm(1000); });
}

TEST_F(Random, Choices) {
  expect("bernoulli_0.3", [](uint64_t) { return bernoulli(full({20}, 0.3)); });
  expect("bernoulli_inplace_0.3", [](uint64_t) { return bernoulli_(empty({20}), 0.3); });
  const Tensor w = from_values<float>({.1f, 0.f, .3f, .2f, .25f, .05f, .1f, .4f});
  expect("multinomial_with_replacement", [&](uint64_t) { return multinomial(w, 20, true); });
  expect("multinomial_without_replacement", [&](uint64_t) { return multinomial(w, 6); });
  expect("multinomial_one", [&](uint64_t) { return multinomial(w, 1); });
  expect("multinomial_rows", [](uint64_t) {
    return multinomial(reshape(to(arange(1, 13), Dtype::float32), {3, 4}), 2);
  });
  expect("dropout_mask", [](uint64_t) { return dropout(ones({20}), 0.5); });
  expect("dropout_p0.1_mask", [](uint64_t) { return dropout(ones({100}), 0.1); });
}

TEST_F(Random, Sequences) {
  const auto joined = [](std::initializer_list<std::function<Tensor()>> draws) {
    std::vector<float> values;
    for (const auto& draw : draws)
      for (float v : to_vector<float>(draw())) values.push_back(v);
    return from_values<float>(std::span<const float>(values), {int64_t(values.size())});
  };
  const auto r = [](int64_t n) { return [n] { return rand({n}); }; };
  const auto z = [](int64_t n) { return [n] { return randn({n}); }; };
  expect(
      "seq_rand3_randn3_randn20_rand2",
      [&](uint64_t) {
        return joined({r(3), z(3), z(20), r(2)});
      },
      1e-6);
  expect(
      "seq_randn1_x4",
      [&](uint64_t) {
        return joined({z(1), z(1), z(1), z(1)});
      },
      1e-6);
  expect("seq_randperm5_rand3", [&](uint64_t) { return joined({[] { return randperm(5); }, r(3)}); });
}

TEST(RandomState, ComesBack) {
  Generator g(7);
  for (int draws : {0, 1, 300, 624, 700}) {
    g.manual_seed(7);
    for (int i = 0; i < draws; ++i) g.random();
    randn({3}, Dtype::float32, &g);  // leaves half a pair behind
    const std::vector<uint8_t> state = g.state();
    const std::vector<float> expected = to_vector<float>(randn({5}, Dtype::float32, &g));
    Generator other(1);
    other.set_state(state);
    EXPECT_EQ(to_vector<float>(randn({5}, Dtype::float32, &other)), expected) << draws;
    EXPECT_EQ(other.random(), g.random());
  }
  std::vector<uint8_t> state = g.state();
  EXPECT_EQ(state.size(), 5056u);
  EXPECT_THROW(g.set_state(std::span(state).first(100)), ValueError);
  state[8] = 0xff;
  EXPECT_THROW(g.set_state(state), ValueError);
}

TEST(RandomState, PermutedTensorsAreFilledInMemoryOrder) {
  Generator a(3), b(3);
  const Tensor plain = rand({4, 6}, Dtype::float32, &a);
  Tensor memory = zeros({4, 6});
  uniform_(transpose(memory, 0, 1), 0, 1, &b);
  EXPECT_EQ(to_vector<float>(memory), to_vector<float>(plain));
  Tensor wide = zeros({4, 12});
  Generator c(3);
  uniform_(slice(wide, 1, 0, 12, 2), 0, 1, &c);
  EXPECT_EQ(to_vector<float>(slice(wide, 1, 0, 12, 2)), to_vector<float>(plain));
  EXPECT_EQ(to_vector<float>(slice(wide, 1, 1, 12, 2)), std::vector<float>(24, 0));
}

TEST(RandomBounds, TruncatedNormalStaysInside) {
  for (const auto& [low, high] : {std::pair{-1.0, 0.5}, {3.5, 4.0}, {-0.01, 0.01}}) {
    const std::vector<double> x = to_vector<double>(trunc_normal_(empty({500}), 0, 1, low, high));
    for (double v : x) ASSERT_TRUE(v >= low - 1e-6 && v <= high + 1e-6) << v;
    EXPECT_NE(x[0], x[1]);
  }
}

TEST(RandomErrors, WrongInput) {
  EXPECT_THROW(rand({2}, Dtype::int64), DtypeError);
  EXPECT_THROW(randint(3, 3, {2}), ValueError);
  EXPECT_THROW(randperm(-1), ValueError);
  EXPECT_THROW(uniform_(zeros({2}), 1, 0), ValueError);
  EXPECT_THROW(normal_(zeros({2}), 0, -1), ValueError);
  EXPECT_THROW(bernoulli(full({2}, 1.5)), ValueError);
  EXPECT_THROW(dropout(zeros({2}), -0.1), ValueError);
  EXPECT_THROW(multinomial(zeros({3}), 1), ValueError);
  EXPECT_THROW(multinomial(ones({3}), 4), ValueError);
  EXPECT_THROW(multinomial(ones({3}) * -1, 1), ValueError);
  EXPECT_THROW(uniform_(zeros({2}).set_requires_grad()), ValueError);
  EXPECT_THROW(uniform_(expand(zeros({1}), {3})), ValueError);
}

TEST(RandomGradients, Dropout) {
  manual_seed(5);
  const Tensor x = ones({50}, Dtype::float64).set_requires_grad();
  const Tensor y = dropout(x, 0.25);
  const std::vector<double> g = to_vector<double>(grad({sum(y)}, {x})[0]);
  EXPECT_EQ(g, to_vector<double>(y.detach()));
  EXPECT_TRUE(dropout(x, 0.25, false).is_same(x));
  EXPECT_EQ(sum(dropout(x, 1)).item(), 0);
}

}  // namespace
}  // namespace hearth
