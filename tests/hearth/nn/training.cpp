// Whole training runs: the losses of an MLP against PyTorch's, and a small network that learns to read digits.
#include <cstdio>
#include <filesystem>

#include "hearth/core/random.h"
#include "hearth/nn/activation.h"
#include "hearth/nn/conv.h"
#include "hearth/nn/frozen_layer.h"
#include "hearth/nn/linear.h"
#include "hearth/nn/norm.h"
#include "hearth/nn/pool.h"
#include "hearth/ops/loss.h"
#include "hearth/optim/adamw.h"
#include "hearth/optim/sgd.h"

namespace hearth {
namespace {

/// Losses of the network that starts from seed 3, as the frozen run's does.
template <class MakeOptimizer>
std::vector<double> losses(Dtype dtype, const MakeOptimizer& make) {
  manual_seed(3);
  nn::Sequential net(nn::layer<nn::Linear>(10, 32), nn::layer<nn::Tanh>(), nn::layer<nn::Linear>(32, 16),
                     nn::layer<nn::ReLU>(), nn::layer<nn::Linear>(16, 3));
  net.to(dtype);
  const Tensor x = nn_test::stored("training/x", dtype), y = nn_test::stored("training/y", dtype);
  auto optimizer = make(net.parameters());
  std::vector<double> out;
  for (int step = 0; step < 50; ++step) {
    optimizer.zero_grad();
    const Tensor loss = cross_entropy(net(x), y);
    backward(loss);
    optimizer.step();
    out.push_back(loss.item());
  }
  return out;
}

template <class MakeOptimizer>
void check_losses(const char* kind, const MakeOptimizer& make) {
  const boost::json::value json = read_json(HEARTH_TEST_DATA "/nn.json");
  const boost::json::array& expected = json.at("training").at(kind).as_array();
  const std::vector<double> wide = losses(Dtype::float64, make), narrow = losses(Dtype::float32, make);
  ASSERT_EQ(expected.size(), wide.size());
  for (size_t step = 0; step < wide.size(); ++step) {
    EXPECT_NEAR(wide[step], expected[step].to_number<double>(), 1e-6) << kind << " step " << step;
    EXPECT_NEAR(narrow[step], expected[step].to_number<double>(), 1e-4) << kind << " step " << step;
  }
}

TEST(Training, LossesAreThoseOfPyTorchFromTheSameSeed) {
  check_losses("SGD", [](const TensorList& params) { return optim::SGD(params, {.lr = 0.1, .momentum = 0.9}); });
  check_losses("AdamW",
               [](const TensorList& params) { return optim::AdamW(params, {.lr = 0.01, .weight_decay = 0.1}); });
}

/// A gzipped IDX file after its header of a magic number and `dims` sizes.
Tensor read_idx(const std::string& path, const Shape& shape) {
  FILE* pipe = popen(("gzip -dc '" + path + "'").c_str(), "r");
  std::vector<unsigned char> bytes(size_t(4 * (shape.size() + 1)));
  const Tensor out = empty(shape, Dtype::uint8);
  const size_t count = size_t(out.numel());
  const bool good = pipe && std::fread(bytes.data(), 1, bytes.size(), pipe) == bytes.size() &&
                    std::fread(out.raw(), 1, count, pipe) == count;
  if (pipe) pclose(pipe);
  check<IoError>(good, "cannot read ", path);
  return out;
}

TEST(Training, ASmallNetworkLearnsToReadDigits) {
  const std::string folder = HEARTH_SHARED "/data/mnist/";
  if (!std::filesystem::exists(folder + "t10k-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "shared data is absent: " << folder;
  const int64_t train = 2000, tests = 1000, batch = 50;
  const Tensor raw = read_idx(folder + "t10k-images-idx3-ubyte.gz", {train + tests, 28, 28});
  const Tensor images = unsqueeze(div(to(raw, Dtype::float32), 255.0), 1);
  const Tensor labels = to(read_idx(folder + "t10k-labels-idx1-ubyte.gz", {train + tests}), Dtype::int64);
  manual_seed(0);
  nn::Sequential net(nn::layer<nn::Conv2d>(1, 8, 5, nn::ConvOptions{.stride = {2}, .padding = 2}),
                     nn::layer<nn::BatchNorm2d>(8), nn::layer<nn::ReLU>(), nn::layer<nn::MaxPool2d>(2),
                     nn::layer<nn::Conv2d>(8, 16, 3, nn::ConvOptions{.padding = 1}), nn::layer<nn::ReLU>(),
                     nn::layer<nn::Flatten>(), nn::layer<nn::Linear>(16 * 7 * 7, 10));
  optim::AdamW optimizer(net.parameters(), {.lr = 3e-3});
  for (int epoch = 0; epoch < 2; ++epoch)
    for (int64_t first = 0; first < train; first += batch) {
      optimizer.zero_grad();
      backward(cross_entropy(net(narrow(images, 0, first, batch)), narrow(labels, 0, first, batch)));
      optimizer.step();
    }
  NoGrad guard;
  net.eval();
  const Tensor guesses = argmax(net(narrow(images, 0, train, tests)), 1);
  const double right = sum(eq(guesses, narrow(labels, 0, train, tests))).item();
  EXPECT_GE(right, 850) << "of " << tests;
  RecordProperty("right", int(right));
}

}  // namespace
}  // namespace hearth
