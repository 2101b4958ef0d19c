// Contract of attention over packed sequences with grouped heads, and of its paged cache of keys and values.
//
// Shapes: q, out, dout, dq [tokens, heads, dim]; k, v, dk, dv [tokens, kv_heads, dim]; heads a multiple of kv_heads
// (head h looks at kv head h / (heads / kv_heads)); dim 1 to 256; lse [tokens, heads]; cu_seqlens [sequences + 1]
// int64, rows of sequence s are cu_seqlens[s] .. cu_seqlens[s + 1] - 1. All contiguous, but q, k, v may have any token
// and head stride. Cache: keys [pages, kv_heads, page / 64, dim, 64], values [pages, kv_heads, page / 64, 64, padded
// dim] (dim rounded up to 16): blocks of 64 keys, keys transposed. page_table [sequences, most pages] int64 names each
// sequence's pages in order; entries that no visible position needs may be anything. Dtypes: float32; the cache float32
// or bfloat16 (widened, arithmetic in float32). Indices are checked by the caller. Arithmetic of a row: score = one fma
// chain over dim; an online softmax over blocks of 64 keys aligned to positions; output = one fma chain over keys; keys
// behind the row's position are never touched. Invariance: out and lse: row, batch and thread, and the same bits
// whether keys come from k and v (packed on the way) or from a float32 cache. dq, dk and dv: thread and batch; a kv
// head sums over its heads and rows in ascending order.
#pragma once

#include "hearth/backend/slot.h"
#include "hearth/core/tensor.h"

namespace hearth::kernels {

/// Keys of a block.
inline constexpr int64_t attention_block = 64;
inline constexpr int64_t attention_max_dim = 256;

/// Writes k and v of every token into the cache; slots [tokens] int64 = page * page size + place in the page.
using AttentionStoreFn = void(const Tensor& keys, const Tensor& values, const Tensor& k, const Tensor& v,
                              const Tensor& slots);
/// Row t of a sequence sees the keys at positions 0 .. positions[t] (int64 [tokens]). Needs contiguous q rows (dim).
using AttentionFn = void(const Tensor& out, const Tensor& lse, const Tensor& q, const Tensor& keys,
                         const Tensor& values, const Tensor& page_table, const Tensor& cu_seqlens,
                         const Tensor& positions, double scale);
/// Gradients of training attention, in which every key's sequence is that of its row.
using AttentionBackwardFn = void(const Tensor& dq, const Tensor& dk, const Tensor& dv, const Tensor& dout,
                                 const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out,
                                 const Tensor& lse, const Tensor& cu_seqlens, double scale, bool causal);

inline constinit Slot<AttentionStoreFn> attention_store{"attention_store"};
inline constinit Slot<AttentionFn> attention{"attention"};
inline constinit Slot<AttentionBackwardFn> attention_backward{"attention_backward"};

}  // namespace hearth::kernels
