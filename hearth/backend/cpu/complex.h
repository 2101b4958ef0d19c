// Complex element-wise kernels: plain loops over std::complex, one for each op that complex numbers have.
#pragma once

#include "hearth/backend/kernels/elementwise.h"
#include "hearth/backend/kernels/reduce.h"

namespace hearth::cpu {

// x is complex64 or complex128. Raise DtypeError for an op that complex numbers do not have.

/// out has the dtype of x; bool for questions.
void complex_unary(kernels::UnaryOp op, const Tensor& out, const Tensor& x);
void complex_binary(kernels::BinaryOp op, const Tensor& out, const Tensor& x, const Tensor& y);
/// eq and ne.
void complex_compare(kernels::CompareOp op, const Tensor& out, const Tensor& x, const Tensor& y);

/// sum (of the parts, as real numbers are summed) and prod (in row order, in double).
void complex_reduce(kernels::ReduceOp op, const Tensor& out, const Tensor& x);
/// sum and prod.
void complex_cumulate(kernels::CumulateOp op, const Tensor& out, const Tensor& x);

}  // namespace hearth::cpu
