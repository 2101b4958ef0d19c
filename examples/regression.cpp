// Fits a small network to noisy samples of a sine: the shortest complete training loop.
//
//   cmake --build build --target examples && build/examples/regression
#include <hearth/hearth.h>

#include <cmath>
#include <cstdio>

using namespace hearth;

int main() {
  manual_seed(0);
  const Tensor x = linspace(-3, 3, 256);
  const Tensor inputs = unsqueeze(x, 1);
  const Tensor targets = sin(inputs) + randn({256, 1}) * 0.1;

  nn::Sequential net(nn::layer<nn::Linear>(1, 32), nn::layer<nn::Tanh>(), nn::layer<nn::Linear>(32, 32),
                     nn::layer<nn::Tanh>(), nn::layer<nn::Linear>(32, 1));
  optim::AdamW optimizer(net.parameters(), {.lr = 1e-2, .weight_decay = 0});
  optim::Scheduler scheduler(optimizer, optim::schedule::cosine(500));

  for (int step = 0; step < 500; ++step) {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(net(inputs), targets);
    backward(loss);
    optimizer.step();
    scheduler.step();
    if (step % 100 == 0) std::printf("step %3d  loss %.4f\n", step, loss.item());
  }

  NoGrad guard;
  std::printf("\n     x   sin(x)  network\n");
  for (double at : {-2.0, -1.0, 0.0, 1.0, 2.0}) {
    const double seen = net(full({1, 1}, at)).item();
    std::printf("%6.1f  %7.3f  %7.3f\n", at, std::sin(at), seen);
  }
}
