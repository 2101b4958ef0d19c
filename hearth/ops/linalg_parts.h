// linalg_parts: what the matrix functions share: checks, the column-major copies that kernels work on, adjoints.
#pragma once

#include "hearth/core/linalg_error.h"
#include "hearth/core/node.h"
#include "hearth/core/tensor.h"

namespace hearth {

/// Raises ShapeError unless x has at least two dimensions, NotImplementedError unless it is float32, float64, complex64
/// or complex128.
void check_matrix(const char* op, const Tensor& x);
/// check_matrix, and the last two sizes must be equal.
void check_square(const char* op, const Tensor& x);
/// Raises DtypeError unless the dtypes are equal.
void check_same_dtype(const char* op, const Tensor& a, const Tensor& b);

/// The sizes before the last `tail`.
Shape batch_of(const Tensor& x, int tail = 2);
/// `batch` followed by `tail`.
Shape with_tail(const Shape& batch, std::initializer_list<int64_t> tail);

/// A column-major copy of matrices [..., m, n] without history: [batch, n, m], contiguous.
Tensor to_columns(const Tensor& x);
/// The matrices of a buffer [batch, n, m] as [..., m, n] over the same memory, without history.
Tensor from_columns(const Tensor& buffer, const Shape& batch);
/// Uninitialised column-major memory for `batch` matrices of m x n: [batch, n, m].
Tensor new_columns(const Tensor& like, const Shape& batch, int64_t m, int64_t n);

/// x with the last two dimensions swapped.
Tensor mT(const Tensor& x);
/// mT, complex conjugated. Example: Tensor gram = matmul(mH(x), x);
Tensor mH(const Tensor& x);
/// The complex conjugate; a real tensor as it is.
Tensor conjugate(const Tensor& x);
/// The real part; a real tensor as it is.
Tensor real_part(const Tensor& x);
/// g, made real when the tensor that it is the gradient of is.
Tensor gradient_like(const Tensor& g, Dtype dtype);

/// x with both operands' batch dimensions broadcast together, for a pair.
std::pair<Tensor, Tensor> broadcast_batches(const char* op, const Tensor& a, const Tensor& b);
/// [..., m, k] scaled by s [..., k]: column i times s_i.
Tensor scale_columns(const Tensor& x, const Tensor& s);
/// [..., k, n] scaled by s [..., k]: row i times s_i.
Tensor scale_rows(const Tensor& x, const Tensor& s);
/// The diagonal of the last two dimensions.
Tensor main_diagonal(const Tensor& x);
/// x with the diagonal of the last two dimensions times `factor`.
Tensor with_diagonal_times(const Tensor& x, double factor);
/// The identity [n, n] of x's dtype, expanded to `batch`.
Tensor identity_like(const Tensor& x, const Shape& batch, int64_t n);

/// Notes that outputs came from x by an op whose backward raises NotImplementedError.
void record_without_derivative(const char* op, const TensorList& outputs, const Tensor& x);

/// Raises LinAlgError for the first matrix with info > 0: `op: [batch element i: ]` and what `say` writes about it.
void check_info(const char* op, const Tensor& info, const char* before, const char* behind);

}  // namespace hearth
