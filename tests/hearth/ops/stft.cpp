// Short-time Fourier transforms: frame by frame, back again, derivatives, windows that do not cover.
#include "hearth/ops/stft.h"

#include "hearth/ops/fft.h"
#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

Tensor hump(int64_t n) { return add(sin(mul(arange(0, n, 1, Dtype::float64), 3.0 / double(n))), 0.1); }

TEST(Stft, FramesAreTransformed) {
  const Tensor x = random({2, 50}, 1), window = hump(8);
  const Tensor y = stft(x, {.n_fft = 8, .hop = 3, .window = window, .center = false});
  ASSERT_EQ(y.shape(), (Shape{2, 5, 15}));
  EXPECT_LT(difference(select(y, 2, 4), rfft(mul(narrow(x, 1, 12, 8), window))), 1e-14);
  const Tensor whole = stft(x, {.n_fft = 8, .hop = 3, .window = window, .center = false, .onesided = false});
  EXPECT_LT(difference(select(whole, 2, 4), fft(mul(narrow(x, 1, 12, 8), window))), 1e-14);
  EXPECT_EQ(stft(select(x, 0, 0), {.n_fft = 8}).shape(), (Shape{5, 26}));
  const StftOptions aligned{.n_fft = 8, .hop = 2, .win = 4, .center = false, .align_to_window = true};
  const Tensor first = rfft(pad(narrow(x, 1, 0, 4), {2, 2}));
  EXPECT_LT(difference(select(stft(x, aligned), 2, 0), first), 1e-14);
  EXPECT_EQ(stft(x, aligned).size(-1), 24);
  EXPECT_THROW(stft(x, {.n_fft = 8, .align_to_window = true}), ValueError);
}

TEST(Stft, ComesBack) {
  for (bool onesided : {false, true})
    for (bool normalized : {false, true})
      for (int64_t batch : {0, 2}) {
        const Tensor x = batch ? random({batch, 64}, 2) : random({64}, 2);
        const StftOptions o{
            .n_fft = 16, .hop = 4, .win = 12, .window = hump(12), .normalized = normalized, .onesided = onesided};
        EXPECT_LT(difference(istft(stft(x, o), o, 64), x), 1e-13);
        EXPECT_EQ(istft(stft(x, o), o).shape().back(), 64);
      }
  const Tensor x = random({64}, 2);
  const Tensor longer = istft(stft(x, {.n_fft = 16}), {.n_fft = 16}, 80);
  EXPECT_EQ(longer.shape(), (Shape{80}));
  EXPECT_EQ(amax(abs(narrow(longer, 0, 72, 8))).item(), 0);
  const Tensor z = random({64}, 3, Dtype::complex128);
  EXPECT_LT(difference(istft(stft(z, {.n_fft = 8}), {.n_fft = 8}, {}, true), z), 1e-13);
}

TEST(Stft, Derivatives) {
  const TensorFunction f = [](const TensorList& x) {
    const StftOptions o{.n_fft = 8, .hop = 3, .window = mul(x[1], x[1])};
    const Tensor y = stft(x[0], o);
    return TensorList{y, istft(mul(y, y), o)};
  };
  const TensorList inputs = {leaf(random({2, 20}, 4)), leaf(hump(8))};
  EXPECT_LT(gradcheck(f, inputs), 1e-5);
  EXPECT_LT(gradgradcheck(f, inputs), 1e-4);
}

TEST(Stft, RefusesWhatDoesNotFit) {
  const Tensor x = ones({20}), y = stft(x, {.n_fft = 8});
  EXPECT_THROW(stft(x, {.n_fft = 0}), ValueError);
  EXPECT_THROW(stft(x, {.n_fft = 8, .hop = 0}), ValueError);
  EXPECT_THROW(stft(x, {.n_fft = 8, .win = 9}), ValueError);
  EXPECT_THROW(stft(x, {.n_fft = 8, .window = ones({7})}), ShapeError);
  EXPECT_THROW(stft(x, {.n_fft = 30, .center = false}), ShapeError);
  EXPECT_THROW(stft(ones({2, 2, 2}), {.n_fft = 2}), ShapeError);
  EXPECT_THROW(stft(zeros({20}, Dtype::complex64), {.n_fft = 8, .onesided = true}), ValueError);
  EXPECT_THROW(istft(y, {.n_fft = 10}), ShapeError);
  EXPECT_THROW(istft(x, {.n_fft = 8}), DtypeError);
  EXPECT_THROW(istft(y, {.n_fft = 8, .window = zeros({8})}), ValueError);
  EXPECT_THROW(istft(y, {.n_fft = 8, .hop = 9}), ValueError);
}

}  // namespace
}  // namespace hearth
