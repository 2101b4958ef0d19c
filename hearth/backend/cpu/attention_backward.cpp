// Attention backward on the CPU: one task per sequence and kv head walks over its key blocks.
#include <algorithm>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/attention.h"
#include "hearth/backend/kernels/attention.h"

namespace hearth::cpu {

extern kernels::AttentionBackwardFn attention_backward;

namespace {

/// Query rows that the kernel takes at once; they and their probabilities stay in the second-level cache.
constexpr int64_t chunk_rows = 48;

struct Call {
  const Tensor &dq, &dk, &dv, &dout, &q, &k, &v, &lse, &delta;
  const AttentionKernels& kernels;
  float scale;
  bool causal;
  int64_t heads, kv_heads, group, dim, stride;
};

/// The rows of one sequence that look at one kv head, position by position, then head by head.
struct Rows {
  std::vector<const float*> q, dout;
  std::vector<float*> dq;
  std::vector<int64_t> visible;
  std::vector<float> lse, delta;
  Tensor dq_memory;  // [rows, stride]
};

Rows gather(const Call& call, int64_t begin, int64_t end, int64_t kv_head) {
  Rows rows;
  const int64_t length = end - begin;
  rows.dq_memory = Tensor::empty({length * call.group, call.stride});
  float* dq = rows.dq_memory.data<float>();
  std::fill(dq, dq + rows.dq_memory.numel(), 0.0f);
  for (int64_t t = begin; t < end; ++t)
    for (int64_t g = 0; g < call.group; ++g) {
      const int64_t head = kv_head * call.group + g;
      rows.q.push_back(call.q.data<float>() + t * call.q.stride(0) + head * call.q.stride(1));
      rows.dout.push_back(call.dout.data<float>() + (t * call.heads + head) * call.dim);
      rows.dq.push_back(dq);
      dq += call.stride;
      rows.visible.push_back(call.causal ? t - begin + 1 : length);
      rows.lse.push_back(call.lse.data<float>()[t * call.heads + head]);
      rows.delta.push_back(call.delta.data<float>()[t * call.heads + head]);
    }
  return rows;
}

/// Copies of one key block: as it is and transposed, absent keys zero.
struct Block {
  float *k, *kt, *vt, *dk, *dv;
};

void load_block(const Call& call, int64_t first, int64_t keys, int64_t head, const Block& block) {
  std::fill(block.k, block.k + attention_block * call.stride, 0.0f);
  std::fill(block.kt, block.kt + attention_block * call.dim, 0.0f);
  std::fill(block.vt, block.vt + attention_block * call.dim, 0.0f);
  for (int64_t j = 0; j < keys; ++j) {
    const float* k = call.k.data<float>() + (first + j) * call.k.stride(0) + head * call.k.stride(1);
    std::copy(k, k + call.dim, block.k + j * call.stride);
  }
  for (int64_t i = 0; i < call.dim; ++i)
    for (int64_t j = 0; j < keys; ++j) block.kt[i * attention_block + j] = block.k[j * call.stride + i];
  const float* v = call.v.data<float>() + first * call.v.stride(0) + head * call.v.stride(1);
  for (int64_t i = 0; i < call.dim; ++i)
    for (int64_t j = 0; j < keys; ++j) block.vt[i * attention_block + j] = v[j * call.v.stride(0) + i];
  std::fill(block.dk, block.dk + attention_block * call.stride, 0.0f);
  std::fill(block.dv, block.dv + attention_block * call.stride, 0.0f);
}

void store_block(const Call& call, int64_t first, int64_t keys, int64_t head, const Block& block) {
  for (int64_t j = 0; j < keys; ++j) {
    const int64_t at = ((first + j) * call.kv_heads + head) * call.dim;
    std::copy(block.dk + j * call.stride, block.dk + j * call.stride + call.dim, call.dk.data<float>() + at);
    std::copy(block.dv + j * call.stride, block.dv + j * call.stride + call.dim, call.dv.data<float>() + at);
  }
}

void run_task(const Call& call, int64_t begin, int64_t end, int64_t kv_head) {
  Rows rows = gather(call, begin, end, kv_head);
  const int64_t count = int64_t(rows.q.size()), step = std::max<int64_t>(1, chunk_rows / call.group) * call.group;
  const int64_t padded = attention_block * call.stride, plain = attention_block * call.dim;
  const Tensor memory = Tensor::empty({3 * padded + 2 * plain + attention_backward_work(step, call.dim) + 16});
  float* at = memory.data<float>();
  const Block block{at, at + padded, at + padded + plain, at + padded + 2 * plain, at + 2 * padded + 2 * plain};
  float* work = at + 3 * padded + 2 * plain;
  for (int64_t first = 0; first < end - begin; first += attention_block) {
    const int64_t keys = std::min<int64_t>(attention_block, end - begin - first);
    load_block(call, begin + first, keys, kv_head, block);
    for (int64_t r = call.causal ? first * call.group / step * step : 0; r < count; r += step) {
      const size_t row = size_t(r);
      call.kernels.backward({std::min(step, count - r), call.dim, call.scale, &rows.q[row], &rows.visible[row]},
                            &rows.dout[row], &rows.lse[row], &rows.delta[row], block.k, block.kt, block.vt, first, keys,
                            &rows.dq[row], block.dk, block.dv, work);
    }
    store_block(call, begin + first, keys, kv_head, block);
  }
  for (int64_t r = 0; r < count; ++r) {
    float* to = call.dq.data<float>() +
                ((begin + r / call.group) * call.heads + kv_head * call.group + r % call.group) * call.dim;
    for (int64_t i = 0; i < call.dim; ++i) to[i] = call.scale * rows.dq[size_t(r)][i];
  }
}

}  // namespace

void attention_backward(const Tensor& dq, const Tensor& dk, const Tensor& dv, const Tensor& dout, const Tensor& q,
                        const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse,
                        const Tensor& cu_seqlens, double scale, bool causal) {
  if (q.numel() == 0) return;
  const AttentionKernels& kernels =
      select(generic::attention_kernels, avx2::attention_kernels, avx512::attention_kernels);
  const int64_t heads = q.size(1), kv_heads = k.size(1), dim = q.size(2);
  const Tensor delta = Tensor::empty({q.size(0), heads});
  const float *o = out.data<float>(), *g = dout.data<float>();
  parallel_for(0, delta.numel(), std::max<int64_t>(1, 32768 / dim), [&](int64_t b, int64_t e) {
    for (int64_t r = b; r < e; ++r) delta.data<float>()[r] = kernels.dot(o + r * dim, g + r * dim, dim);
  });
  const Call call{dq,
                  dk,
                  dv,
                  dout,
                  q,
                  k,
                  v,
                  lse,
                  delta,
                  kernels,
                  float(scale),
                  causal,
                  heads,
                  kv_heads,
                  heads / kv_heads,
                  dim,
                  attention_value_stride(dim)};
  const int64_t* start = cu_seqlens.data<int64_t>();
  std::vector<int64_t> order;
  for (int64_t s = 0; s + 1 < cu_seqlens.numel(); ++s)
    if (start[s + 1] > start[s]) order.push_back(s);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return start[a + 1] - start[a] > start[b + 1] - start[b]; });
  int64_t work = 1;
  for (int64_t i : order) work += (start[i + 1] - start[i]) * (start[i + 1] - start[i]) * heads * dim;
  const int64_t tasks = int64_t(order.size()) * kv_heads;
  // Short sequences are not worth waking a second thread: about 10 us of work a range.
  parallel_for(0, tasks, std::max<int64_t>(1, tasks * 50'000 / work), [&](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) {
      const int64_t s = order[size_t(i / kv_heads)];
      run_task(call, start[s], start[s + 1], i % kv_heads);
    }
  });
}

}  // namespace hearth::cpu
