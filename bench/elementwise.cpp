// Element-wise ops and reductions: time of a small eager op, and bytes a second of large ones.
#include <chrono>
#include <cstdio>

#include "hearth/hearth.h"

namespace {

template <class F>
double seconds(F f) {
  using Clock = std::chrono::steady_clock;
  f();
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    int64_t count = 0;
    const auto start = Clock::now();
    double elapsed = 0;
    do {
      f();
      ++count;
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    } while (elapsed < 0.02);
    best = std::min(best, elapsed / double(count));
  }
  return best;
}

void small(const char* name, auto f) {
  const double t = seconds([&] {
    for (int i = 0; i < 100; ++i) f();
  });
  std::printf("%-28s %8.0f ns\n", name, t * 1e7);
}

void large(const char* name, double bytes, auto f) {
  const double t = seconds(f);
  std::printf("%-28s %8.1f us %8.1f GB/s\n", name, t * 1e6, bytes / t / 1e9);
}

}  // namespace

int main() {
  using namespace hearth;
  Tensor a = from_values<float>({1, 2}), b = from_values<float>({3, 4});
  small("empty [2]", [&] { return empty({2}); });
  small("add [2]", [&] { return add(a, b); });
  small("mul [2] by a number", [&] { return mul(a, 2.0); });
  small("exp [2]", [&] { return exp(a); });
  small("sum [2]", [&] { return sum(a); });
  {
    Tensor g = from_values<float>({1, 2}).set_requires_grad();
    small("add [2], recorded", [&] { return add(g, b); });
  }
  const Tensor x = full({1024, 1024}, 0.5), y = full({1024, 1024}, 0.25), row = full({1024}, 2.0);
  const Tensor h = to(x, Dtype::bfloat16), k = to(y, Dtype::bfloat16);
  const double mb = 1024 * 1024 * 4;
  large("add 1M", 3 * mb, [&] { return add(x, y); });
  large("add 1M + row", 2 * mb, [&] { return add(x, row); });
  large("add 1M bfloat16", 1.5 * mb, [&] { return add(h, k); });
  large("add 1M + transposed", 3 * mb, [&] { return add(x, t(y)); });
  large("exp 1M", 2 * mb, [&] { return exp(x); });
  large("tanh 1M", 2 * mb, [&] { return tanh(x); });
  large("clone 1M", 2 * mb, [&] { return clone(x); });
  large("transposed clone 1M", 2 * mb, [&] { return clone(t(x)); });
  large("to bfloat16 1M", 1.5 * mb, [&] { return to(x, Dtype::bfloat16); });
  large("sum 1M", mb, [&] { return sum(x); });
  large("sum rows 1M", mb, [&] { return sum(x, {1}); });
  large("sum columns 1M", mb, [&] { return sum(x, {0}); });
}
