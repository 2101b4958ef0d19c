// Recurrent cells on the CPU: rows to the kernel of the running instruction set.
#include "hearth/backend/kernels/recurrent.h"

#include <algorithm>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/recurrent.h"

namespace hearth::cpu {

extern kernels::LstmCellFn lstm_cell;
extern kernels::LstmCellBackwardFn lstm_cell_backward;
extern kernels::GruCellFn gru_cell;
extern kernels::GruCellBackwardFn gru_cell_backward;

namespace {

const RecurrentRows& rows_for(const Tensor& x) {
  check<DtypeError>(x.dtype() == Dtype::float32 || x.dtype() == Dtype::float64, "recurrent: dtype ", x.dtype());
  return select(generic::recurrent_rows, avx2::recurrent_rows,
                avx512::recurrent_rows)[x.dtype() == Dtype::float64 ? 1 : 0];
}

char* row(const Tensor& x, int64_t r) {
  return static_cast<char*>(x.raw()) + size_t(r * x.stride(0)) * dtype_size(x.dtype());
}

template <class F>
void each_row(const Tensor& state, F f) {
  parallel_for(0, state.size(0), std::max<int64_t>(1, 2048 / std::max<int64_t>(1, state.size(1))),
               [&](int64_t b, int64_t e) {
                 for (int64_t r = b; r < e; ++r) f(r);
               });
}

}  // namespace

void lstm_cell(const Tensor& gates, const Tensor& cell, const Tensor& next_cell, const Tensor& next_hidden) {
  const auto kernel = rows_for(gates).lstm;
  const int64_t n = cell.size(1);
  each_row(cell, [&](int64_t r) { kernel(row(gates, r), row(cell, r), row(next_cell, r), row(next_hidden, r), n); });
}

void lstm_cell_backward(const Tensor& dgates, const Tensor& dcell, const Tensor& dhidden, const Tensor& gates,
                        const Tensor& cell, const Tensor& next_cell) {
  const auto kernel = rows_for(gates).lstm_backward;
  const int64_t n = cell.size(1);
  each_row(cell, [&](int64_t r) {
    kernel(row(gates, r), row(cell, r), row(next_cell, r), row(dhidden, r), row(dcell, r), row(dgates, r), n);
  });
}

void gru_cell(const Tensor& gates, const Tensor& from_hidden, const Tensor& hidden, const Tensor& next_hidden) {
  const auto kernel = rows_for(gates).gru;
  const int64_t n = hidden.size(1);
  each_row(hidden,
           [&](int64_t r) { kernel(row(gates, r), row(from_hidden, r), row(hidden, r), row(next_hidden, r), n); });
}

void gru_cell_backward(const Tensor& dgates, const Tensor& dfrom_hidden, const Tensor& dhidden, const Tensor& gates,
                       const Tensor& from_hidden, const Tensor& hidden) {
  const auto kernel = rows_for(gates).gru_backward;
  const int64_t n = hidden.size(1);
  each_row(hidden, [&](int64_t r) {
    kernel(row(gates, r), row(from_hidden, r), row(hidden, r), row(dhidden, r), row(dgates, r), row(dfrom_hidden, r),
           n);
  });
}

}  // namespace hearth::cpu
