// Fourier transforms: against the definition, inverses, every length and norm, derivatives, wrong input.
#include "hearth/ops/fft.h"

#include <numbers>

#include "matrix_check.h"

namespace hearth {
namespace {

using namespace matrix_check;

/// The definition, as a product with the matrix of roots of unity.
Tensor by_definition(const Tensor& x) {
  const int64_t n = x.size(-1);
  std::vector<std::complex<double>> roots;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t k = 0; k < n; ++k)
      roots.push_back(std::polar(1.0, -2 * std::numbers::pi * double(j * k % n) / double(n)));
  return matmul(to(x, Dtype::complex128), from_values<std::complex<double>>(std::span(roots), {n, n}));
}

TEST(Fft, IsItsDefinitionForEveryLength) {
  for (int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 19, 30, 34, 46, 64, 97, 100, 143, 210}) {
    const Tensor x = random({3, n}, uint64_t(n), Dtype::complex128), expected = by_definition(x);
    EXPECT_LT(difference(fft(x), expected), 1e-14 * double(n) + 1e-15) << n;
    EXPECT_LT(difference(ifft(fft(x)), x), 1e-14) << n;
    const Tensor r = real(x), half = narrow(by_definition(r), -1, 0, n / 2 + 1);
    EXPECT_LT(difference(rfft(r), contiguous(half)), 1e-14 * double(n) + 1e-15) << n;
    EXPECT_LT(difference(irfft(rfft(r), n), contiguous(r)), 1e-14) << n;
    EXPECT_LT(difference(ihfft(r), conj(mul(contiguous(half), 1.0 / double(n)))), 1e-14) << n;
    EXPECT_LT(difference(hfft(ihfft(r), n), contiguous(r)), 1e-13) << n;
    const Tensor single = to(x, Dtype::complex64);
    EXPECT_LT(difference(to(fft(single), Dtype::complex128), by_definition(single)), 3e-7 * double(n)) << n;
  }
}

TEST(Fft, ARowDoesNotDependOnItsNeighbours) {
  const Tensor x = random({70, 37}, 1, Dtype::complex64);
  EXPECT_TRUE(fused_check::same_bits(select(fft(x), 0, 41), fft(select(x, 0, 41))));
  EXPECT_TRUE(fused_check::same_bits(select(rfft(real(x)), 0, 41), rfft(real(select(x, 0, 41)))));
}

TEST(Fft, NormsDimensionsAndLengths) {
  const Tensor x = random({4, 6}, 2, Dtype::complex128);
  EXPECT_LT(difference(fft(x, {}, -1, "forward"), mul(fft(x), 1.0 / 6)), 1e-15);
  EXPECT_LT(difference(fft(x, {}, 0, "ortho"), mul(fft(x, {}, 0), 0.5)), 1e-15);
  EXPECT_LT(difference(fft(x, 4), fft(contiguous(narrow(x, 1, 0, 4)))), 1e-15);
  EXPECT_LT(difference(narrow(ifft(fft(x, 9)), 1, 0, 6), x), 1e-15);
  EXPECT_LT(difference(fftn(x), fft(fft(x, {}, 0))), 1e-14);
  EXPECT_LT(difference(ifftn(fftn(x, {}, "ortho"), {}, "ortho"), x), 1e-15);
  const Tensor r = contiguous(real(x));
  const std::vector<int64_t> sizes = {4, 6};
  EXPECT_LT(difference(irfftn(rfftn(r), {sizes, {}}), r), 1e-15);
  EXPECT_LT(difference(hfftn(ihfftn(r), {sizes, {}}), r), 1e-14);
  EXPECT_LT(difference(rfftn(r), narrow(fftn(r), 1, 0, 4)), 1e-14);
  EXPECT_EQ(fft(ones({3}, Dtype::int64)).dtype(), Dtype::complex64);
}

TEST(Fft, Derivatives) {
  for (int64_t n : {5, 6})
    expect_derivatives(
        "fft",
        [n](const Tensor& x) {
          const Tensor r = is_complex(x.dtype()) ? real(x) : x;
          return TensorList{fft(mul(x, x), n, 0),    ifft(x, n), rfft(mul(r, r), n), irfft(mul(x, x), n), hfft(x, n, 0),
                            ihfft(r, n, 0, "ortho"), rfftn(r),   irfftn(x)};
        },
        [](Dtype dtype) {
          return random({4, 5}, 3, dtype);
        });
}

TEST(Fft, ShiftsAndFrequencies) {
  const Tensor x = arange(0, 5, 1);
  EXPECT_EQ(to_vector<int64_t>(fftshift(x)), (std::vector<int64_t>{3, 4, 0, 1, 2}));
  EXPECT_EQ(to_vector<int64_t>(ifftshift(fftshift(x))), to_vector<int64_t>(x));
  EXPECT_EQ(to_vector<float>(fftfreq(4, 0.5)), (std::vector<float>{0, 0.5f, -1, -0.5f}));
  EXPECT_EQ(to_vector<float>(rfftfreq(5, 0.2)), (std::vector<float>{0, 1, 2}));
}

TEST(Fft, RefusesWhatCannotBeTransformed) {
  EXPECT_THROW(fft(ones({0})), ShapeError);
  EXPECT_THROW(fft(ones({3}), 0), ShapeError);
  EXPECT_THROW(fft(ones({3}), {}, 1), IndexError);
  EXPECT_THROW(fft(ones({})), IndexError);
  EXPECT_THROW(fft(ones({3}), {}, 0, "none"), ValueError);
  EXPECT_THROW(rfft(zeros({3}, Dtype::complex64)), DtypeError);
  EXPECT_THROW(fft(ones({3}, Dtype::float16)), NotImplementedError);
  EXPECT_THROW(fftn(ones({3, 3}), {{}, std::vector<int64_t>{0, -2}}), ValueError);
  EXPECT_THROW(fftn(ones({3}), {std::vector<int64_t>{2, 2}, {}}), ShapeError);
  EXPECT_EQ(fft(ones({0, 3})).shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace hearth
