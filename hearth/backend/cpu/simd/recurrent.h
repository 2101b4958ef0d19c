// Rows of recurrent cells on one instruction set: raw pointers, one sequence's gates a call.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

/// A row holds `n` numbers of each gate, one gate after the other. The formulas are in backend/kernels/recurrent.h.
struct RecurrentRows {
  void (*lstm)(void* gates, const void* cell, void* next_cell, void* next_hidden, int64_t n);
  void (*lstm_backward)(const void* gates, const void* cell, const void* next_cell, const void* dhidden, void* dcell,
                        void* dgates, int64_t n);
  void (*gru)(void* gates, const void* from_hidden, const void* hidden, void* next_hidden, int64_t n);
  void (*gru_backward)(const void* gates, const void* from_hidden, const void* hidden, void* dhidden, void* dgates,
                       void* dfrom_hidden, int64_t n);
};

// float32, float64.
namespace generic {
extern const RecurrentRows recurrent_rows[2];
}
namespace avx2 {
extern const RecurrentRows recurrent_rows[2];
}
namespace avx512 {
extern const RecurrentRows recurrent_rows[2];
}

}  // namespace hearth::cpu
