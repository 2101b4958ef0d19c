// Discrete Fourier transforms.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

// Float32, float64 and their complex types; integers and bool become the default complex type. `n` or `sizes`: the
// lengths that dimensions are cut or filled up with zeros to (-1: as they are). `norm`: "backward" divides inverse
// transforms by the number of points, "forward" the others, "ortho" both by its square root. 2-dimensional forms are
// the n-dimensional ones over two dimensions. Raises ShapeError for no points, ValueError for another norm or a
// dimension named twice. Example: Tensor spectrum = rfft(signal); Tensor back = irfft(spectrum, signal.size(-1));

Tensor fft(const Tensor& x, std::optional<int64_t> n = {}, int64_t dim = -1, std::string_view norm = "backward");
Tensor ifft(const Tensor& x, std::optional<int64_t> n = {}, int64_t dim = -1, std::string_view norm = "backward");
/// The first n / 2 + 1 values for real x.
Tensor rfft(const Tensor& x, std::optional<int64_t> n = {}, int64_t dim = -1, std::string_view norm = "backward");
/// The real inverse of rfft; n is the length of the result, by default 2 (size - 1).
Tensor irfft(const Tensor& x, std::optional<int64_t> n = {}, int64_t dim = -1, std::string_view norm = "backward");
/// The real transform of a signal that is Hermitian in time, given by its first half; and its inverse.
Tensor hfft(const Tensor& x, std::optional<int64_t> n = {}, int64_t dim = -1, std::string_view norm = "backward");
Tensor ihfft(const Tensor& x, std::optional<int64_t> n = {}, int64_t dim = -1, std::string_view norm = "backward");

/// Which dimensions and lengths a transform of several has: without `dims` the last ones, as many as `sizes` has;
/// without either, all.
struct FftDims {
  std::optional<std::vector<int64_t>> sizes, dims;
};
Tensor fftn(const Tensor& x, const FftDims& over = {}, std::string_view norm = "backward");
Tensor ifftn(const Tensor& x, const FftDims& over = {}, std::string_view norm = "backward");
/// Forms that are real, or Hermitian, along the last of the dimensions.
Tensor rfftn(const Tensor& x, const FftDims& over = {}, std::string_view norm = "backward");
Tensor irfftn(const Tensor& x, const FftDims& over = {}, std::string_view norm = "backward");
Tensor hfftn(const Tensor& x, const FftDims& over = {}, std::string_view norm = "backward");
Tensor ihfftn(const Tensor& x, const FftDims& over = {}, std::string_view norm = "backward");

/// Half of each dimension (all without `dims`) moved over, so that frequency 0 stands in the middle; and back.
Tensor fftshift(const Tensor& x, const std::vector<int64_t>& dims = {});
Tensor ifftshift(const Tensor& x, const std::vector<int64_t>& dims = {});
/// The frequencies of fft's, and of rfft's, values for n points at distance d.
Tensor fftfreq(int64_t n, double d = 1, Dtype dtype = Dtype::float32);
Tensor rfftfreq(int64_t n, double d = 1, Dtype dtype = Dtype::float32);

}  // namespace hearth
