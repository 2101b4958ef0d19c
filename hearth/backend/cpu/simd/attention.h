// Attention on one instruction set: raw pointers; a tile of query rows against blocks of 64 keys.
#pragma once

#include <stdint.h>

namespace hearth::cpu {

/// Keys of a block. Blocks are aligned to absolute positions in their sequence, whoever asks.
inline constexpr int attention_block = 64;
/// Largest head dimension.
inline constexpr int attention_max_dim = 256;
/// Floats between two value rows of a block: the head dimension rounded up to whole registers of every set.
static constexpr int64_t attention_value_stride(int64_t dim) { return (dim + 15) / 16 * 16; }

/// Query rows of one sequence and one key/value head. Rows may stand in any order.
struct AttentionRows {
  int64_t rows;
  int64_t dim;
  float scale;
  const float* const* q;   ///< [rows] pointers to dim floats
  const int64_t* visible;  ///< [rows] keys 0 .. visible - 1 take part, at least 1
};

/// The keys and values that the rows look at, as blocks of 64 keys.
struct AttentionBlocks {
  const void* const* keys;    ///< [blocks] pointers to a block [dim][64], a key a column
  const void* const* values;  ///< [blocks] pointers to a block [64][attention_value_stride(dim)]
  bool bfloat16;              ///< blocks hold bfloat16, not float32
};

struct AttentionKernels {
  /// For each row: s = scale * q . k (one fma chain over dim), an online softmax per block, out = sum p v (one fma
  /// chain over keys, begun anew at no block), lse = log sum exp s. out: [rows] pointers to dim floats; lse: [rows].
  /// work: attention_work(rows, dim) floats, 64-byte aligned.
  void (*forward)(const AttentionRows& rows, const AttentionBlocks& cache, float* const* out, float* lse, float* work);

  /// Adds the part of one key block to the gradients. dout: [rows] pointers; lse and delta = sum(dout * out): [rows];
  /// k, v: row-major blocks [64][stride], kt, vt: their transposes [dim][64]; first: position of the block's first key;
  /// keys: how many there are. dq: [rows] pointers to `stride` floats; dk, dv: [64][stride].
  /// work: attention_backward_work(rows, dim) floats, 64-byte aligned.
  void (*backward)(const AttentionRows& rows, const float* const* dout, const float* lse, const float* delta,
                   const float* k, const float* kt, const float* vt, int64_t first, int64_t keys, float* const* dq,
                   float* dk, float* dv, float* work);

  /// Sum of a[i] * b[i], fixed tree.
  float (*dot)(const float* a, const float* b, int64_t dim);
};

/// Floats of work space that `forward` and `backward` ask for.
static constexpr int64_t attention_work(int64_t rows, int64_t dim) {
  return (2 * rows + attention_block) * attention_value_stride(dim) + (dim + 8) * attention_block + 17 * rows + 64;
}
static constexpr int64_t attention_backward_work(int64_t rows, int64_t dim) {
  return 2 * rows * (attention_value_stride(dim) + attention_block);
}

namespace generic {
extern const AttentionKernels attention_kernels;
}
namespace avx2 {
extern const AttentionKernels attention_kernels;
}
namespace avx512 {
extern const AttentionKernels attention_kernels;
}

}  // namespace hearth::cpu
