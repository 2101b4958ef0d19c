// Attention: checks, the paged cache, and the formula in plain ops for float64 and higher derivatives.
#include "hearth/ops/attention.h"

#include <algorithm>
#include <cmath>

#include "hearth/backend/kernels/attention.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/softmax.h"
#include "hearth/ops/view.h"

namespace hearth {
namespace {

constexpr int64_t block = kernels::attention_block;

void check_heads(const char* name, const Tensor& q, const Tensor& k, const Tensor& v) {
  check<ShapeError>(q.dim() == 3 && k.dim() == 3 && k.shape() == v.shape(), name,
                    ": q must be [tokens, heads, dim], k and v [tokens, kv_heads, dim]: ", q.shape(), ", ", k.shape(),
                    ", ", v.shape());
  check<ShapeError>(q.size(2) == k.size(2) && q.size(2) >= 1 && q.size(2) <= kernels::attention_max_dim, name,
                    ": head dimensions must be equal and 1 to 256: ", q.size(2), " and ", k.size(2));
  check<ShapeError>(k.size(1) >= 1 && q.size(1) % k.size(1) == 0, name,
                    ": heads must be a multiple of kv_heads: ", q.size(1), " and ", k.size(1));
}

/// `cu_seqlens`, checked against the number of tokens, contiguous.
Tensor check_seqlens(const char* name, const Tensor& cu_seqlens, int64_t tokens) {
  check<DtypeError>(cu_seqlens.dtype() == Dtype::int64, name, ": cu_seqlens must be int64: ", cu_seqlens.dtype());
  check<ShapeError>(cu_seqlens.dim() == 1 && cu_seqlens.size(0) >= 1, name,
                    ": cu_seqlens must be [sequences + 1]: ", cu_seqlens.shape());
  const Tensor dense = contiguous(cu_seqlens);
  const int64_t* start = dense.data<int64_t>();
  const int64_t last = dense.numel() - 1;
  check<ValueError>(start[0] == 0 && start[last] == tokens, name, ": cu_seqlens must go from 0 to the ", tokens,
                    " tokens: ", start[0], " to ", start[last]);
  for (int64_t s = 0; s < last; ++s)
    check<ValueError>(start[s] <= start[s + 1], name, ": cu_seqlens must not fall: ", start[s], " then ", start[s + 1]);
  return dense;
}

/// Head rows that the kernel can read in place: last stride 1.
Tensor head_rows(const Tensor& x) { return x.stride(2) == 1 || x.size(2) == 1 ? x : contiguous(x); }

/// 0 where a row may look, -inf elsewhere: [tokens, tokens].
Tensor mask_of(const Tensor& cu_seqlens, int64_t tokens, bool causal, Dtype dtype) {
  const Tensor mask = full({tokens, tokens}, -INFINITY, Dtype::float64);
  const int64_t* start = cu_seqlens.data<int64_t>();
  for (int64_t s = 0; s + 1 < cu_seqlens.numel(); ++s)
    for (int64_t i = start[s]; i < start[s + 1]; ++i)
      for (int64_t j = start[s]; j < (causal ? i + 1 : start[s + 1]); ++j) mask.data<double>()[i * tokens + j] = 0;
  return to(mask, dtype);
}

/// Packed attention as products of whole matrices: q as [kv_heads, group, tokens, dim], k and v [kv_heads, 1, tokens,
/// dim].
struct Composed {
  Tensor q, k, v, p;
  double scale;

  Composed(const Tensor& q_, const Tensor& k_, const Tensor& v_, const Tensor& mask, double scale_)
      : q(by_group(q_, k_.size(1))), k(by_group(k_, k_.size(1))), v(by_group(v_, k_.size(1))), scale(scale_) {
    p = softmax(add(mul(matmul(q, transpose(k, -1, -2)), scale), mask), -1);
  }
  static Tensor by_group(const Tensor& x, int64_t kv_heads) {
    return permute(reshape(x, {x.size(0), kv_heads, x.size(1) / kv_heads, x.size(2)}), {1, 2, 0, 3});
  }
  static Tensor by_token(const Tensor& x) {
    return reshape(permute(x, {2, 0, 1, 3}), {x.size(2), x.size(0) * x.size(1), x.size(3)});
  }
  Tensor out() const { return by_token(matmul(p, v)); }
  Grads backward(const Tensor& dout) const {
    const Tensor dy = by_group(dout, k.size(0));
    const Tensor dp = matmul(dy, transpose(v, -1, -2));
    const Tensor ds = mul(mul(p, sub(dp, sum(mul(dp, p), {-1}, true))), scale);
    return {by_token(matmul(ds, k)), by_token(sum(matmul(transpose(ds, -1, -2), q), {1}, true)),
            by_token(sum(matmul(transpose(p, -1, -2), dy), {1}, true))};
  }
};

/// Slots of `positions` in pages: page * page_size + place. Raises IndexError for a position without a page.
Tensor slots_of(const char* name, const Tensor& page_table, const Tensor& cu_seqlens, const Tensor& positions,
                int64_t pages, int64_t page_size) {
  const Tensor slots = empty_like(positions);
  const int64_t *start = cu_seqlens.data<int64_t>(), *position = positions.data<int64_t>();
  for (int64_t s = 0; s + 1 < cu_seqlens.numel(); ++s) {
    const int64_t* table = page_table.data<int64_t>() + s * page_table.size(1);
    for (int64_t t = start[s]; t < start[s + 1]; ++t) {
      check<IndexError>(position[t] >= 0 && position[t] / page_size < page_table.size(1), name, ": position ",
                        position[t], " of token ", t, " is outside the ", page_table.size(1), " pages of ", page_size,
                        " of its sequence");
      const int64_t page = table[position[t] / page_size];
      check<IndexError>(page >= 0 && page < pages, name, ": page ", page, " of sequence ", s,
                        " is outside the cache of ", pages);
      slots.data<int64_t>()[t] = page * page_size + position[t] % page_size;
    }
  }
  return slots;
}

/// Fresh pages of one block for every sequence: the cache of a training forward. Row t sees positions[t] + 1 keys.
struct Temporary {
  AttentionCache cache;
  Tensor page_table, positions, visible;
};

Temporary temporary_cache(const Tensor& k, const Tensor& v, const Tensor& cu_seqlens, bool causal) {
  const int64_t *start = cu_seqlens.data<int64_t>(), sequences = cu_seqlens.numel() - 1;
  int64_t pages = 0, most = 0;
  for (int64_t s = 0; s < sequences; ++s) {
    const int64_t blocks = (start[s + 1] - start[s] + block - 1) / block;
    pages += blocks;
    most = std::max(most, blocks);
  }
  Temporary t;
  t.page_table = full({sequences, most}, -1, Dtype::int64);
  t.positions = Tensor::empty({k.size(0)}, Dtype::int64);
  t.visible = empty_like(t.positions);
  int64_t page = 0;
  for (int64_t s = 0; s < sequences; ++s)
    for (int64_t i = start[s]; i < start[s + 1]; ++i) {
      const int64_t position = i - start[s];
      t.positions.data<int64_t>()[i] = position;
      t.visible.data<int64_t>()[i] = causal ? position : start[s + 1] - start[s] - 1;
      if (position % block == 0) t.page_table.data<int64_t>()[s * most + position / block] = page++;
    }
  t.cache = attention_cache(pages, block, k.size(1), k.size(2));
  attention_cache_write(t.cache, k, v, t.page_table, cu_seqlens, t.positions);
  return t;
}

struct Result {
  Tensor out, lse;
};

Result forward(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cu_seqlens, double scale, bool causal) {
  NoGrad guard;
  const Result result{Tensor::empty(q.shape()), Tensor::empty({q.size(0), q.size(1)})};
  if (q.numel() == 0) return result;
  const Temporary t = temporary_cache(k, v, cu_seqlens, causal);
  kernels::attention(q.device(), result.out, result.lse, head_rows(q), t.cache.keys, t.cache.values, t.page_table,
                     cu_seqlens, t.visible, scale);
  return result;
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cu_seqlens, double scale,
                 bool causal) {
  check_heads("attention", q, k, v);
  check<ShapeError>(q.size(0) == k.size(0), "attention: q and k differ in tokens: ", q.shape(), " and ", k.shape());
  check<DtypeError>(q.dtype() == k.dtype() && q.dtype() == v.dtype() && is_floating(q.dtype()),
                    "attention: q, k and v must have one floating dtype: ", q.dtype(), ", ", k.dtype(), ", ",
                    v.dtype());
  const Tensor starts = check_seqlens("attention", cu_seqlens, q.size(0));
  if (q.dtype() == Dtype::float64) {
    if (q.numel() == 0) return mul(q, 1.0);
    return Composed(q, k, v, mask_of(starts, q.size(0), causal, q.dtype()), scale).out();
  }
  if (q.dtype() != Dtype::float32)
    return to(attention(to(q, Dtype::float32), to(k, Dtype::float32), to(v, Dtype::float32), starts, scale, causal),
              q.dtype());
  const Result result = forward(q, k, v, starts, scale, causal);
  if (!needs_grad(q, k, v)) return result.out;
  return record("attention", result.out, {q, k, v},
                [q = save(q), k = save(k), v = save(v), out = save_output(result.out), lse = result.lse, starts, scale,
                 causal](const GradContext& c) -> Grads {
                  const Tensor a = q.get(c), b = k.get(c), d = v.get(c);
                  if (a.numel() == 0) return {zeros_like(a), zeros_like(b), zeros_like(d)};
                  if (grad_enabled())
                    return Composed(a, b, d, mask_of(starts, a.size(0), causal, a.dtype()), scale).backward(c.dy());
                  const Grads grads = {empty_like(a), empty_like(b), empty_like(d)};
                  kernels::attention_backward(a.device(), grads[0], grads[1], grads[2], contiguous(c.dy()),
                                              head_rows(a), head_rows(b), head_rows(d), out.get(c), lse, starts, scale,
                                              causal);
                  return grads;
                });
}

AttentionCache attention_cache(int64_t pages, int64_t page_size, int64_t kv_heads, int64_t dim, Dtype dtype) {
  check<ValueError>(pages >= 0 && page_size > 0 && page_size % block == 0,
                    "attention_cache: page size must be a multiple of 64, pages not negative: ", page_size, ", ",
                    pages);
  check<ValueError>(kv_heads >= 1 && dim >= 1 && dim <= kernels::attention_max_dim,
                    "attention_cache: kv_heads must be at least 1, dim 1 to 256: ", kv_heads, ", ", dim);
  check<DtypeError>(dtype == Dtype::float32 || dtype == Dtype::bfloat16,
                    "attention_cache: dtype must be float32 or bfloat16: ", dtype);
  const int64_t blocks = page_size / block, padded = (dim + 15) / 16 * 16;
  return {Tensor::empty({pages, kv_heads, blocks, dim, block}, dtype),
          Tensor::empty({pages, kv_heads, blocks, block, padded}, dtype)};
}

namespace {

struct Indices {
  Tensor page_table, cu_seqlens, positions, slots;
};

Indices check_indices(const char* name, const AttentionCache& cache, const Tensor& x, const Tensor& page_table,
                      const Tensor& cu_seqlens, const Tensor& positions) {
  Indices i;
  i.cu_seqlens = check_seqlens(name, cu_seqlens, x.size(0));
  check<DtypeError>(page_table.dtype() == Dtype::int64 && positions.dtype() == Dtype::int64, name,
                    ": page_table and positions must be int64: ", page_table.dtype(), " and ", positions.dtype());
  check<ShapeError>(page_table.dim() == 2 && page_table.size(0) == i.cu_seqlens.numel() - 1, name,
                    ": page_table must be [sequences, pages]: ", page_table.shape());
  check<ShapeError>(positions.dim() == 1 && positions.size(0) == x.size(0), name,
                    ": one position per token is needed: ", positions.shape(), " for ", x.shape());
  i.page_table = contiguous(page_table);
  i.positions = contiguous(positions);
  i.slots = slots_of(name, i.page_table, i.cu_seqlens, i.positions, cache.pages(), cache.page_size());
  return i;
}

}  // namespace

void attention_cache_write(const AttentionCache& cache, const Tensor& k, const Tensor& v, const Tensor& page_table,
                           const Tensor& cu_seqlens, const Tensor& positions) {
  constexpr const char* name = "attention_cache_write";
  check_heads(name, k, k, v);
  check<ShapeError>(k.size(1) == cache.keys.size(1) && k.size(2) == cache.keys.size(3), name,
                    ": the cache was made for ", cache.keys.size(1), " heads of ", cache.keys.size(3), ": ", k.shape());
  check<DtypeError>(k.dtype() == v.dtype() && is_floating(k.dtype()) && k.dtype() != Dtype::float64, name,
                    ": k and v must be float32, bfloat16 or float16: ", k.dtype(), " and ", v.dtype());
  NoGrad guard;
  const Indices i = check_indices(name, cache, k, page_table, cu_seqlens, positions);
  kernels::attention_store(k.device(), cache.keys, cache.values, head_rows(to(k, Dtype::float32)),
                           head_rows(to(v, Dtype::float32)), i.slots);
}

Tensor attention_cached(const Tensor& q, const AttentionCache& cache, const Tensor& page_table,
                        const Tensor& cu_seqlens, const Tensor& positions, double scale) {
  constexpr const char* name = "attention_cached";
  check<ShapeError>(q.dim() == 3 && q.size(2) == cache.keys.size(3) && q.size(1) % cache.keys.size(1) == 0, name,
                    ": q must be [tokens, heads, dim] for a cache of ", cache.keys.size(1), " heads of ",
                    cache.keys.size(3), ": ", q.shape());
  check<DtypeError>(q.dtype() == Dtype::float32, name, ": q must be float32: ", q.dtype());
  check<ValueError>(!needs_grad(q), name, ": not differentiable: run it under NoGrad, or use attention");
  const Indices i = check_indices(name, cache, q, page_table, cu_seqlens, positions);
  // All pages in front of a row's position are read, so they are checked too, not only the one it stands in.
  for (int64_t s = 0; s + 1 < i.cu_seqlens.numel(); ++s) {
    const int64_t *start = i.cu_seqlens.data<int64_t>() + s,
                  *table = i.page_table.data<int64_t>() + s * page_table.size(1);
    int64_t needed = 0;
    for (int64_t t = start[0]; t < start[1]; ++t)
      needed = std::max(needed, i.positions.data<int64_t>()[t] / cache.page_size() + 1);
    for (int64_t p = 0; p < needed; ++p)
      check<IndexError>(table[p] >= 0 && table[p] < cache.pages(), name, ": page ", table[p], " of sequence ", s,
                        " is outside the cache of ", cache.pages());
  }
  const Tensor out = Tensor::empty(q.shape()), lse = Tensor::empty({q.size(0), q.size(1)});
  kernels::attention(q.device(), out, lse, head_rows(q), cache.keys, cache.values, i.page_table, i.cu_seqlens,
                     i.positions, scale);
  return out;
}

}  // namespace hearth
