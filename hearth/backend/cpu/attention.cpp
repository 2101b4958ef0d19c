// Attention on the CPU: cuts sequences into tasks by shape and hands tiles of rows to the running instruction set.
#include "hearth/backend/kernels/attention.h"

#include <algorithm>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/attention.h"

namespace hearth::cpu {

extern kernels::AttentionStoreFn attention_store;
extern kernels::AttentionFn attention;

namespace {

/// Query rows of one task; tiles of 6 rows divide it.
constexpr int64_t task_rows = 96;

/// A run of tokens whose slots follow each other inside one block.
struct Run {
  int64_t first, count, slot;
};

std::vector<Run> runs_of(const Tensor& slots) {
  std::vector<Run> runs;
  const int64_t* slot = slots.data<int64_t>();
  for (int64_t t = 0; t < slots.numel(); ++t) {
    const bool follows =
        !runs.empty() && slot[t] == runs.back().slot + runs.back().count && slot[t] % attention_block != 0;
    if (follows)
      ++runs.back().count;
    else
      runs.push_back({t, 1, slot[t]});
  }
  return runs;
}

template <class T>
void store_run(const Run& run, const Tensor& keys, const Tensor& values, const Tensor& k, const Tensor& v,
               int64_t head) {
  const int64_t dim = keys.size(3), stride = values.size(4), blocks = keys.size(2);
  const int64_t block = run.slot / attention_block, column = run.slot % attention_block;
  const int64_t key_row = k.stride(0), value_row = v.stride(0);
  const int64_t at = (block / blocks * keys.size(1) + head) * blocks + block % blocks;
  T* to_key = keys.data<T>() + at * dim * attention_block + column;
  T* to_value = values.data<T>() + (at * attention_block + column) * stride;
  const float* from_key = k.data<float>() + run.first * key_row + head * k.stride(1);
  const float* from_value = v.data<float>() + run.first * value_row + head * v.stride(1);
  for (int64_t i = 0; i < dim; ++i)
    for (int64_t j = 0; j < run.count; ++j) to_key[i * attention_block + j] = T(from_key[j * key_row + i]);
  for (int64_t j = 0; j < run.count; ++j) {
    for (int64_t i = 0; i < dim; ++i) to_value[j * stride + i] = T(from_value[j * value_row + i]);
    for (int64_t i = dim; i < stride; ++i) to_value[j * stride + i] = T(0.0f);
  }
}

/// Some query rows of one sequence, all heads of one kv head's group.
struct Task {
  int64_t sequence, kv_head, first, count;  // rows [first, first + count)
};

struct Call {
  const Tensor &out, &lse, &q, &keys, &values, &page_table, &positions;
  const AttentionKernels& kernels;
  float scale;
  int64_t group;  // heads of a kv head
};

/// Pointers that a task needs; kept per thread, so that decoding allocates nothing.
struct Pointers {
  std::vector<const float*> q;
  std::vector<float*> out;
  std::vector<int64_t> visible;
  std::vector<const void*> keys, values;
  std::vector<float> lse, work;
  void clear() {
    q.clear();
    out.clear();
    visible.clear();
    keys.clear();
    values.clear();
  }
};

/// The blocks that hold the first `keys` keys of a sequence.
void find_blocks(const Call& call, const Task& task, int64_t keys, Pointers& p) {
  const int64_t blocks = call.keys.size(2), size = int64_t(dtype_size(call.keys.dtype()));
  const int64_t key_bytes = call.keys.size(3) * attention_block * size;
  const int64_t value_bytes = call.values.size(4) * attention_block * size;
  const int64_t* pages = call.page_table.data<int64_t>() + task.sequence * call.page_table.size(1);
  for (int64_t block = 0; block * attention_block < keys; ++block) {
    const int64_t at = (pages[block / blocks] * call.keys.size(1) + task.kv_head) * blocks + block % blocks;
    p.keys.push_back(static_cast<const char*>(call.keys.raw()) + at * key_bytes);
    p.values.push_back(static_cast<const char*>(call.values.raw()) + at * value_bytes);
  }
}

void run_task(const Call& call, const Task& task) {
  thread_local Pointers p;
  p.clear();
  const int64_t dim = call.q.size(2), heads = call.q.size(1), rows = task.count * call.group;
  const int64_t* position = call.positions.data<int64_t>();
  int64_t keys = 0;
  for (int64_t t = task.first; t < task.first + task.count; ++t)
    for (int64_t g = 0; g < call.group; ++g) {
      const int64_t head = task.kv_head * call.group + g;
      p.q.push_back(call.q.data<float>() + t * call.q.stride(0) + head * call.q.stride(1));
      p.out.push_back(call.out.data<float>() + (t * heads + head) * dim);
      p.visible.push_back(position[t] + 1);
      keys = std::max(keys, position[t] + 1);
    }
  find_blocks(call, task, keys, p);
  p.lse.resize(std::max(p.lse.size(), size_t(rows)));
  p.work.resize(std::max(p.work.size(), size_t(attention_work(rows, dim)) + 16));
  float* aligned = p.work.data() + (64 - reinterpret_cast<uintptr_t>(p.work.data()) % 64) % 64 / sizeof(float);
  call.kernels.forward({rows, dim, call.scale, p.q.data(), p.visible.data()},
                       {p.keys.data(), p.values.data(), call.keys.dtype() == Dtype::bfloat16}, p.out.data(),
                       p.lse.data(), aligned);
  float* lse = call.lse.data<float>() + task.first * heads + task.kv_head * call.group;
  for (int64_t r = 0; r < rows; ++r) lse[r / call.group * heads + r % call.group] = p.lse[size_t(r)];
}

/// Tasks of all sequences, the longest first so that threads end together; `work` becomes the sum of rows * keys.
std::vector<Task> cut(const Tensor& cu_seqlens, const int64_t* position, int64_t kv_heads, int64_t group,
                      int64_t& work) {
  const int64_t step = std::max<int64_t>(1, task_rows / group);
  const int64_t* start = cu_seqlens.data<int64_t>();
  std::vector<Task> tasks;
  for (int64_t s = 0; s + 1 < cu_seqlens.numel(); ++s)
    for (int64_t first = start[s]; first < start[s + 1]; first += step)
      for (int64_t head = 0; head < kv_heads; ++head) {
        tasks.push_back({s, head, first, std::min(step, start[s + 1] - first)});
        work += tasks.back().count * group * (position[first] + 1);
      }
  std::stable_sort(tasks.begin(), tasks.end(), [&](const Task& a, const Task& b) {
    return a.count * position[a.first + a.count - 1] > b.count * position[b.first + b.count - 1];
  });
  return tasks;
}

}  // namespace

void attention_store(const Tensor& keys, const Tensor& values, const Tensor& k, const Tensor& v, const Tensor& slots) {
  const std::vector<Run> runs = runs_of(slots);
  const int64_t heads = keys.size(1), tasks = int64_t(runs.size()) * heads;
  const int64_t grain = std::max<int64_t>(1, tasks * 16384 / std::max<int64_t>(1, k.numel()));
  parallel_for(0, tasks, grain, [&](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) {
      const Run& run = runs[size_t(i / heads)];
      if (keys.dtype() == Dtype::bfloat16)
        store_run<bfloat16>(run, keys, values, k, v, i % heads);
      else
        store_run<float>(run, keys, values, k, v, i % heads);
    }
  });
}

void attention(const Tensor& out, const Tensor& lse, const Tensor& q, const Tensor& keys, const Tensor& values,
               const Tensor& page_table, const Tensor& cu_seqlens, const Tensor& positions, double scale) {
  if (q.numel() == 0) return;
  const int64_t group = q.size(1) / keys.size(1);
  const Call call{out,
                  lse,
                  q,
                  keys,
                  values,
                  page_table,
                  positions,
                  select(generic::attention_kernels, avx2::attention_kernels, avx512::attention_kernels),
                  float(scale),
                  group};
  int64_t work = 0;
  const std::vector<Task> tasks = cut(cu_seqlens, positions.data<int64_t>(), keys.size(1), group, work);
  // About 10 us of work a range: decoding a short sequence is not worth waking a second thread.
  const int64_t count = int64_t(tasks.size());
  const int64_t grain = std::clamp<int64_t>(count * 100'000 / std::max<int64_t>(1, work * q.size(2)), 1, count);
  parallel_for(0, count, grain, [&](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) run_task(call, tasks[size_t(i)]);
  });
}

}  // namespace hearth::cpu
