// Contract of the cells of recurrent networks: what follows the products of one step, for all sequences of a batch.
//
// float32 or float64; H numbers of each gate, one gate after the other in a row; all tensors contiguous. s is the
// logistic function. A row's bits depend on that row only.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// In `gates` [N, 4H] i = s(i), f = s(f), g = tanh(g), o = s(o); next_cell = f cell + i g; next_hidden = o
/// tanh(next_cell); [N, H] each. next_cell may be cell.
using LstmCellFn = void(const Tensor& gates, const Tensor& cell, const Tensor& next_cell, const Tensor& next_hidden);

/// dgates [N, 4H], before their functions, from dhidden [N, H] of next_hidden and dcell [N, H] of next_cell, which
/// becomes that of cell. gates as the forward left them.
using LstmCellBackwardFn = void(const Tensor& dgates, const Tensor& dcell, const Tensor& dhidden, const Tensor& gates,
                                const Tensor& cell, const Tensor& next_cell);

/// In `gates` [N, 3H], which hold the input's part x, with from_hidden h [N, 3H]: r = s(x + h), z = s(x + h),
/// n = tanh(x + r h); next_hidden = n + z (hidden - n). next_hidden may be hidden.
using GruCellFn = void(const Tensor& gates, const Tensor& from_hidden, const Tensor& hidden, const Tensor& next_hidden);

/// dgates and dfrom_hidden [N, 3H] from dhidden [N, H] of next_hidden, which becomes the direct part of hidden's.
using GruCellBackwardFn = void(const Tensor& dgates, const Tensor& dfrom_hidden, const Tensor& dhidden,
                               const Tensor& gates, const Tensor& from_hidden, const Tensor& hidden);

inline constinit Slot<LstmCellFn> lstm_cell{"lstm_cell"};
inline constinit Slot<LstmCellBackwardFn> lstm_cell_backward{"lstm_cell_backward"};
inline constinit Slot<GruCellFn> gru_cell{"gru_cell"};
inline constinit Slot<GruCellBackwardFn> gru_cell_backward{"gru_cell_backward"};

}  // namespace hearth::kernels
