// Contract of discrete Fourier transforms of rows.
//
// Tensors are contiguous, [rows, length], of one precision: float32 with complex64, float64 with complex128. A
// transform of length n is y_k = scale * sum_j x_j exp(-2 pi i j k / n); the inverse has the other sign. Computed in
// float64. Any n >= 1 takes O(n log n). Invariance: row, batch and thread.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// out, x complex [rows, n].
using FftFn = void(const Tensor& out, const Tensor& x, bool inverse, double scale);
/// The first n / 2 + 1 values of the transform of real rows: out complex [rows, n / 2 + 1], x real [rows, n].
using FftRealFn = void(const Tensor& out, const Tensor& x, double scale);
/// The inverse transform, real, of rows given by their first n / 2 + 1 values: out real [rows, n], x complex. The
/// imaginary parts of x_0 and, for even n, of x_(n/2) are taken as 0.
using FftHermitianFn = void(const Tensor& out, const Tensor& x, double scale);

inline constinit Slot<FftFn> fft{"fft"};
inline constinit Slot<FftRealFn> fft_real{"fft_real"};
inline constinit Slot<FftHermitianFn> fft_hermitian{"fft_hermitian"};

}  // namespace hearth::kernels
