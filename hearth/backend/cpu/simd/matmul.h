// Matrix product kernels, one table per instruction set: what simd/matmul.cpp offers to gemm.cpp. Plain structs and
// pointers only, so that this header can be included on both sides.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

/// How an element is stored. Arithmetic is in float for f32, bf16 and f16, in double for f64.
enum class Storage : int { f32, f64, bf16, f16 };

/// C[rows, width] = (load_c ? C : 0) + bias + A[rows, depth] * B[depth, width] for one panel of B, width <=
/// panel_width. Strides are in elements. A and C are of the compute type. Columns of a row of B are adjacent and
/// readable up to the next multiple of `lanes`. Each element is one chain of fma in ascending depth, whatever the other
/// arguments are.
struct PanelCall {
  const void* a;
  int64_t a_row, a_col;
  int64_t rows, depth;
  const void* b;
  Storage b_storage;
  int64_t b_row;
  int64_t b_col;  // 1, except for `thin`
  int64_t width;
  void* c;
  int64_t c_row;
  bool load_c;
  const void* bias;  // width elements of the compute type, or null
};

/// Most rows of a product that reads B unpacked.
constexpr int thin_row_limit = 4;

/// Copies B[depth, width] (any strides) to rows of `padded` adjacent elements, zeros beyond width. `to` is the compute
/// type of `from`, or the same as `from`.
struct PackCall {
  const void* source;
  Storage from;
  int64_t row, col;
  int64_t depth, width, padded;
  void* target;
  Storage to;
};

/// What one instruction set offers for one compute type.
struct MatmulKernels {
  int tile_rows;    // rows that share each load of B
  int panel_width;  // columns of a full panel
  int lanes;        // columns of one register
  int depth_block;  // depth for which a panel of B stays in the first-level cache
  void (*panel)(const PanelCall& call);
  void (*thin)(const PanelCall& call);  // any width, at most thin_row_limit rows; one of B's strides is 1 (f64: b_col)
  void (*pack)(const PackCall& call);
};

/// Moves `count` elements between storage types of one compute type; to f16 and bf16 rounds to nearest even.
using ConvertFunction = void (*)(const void* source, Storage from, void* target, Storage to, int64_t count);

/// A whole instruction set.
struct MatmulTable {
  MatmulKernels f32, f64;
  ConvertFunction convert;
};

namespace generic {
const MatmulTable& matmul_table();
}
namespace avx2 {
const MatmulTable& matmul_table();
}
namespace avx512 {
const MatmulTable& matmul_table();
}

}  // namespace hearth::cpu
