// Own matrix product on raw pointers: fixed order, any strides, any thread count, the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hearth/backend/cpu/block.h"
#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/simd/matmul.h"

namespace hearth::cpu {

/// A matrix operand: element (i, j) is at data[i * row + j * col], strides in elements, any sign, 0 to broadcast.
struct GemmOperand {
  const void* data;
  Storage storage;
  int64_t row, col;
};

/// C[m, n] = (accumulate ? C : 0) + bias + A[m, k] * B[k, n]. C's columns are adjacent. Storage types are f64 all
/// through, or any mix of f32, bf16 and f16; bias holds n elements of the compute type (float or double), or is null.
///
/// Every element of C is one chain of fma in ascending k that starts from C + bias, is kept in the compute type and
/// rounded once at the end. So its bits depend on its row of A, its column of B and its start only: not on m, n,
/// strides, packing, neighbours or threads. (The generic set rounds products too; sets differ from each other.)
struct GemmCall {
  int64_t m, n, k;
  GemmOperand a, b;
  void* c;
  Storage c_storage;
  int64_t c_row;
  bool accumulate = false;
  const void* bias = nullptr;
};

void gemm(const GemmCall& call);

/// B[k, n] rearranged once for the instruction set that was chosen when it was made; a product with it streams memory
/// in order. Keeps bf16 and f16 as they are (they are widened in registers).
class PackedPanels {
 public:
  PackedPanels() = default;
  PackedPanels(const GemmOperand& b, int64_t k, int64_t n);

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }
  Storage storage() const { return storage_; }
  Isa isa() const { return isa_; }
  const void* data() const { return data_.data(); }
  size_t bytes() const { return data_.bytes(); }

 private:
  Block data_;
  int64_t depth_ = 0, columns_ = 0;
  Storage storage_ = Storage::f32;
  Isa isa_ = Isa::generic;
};

/// `gemm` with B packed: call.b is ignored, n and k must be those of `b`. The same bits as `gemm`.
void gemm_packed(const GemmCall& call, const PackedPanels& b);

/// The kernels of `isa`.
const MatmulTable& matmul_table(Isa isa);

/// Bytes of one element.
inline size_t storage_size(Storage storage) { return storage == Storage::f64 ? 8 : storage == Storage::f32 ? 4 : 2; }

}  // namespace hearth::cpu
