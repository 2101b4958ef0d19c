// Complex numbers: their parts as views of the same memory, and what is made of parts. Gradients of a real loss L are
// PyTorch's: dL/da + i dL/db for z = a + ib, so a formula multiplies by the conjugate of what the forward multiplied
// by.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// The real parts, a view that shares memory; a real tensor itself.
Tensor real(const Tensor& x);
/// The imaginary parts, a view that shares memory. Raises DtypeError for a real tensor.
Tensor imag(const Tensor& x);
/// [...] complex as [..., 2] real and imaginary parts, a view. Raises DtypeError for a real tensor.
/// Example: view_as_real(z) = w writes the parts of z.
Tensor view_as_real(const Tensor& x);
/// The reverse of `view_as_real`: [..., 2] of float32 or float64. Raises DtypeError for another type, ShapeError where
/// the last dimension is not 2 or the memory layout does not hold pairs side by side.
Tensor view_as_complex(const Tensor& x);

/// a - ib, a copy; a real tensor itself.
Tensor conj(const Tensor& x);
/// real + i imag, broadcast. Both float32 or both float64, else DtypeError.
Tensor complex(const Tensor& real, const Tensor& imag);
/// abs e^(i angle), broadcast; dtypes as `complex`.
Tensor polar(const Tensor& abs, const Tensor& angle);
/// The phase in (-pi, pi]; of real numbers 0 or pi, NaN for NaN. Integers give float32.
Tensor angle(const Tensor& x);
/// z / |z|, 0 for 0; the sign of a real number.
Tensor sgn(const Tensor& x);
/// Whether the imaginary part is 0.
Tensor isreal(const Tensor& x);
/// sum of conj(x) y over two vectors of one length and dtype. Raises ShapeError, DtypeError.
Tensor vdot(const Tensor& x, const Tensor& y);

}  // namespace hearth
