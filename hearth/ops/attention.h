// Scaled dot-product attention over packed sequences, in training and against a paged cache of keys and values.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// softmax(scale * q k^T) v inside each sequence (Vaswani et al. 2017; computed in blocks, Dao et al. 2022).
/// Shapes: q [tokens, heads, dim], k and v [tokens, kv_heads, dim], dim 1 to 256, heads a multiple of kv_heads;
/// cu_seqlens int64 [sequences + 1]: 0, the ends of the sequences, tokens. Causal: a row sees itself and what is
/// before. Differentiable in q, k and v. float32 has the fast kernel; float16 and bfloat16 are widened; float64 is
/// computed with plain ops. Raises ShapeError, DtypeError, ValueError for cu_seqlens out of order. Example: Tensor y =
/// attention(q, k, v, cu_seqlens, 1 / std::sqrt(64.0));
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cu_seqlens, double scale,
                 bool causal = true);

/// Keys and values of many sequences in pages; make it with `attention_cache`. Its layout is the kernel's.
struct AttentionCache {
  Tensor keys, values;
  int64_t pages() const { return keys.size(0); }
  int64_t page_size() const { return keys.size(2) * keys.size(4); }
};

/// An empty cache of `pages` pages of `page_size` tokens (a multiple of 64), float32 or bfloat16.
/// Raises ValueError, DtypeError, OutOfMemoryError. Example: AttentionCache cache = attention_cache(128, 64, 8, 64);
AttentionCache attention_cache(int64_t pages, int64_t page_size, int64_t kv_heads, int64_t dim,
                               Dtype dtype = Dtype::float32);

/// Writes k and v of new tokens into the cache. Token t of sequence s (as cu_seqlens cuts them) goes to its position.
/// Shapes: k, v [tokens, kv_heads, dim]; page_table int64 [sequences, n]: the pages of each sequence in order;
/// cu_seqlens int64 [sequences + 1]; positions int64 [tokens]. Raises ShapeError, DtypeError, ValueError, IndexError
/// for a position without a page.
void attention_cache_write(const AttentionCache& cache, const Tensor& k, const Tensor& v, const Tensor& page_table,
                           const Tensor& cu_seqlens, const Tensor& positions);

/// Attention of new rows over the cache: row t sees its sequence's keys at positions 0 .. positions[t], which must have
/// been written. Serves prefill and decoding; a row's bits are those of `attention` in training (float32 cache).
/// Shapes as in attention_cache_write, q [tokens, heads, dim] float32. Not differentiable: raises ValueError when q
/// requires grad in grad mode. Example: Tensor y = attention_cached(q, cache, page_table, cu_seqlens, positions,
/// scale);
Tensor attention_cached(const Tensor& q, const AttentionCache& cache, const Tensor& page_table,
                        const Tensor& cu_seqlens, const Tensor& positions, double scale);

}  // namespace hearth
