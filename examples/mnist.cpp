// Learns to read handwritten digits with a small convolutional network.
//
//   cmake --build build --target examples
//   build/examples/mnist t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz
//
// The two files are MNIST's own, compressed or not; the last 1000 images are kept
// for the test.
#include <hearth/hearth.h>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace hearth;

struct Net : nn::Module {
  nn::Conv2d conv1{1, 16, 3, {.padding = 1}};
  nn::Conv2d conv2{16, 32, 3, {.padding = 1}};
  nn::Dropout dropout{0.25};
  nn::Linear head{32 * 7 * 7, 10};

  Net() {
    add_module("conv1", conv1);
    add_module("conv2", conv2);
    add_module("dropout", dropout);
    add_module("head", head);
  }

  Tensor operator()(const Tensor& images) const {
    Tensor x = max_pool2d(relu(conv1(images)), {2}).values;
    x = max_pool2d(relu(conv2(x)), {2}).values;
    return head(dropout(flatten(x, 1)));
  }
};

/// The bytes of an IDX file after its header of a magic number and `dims` sizes, as a tensor of these sizes.
Tensor read_idx(const std::string& path, int dims) {
  check<IoError>(path.find('\'') == std::string::npos, "mnist: a quote in the file name: ", path);
  const std::string command = "gzip -cdf '" + path + "'";
  FILE* pipe = popen(command.c_str(), "r");
  check<IoError>(pipe != nullptr, "mnist: cannot run gzip");
  unsigned char word[4];
  Shape shape;
  bool good = true;
  for (int i = 0; i <= dims && good; ++i) {
    good = std::fread(word, 1, 4, pipe) == 4;
    const int64_t value = int64_t(word[0]) << 24 | int64_t(word[1]) << 16 | int64_t(word[2]) << 8 | int64_t(word[3]);
    if (i == 0)
      good = good && value == 0x800 + dims;
    else
      shape.push_back(value);
  }
  Tensor out;
  if (good) {
    out = empty(shape, Dtype::uint8);
    good = std::fread(out.raw(), 1, size_t(out.numel()), pipe) == size_t(out.numel());
  }
  pclose(pipe);
  check<IoError>(good, "mnist: not an IDX file of ", dims, " dimensions: ", path);
  return out;
}

double accuracy(Net& net, const Tensor& images, const Tensor& labels) {
  NoGrad guard;
  net.eval();
  const Tensor guesses = argmax(net(images), 1);
  net.train();
  return mean(to(eq(guesses, labels), Dtype::float32)).item();
}

int run(const std::string& image_file, const std::string& label_file) {
  manual_seed(0);
  const Tensor images = unsqueeze(to(read_idx(image_file, 3), Dtype::float32) / 255.0, 1);
  const Tensor labels = to(read_idx(label_file, 1), Dtype::int64);
  const int64_t count = images.size(0), tests = 1000, batch = 64, train = count - tests;
  check<ShapeError>(labels.size(0) == count && train >= batch, "mnist: ", count, " images and ", labels.size(0),
                    " labels");

  Net net;
  optim::AdamW optimizer(net.parameters(), {.lr = 2e-3});
  for (int epoch = 1; epoch <= 3; ++epoch) {
    const Tensor order = randperm(train);
    double total = 0;
    int64_t steps = 0;
    for (int64_t first = 0; first + batch <= train; first += batch, ++steps) {
      const Tensor chosen = narrow(order, 0, first, batch);
      optimizer.zero_grad();
      const Tensor loss = cross_entropy(net(index_select(images, 0, chosen)), index_select(labels, 0, chosen));
      backward(loss);
      optimizer.step();
      total += loss.item();
      std::printf("\repoch %d  %5lld of %lld  loss %.3f ", epoch, (long long)(first + batch), (long long)train,
                  total / double(steps + 1));
      std::fflush(stdout);
    }
    std::printf(" accuracy on the test images %.1f %%\n",
                100 * accuracy(net, narrow(images, 0, train, tests), narrow(labels, 0, train, tests)));
  }
  save_safetensors("mnist.safetensors", net.state_dict());
  std::printf("saved mnist.safetensors\n");
  return 0;
}

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: mnist IMAGES LABELS (IDX files, .gz or not)\n");
    return 2;
  }
  return run(argv[1], argv[2]);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
