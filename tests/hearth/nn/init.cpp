// Initial values against PyTorch's own for the same seeds.
#include "hearth/nn/init.h"

#include <filesystem>
#include <memory>

#include "hearth/nn/conv.h"
#include "hearth/nn/frozen_layer.h"
#include "hearth/nn/recurrent.h"
#include "hearth/nn/transformer.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/random.h"

namespace hearth {
namespace {

namespace init = nn::init;
constexpr const char* streams = HEARTH_SHARED "/data/torch-rng/streams.safetensors";
constexpr uint64_t seeds[] = {0, 1, 42, 1337, 2147483653};

/// Exact for uniform numbers; those that go through log and cosine may differ in the last digits.
void expect_equal(const Tensor& seen, const Tensor& expected, double tolerance, const std::string& what) {
  if (tolerance > 0) return frozen::expect_close(seen.detach(), expected, tolerance, what);
  EXPECT_EQ(to_vector<float>(seen.detach()), to_vector<float>(expected)) << what;
}

template <class Make>
void check_init(const char* key, double tolerance, const Make& make) {
  const SafetensorsFile file = SafetensorsFile::open(streams);
  for (const uint64_t seed : seeds) {
    const std::string name = std::to_string(seed) + "/" + key;
    manual_seed(seed);
    const StateDict made = make();
    const Tensor following = rand({1});
    ASSERT_FALSE(made.empty());
    for (const auto& [field, tensor] : made)
      expect_equal(tensor, file.tensor(field.empty() ? name : name + "." + field), tolerance, name + " " + field);
    expect_equal(following, file.tensor(name + "/next"), 0, name + " next");
  }
}

template <class M, class... Args>
void check_module(const char* key, double tolerance, const Args&... args) {
  check_init(key, tolerance, [&] { return M(args...).state_dict(); });
}

class Init : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(streams)) GTEST_SKIP() << "shared data is absent: " << streams;
  }
};

TEST_F(Init, ModulesStartAsInPyTorch) {
  check_module<nn::Linear>("init_linear", 0, 7, 5);
  check_module<nn::Conv1d>("init_conv1d", 0, 3, 4, 3);
  check_module<nn::Conv2d>("init_conv2d", 0, 3, 4, 3);
  check_module<nn::LSTM>("init_lstm", 0, 4, 3);
  check_module<nn::GRU>("init_gru", 0, 4, 3);
  check_module<nn::MultiheadAttention>("init_multihead_attention", 0, 8, 2);
  check_module<nn::TransformerEncoderLayer>("init_transformer_encoder_layer", 0, 8, 2, nn::EncoderOptions{.inner = 16});
  check_module<nn::Embedding>("init_embedding", 1e-6, 10, 6);
}

TEST_F(Init, FunctionsDrawAsInPyTorch) {
  const auto drawn = [](auto fill) { return [fill] { return StateDict{{"", fill(empty({6, 5}))}}; }; };
  check_init("nninit_xavier_uniform", 0, drawn([](const Tensor& x) { return init::xavier_uniform_(x); }));
  check_init("nninit_kaiming_uniform", 0,
             drawn([](const Tensor& x) { return init::kaiming_uniform_(x, std::sqrt(5.0)); }));
  check_init("nninit_xavier_normal", 1e-6, drawn([](const Tensor& x) { return init::xavier_normal_(x); }));
  check_init("nninit_kaiming_normal", 1e-6, drawn([](const Tensor& x) {
               return init::kaiming_normal_(x, 0, init::Fan::in, init::Nonlinearity::relu);
             }));
  check_init("nninit_trunc_normal", 1e-6, drawn([](const Tensor& x) { return init::trunc_normal_(x, 0, 0.02); }));
  check_init("nninit_orthogonal", 1e-5, drawn([](const Tensor& x) { return init::orthogonal_(x); }));
}

TEST(InitShapes, OrthogonalRowsOrColumns) {
  for (const Shape& shape : {Shape{3, 7}, Shape{7, 3}, Shape{4, 2, 3}}) {
    const Tensor x = init::orthogonal_(empty(shape, Dtype::float64), 2);
    const Tensor m = view(x, {shape[0], x.numel() / shape[0]});
    const bool wide = m.size(0) < m.size(1);
    const Tensor product = wide ? matmul(m, t(m)) : matmul(t(m), m);
    const int64_t n = product.size(0);
    frozen::expect_close(product, mul(eye(n, n, Dtype::float64), 4.0), 1e-12, "product");
  }
}

TEST(InitShapes, EyeDiracAndSparse) {
  EXPECT_EQ(to_vector<float>(init::eye_(empty({2, 3}))), (std::vector<float>{1, 0, 0, 0, 1, 0}));
  const std::vector<float> dirac = to_vector<float>(init::dirac_(empty({4, 1, 3}), 2));
  EXPECT_EQ(dirac, (std::vector<float>{0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}));
  const std::vector<float> sparse = to_vector<float>(init::sparse_(empty({10, 4}), 0.25));
  for (int column = 0; column < 4; ++column) {
    int zeros = 0;
    for (int row = 0; row < 10; ++row) zeros += sparse[size_t(row * 4 + column)] == 0;
    EXPECT_EQ(zeros, 3);
  }
}

TEST(InitShapes, TruncatedNormalStaysInside) {
  for (const auto& [low, high] : {std::pair{-0.5, 0.5}, std::pair{2.0, 3.0}, std::pair{-2.0, 2.0}}) {
    manual_seed(1);
    const std::vector<double> x = to_vector<double>(init::trunc_normal_(empty({2000}), 0, 1, low, high));
    double mean = 0;
    for (double value : x) {
      ASSERT_GE(value, float(low));
      ASSERT_LE(value, float(high));
      mean += value / 2000;
    }
    const double density_low = std::exp(-low * low / 2), density_high = std::exp(-high * high / 2);
    const double mass =
        std::sqrt(std::acos(-1.0) / 2) * (std::erf(high / std::sqrt(2.0)) - std::erf(low / std::sqrt(2.0)));
    EXPECT_NEAR(mean, (density_low - density_high) / mass, 0.05);
  }
}

TEST(InitShapes, RefusesWhatHasNoFans) {
  EXPECT_THROW(init::xavier_uniform_(empty({3})), ShapeError);
  EXPECT_THROW(init::orthogonal_(empty({3})), ShapeError);
  EXPECT_THROW(init::eye_(empty({3})), ShapeError);
  EXPECT_THROW(init::dirac_(empty({3, 2, 1}), 2), ValueError);
  EXPECT_THROW(init::trunc_normal_(empty({3}), 0, 0), ValueError);
  EXPECT_THROW(init::trunc_normal_(empty({3}), 0, 1, 2, 2), ValueError);
  EXPECT_THROW(init::sparse_(empty({3, 2}), 1.5), ValueError);
}

}  // namespace
}  // namespace hearth
