// Own matrix product: operands are packed in blocks, tiles of C are spread over threads by shape.
#include "hearth/backend/cpu/gemm.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/error.h"

namespace hearth::cpu {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

Storage compute_type(Storage storage) { return storage == Storage::f64 ? Storage::f64 : Storage::f32; }

const char* at(const void* p, int64_t elements, Storage storage) {
  return static_cast<const char*>(p) + elements * int64_t(storage_size(storage));
}
char* at(void* p, int64_t elements, Storage storage) {
  return static_cast<char*>(p) + elements * int64_t(storage_size(storage));
}

/// A buffer that grows and is kept for the next product of this thread.
class Scratch {
 public:
  ~Scratch() { free_aligned_memory(data_); }
  void* get(size_t bytes) {
    if (bytes > bytes_) {
      free_aligned_memory(data_);
      data_ = nullptr;
      bytes_ = 0;
      data_ = aligned_memory(bytes, "matmul: scratch");
      bytes_ = bytes;
    }
    return data_;
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

// The caller's scratch outlives the loops in which it also works as one of the threads, hence two sets.
thread_local Scratch caller_a, caller_b, caller_c, worker_b, worker_c;

/// One product in the compute type, B already in panels over the whole depth.
struct Tiles {
  const MatmulTable& table;
  const MatmulKernels& kernels;
  Storage compute;
  int64_t m, n, k;
  const void* a;
  int64_t a_row, a_col;
  const void* b;
  Storage b_storage;
  void* c;
  Storage c_storage;
  int64_t c_row;
  bool load_c;
  const void* bias;
};

/// How a product is cut for threads: by its shape only.
struct Cut {
  int64_t row_block, row_blocks;
  int64_t panel_group, groups;
};

/// Microseconds that a product should take on one thread, roughly: arithmetic or memory, whichever is slower.
double expected_us(double m, double n, double k, double b_element) {
  constexpr double flops_per_us = 1e5, bytes_per_us = 4e4;
  return std::max(2 * m * n * k / flops_per_us, n * k * b_element / bytes_per_us);
}

Cut cut(const Tiles& t) {
  constexpr int64_t enough_tasks = 32;
  constexpr double shortest_us = 5;
  const int64_t panels = ceil_div(t.n, t.kernels.panel_width), step = t.kernels.tile_rows;
  const double element = double(storage_size(t.b_storage));
  if (expected_us(double(t.m), double(t.n), double(t.k), element) < 2 * shortest_us) return {t.m, 1, panels, 1};
  int64_t rows = std::min(round_up(t.m, step), round_up(512, step));
  while (panels * ceil_div(t.m, rows) < enough_tasks && rows > 8 * step) rows = round_up(rows / 2, step);
  const double one = expected_us(double(std::min(rows, t.m)), t.kernels.panel_width, double(t.k), element);
  const int64_t group = std::clamp<int64_t>(int64_t(shortest_us / one) + 1, 1, panels);
  return {rows, ceil_div(t.m, rows), group, ceil_div(panels, group)};
}

/// Rows [row, row + rows) of one panel. Half-precision results are summed in a float copy and rounded once.
void run_panel(const Tiles& t, int64_t row, int64_t rows, int64_t panel) {
  const int64_t full = t.kernels.panel_width, column = panel * full, width = std::min(full, t.n - column);
  const bool half = t.c_storage != t.compute;
  PanelCall call{.a = at(t.a, row * t.a_row, t.compute),
                 .a_row = t.a_row,
                 .a_col = t.a_col,
                 .rows = rows,
                 .depth = t.k,
                 .b = at(t.b, column * t.k, t.b_storage),
                 .b_storage = t.b_storage,
                 .b_row = round_up(width, t.kernels.lanes),
                 .width = width,
                 .c = at(t.c, row * t.c_row + column, t.c_storage),
                 .c_row = t.c_row,
                 .load_c = t.load_c,
                 .bias = t.bias ? at(t.bias, column, t.compute) : nullptr};
  if (!half) return t.kernels.panel(call);
  char* const home = static_cast<char*>(call.c);
  float* const sums = static_cast<float*>(worker_c.get(size_t(rows * full) * sizeof(float)));
  if (t.load_c)
    for (int64_t i = 0; i < rows; ++i)
      t.table.convert(at(home, i * t.c_row, t.c_storage), t.c_storage, sums + i * full, Storage::f32, width);
  call.c = sums;
  call.c_row = full;
  t.kernels.panel(call);
  for (int64_t i = 0; i < rows; ++i)
    t.table.convert(sums + i * full, Storage::f32, at(home, i * t.c_row, t.c_storage), t.c_storage, width);
}

void run_tiles(const Tiles& t) {
  const Cut c = cut(t);
  const int64_t panels = ceil_div(t.n, t.kernels.panel_width);
  parallel_for(0, c.groups * c.row_blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task % c.row_blocks * c.row_block, first = task / c.row_blocks * c.panel_group;
      const int64_t last = std::min(panels, first + c.panel_group);
      for (int64_t panel = first; panel < last; ++panel) run_panel(t, row, std::min(c.row_block, t.m - row), panel);
    }
  });
}

/// Packs columns [0, n) of B into panels, each over the whole depth k.
void pack_panels(const MatmulKernels& kernels, const GemmOperand& b, int64_t k, int64_t n, void* target, Storage to) {
  const int64_t full = kernels.panel_width, panels = ceil_div(n, full);
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, k * full / 8));
  parallel_for(0, panels, grain, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t column = panel * full, width = std::min(full, n - column);
      kernels.pack({at(b.data, column * b.col, b.storage), b.storage, b.row, b.col, k, width,
                    round_up(width, kernels.lanes), at(target, column * k, to), to});
    }
  });
}

/// Copies A[m, k] to dense rows of the compute type; the row stride is padded so that rows do not share cache sets.
int64_t densify(const MatmulKernels& kernels, const GemmOperand& a, int64_t m, int64_t k, Storage compute,
                void*& target) {
  const int64_t stride = round_up(k, 16) + 16;
  target = caller_a.get(size_t(m * stride) * storage_size(compute));
  const int64_t grain = 16 * std::max<int64_t>(1, 4096 / std::max<int64_t>(1, k));
  parallel_for(0, m, grain, [&](int64_t begin, int64_t end) {
    kernels.pack({at(a.data, begin * a.row, a.storage), a.storage, a.row, a.col, end - begin, k, stride,
                  at(target, begin * stride, compute), compute});
  });
  return stride;
}

/// Few rows: each task packs a slice of its own panel and uses it at once, so B passes through the caches once.
void gemm_few_rows(const GemmCall& call, const MatmulTable& table, const MatmulKernels& kernels, Storage compute) {
  constexpr int64_t slice = 128;
  GemmOperand a = call.a;
  if (a.storage != compute) {
    void* dense = nullptr;
    const int64_t stride = densify(kernels, a, call.m, call.k, compute, dense);
    a = {dense, compute, stride, 1};
  }
  const int64_t full = kernels.panel_width, panels = ceil_div(call.n, full);
  const double one = expected_us(double(call.m), double(full), double(call.k), double(storage_size(call.b.storage)));
  const int64_t grain = one * double(panels) < 10 ? panels : int64_t(5 / one) + 1;
  const bool half = call.c_storage != compute;
  parallel_for(0, panels, grain, [&](int64_t begin, int64_t end) {
    const size_t element = storage_size(compute);
    void* const packed = worker_b.get(size_t(slice * full) * element);
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t column = panel * full, width = std::min(full, call.n - column);
      const int64_t padded = round_up(width, kernels.lanes);
      void* c = at(call.c, column, call.c_storage);
      int64_t c_row = call.c_row;
      if (half) {
        c = worker_c.get(size_t(call.m * full) * element);
        c_row = full;
        for (int64_t i = 0; call.accumulate && i < call.m; ++i)
          table.convert(at(call.c, i * call.c_row + column, call.c_storage), call.c_storage, at(c, i * full, compute),
                        compute, width);
      }
      PanelCall p{.a = a.data,
                  .a_row = a.row,
                  .a_col = a.col,
                  .rows = call.m,
                  .depth = call.k,
                  .b = packed,
                  .b_storage = compute,
                  .b_row = padded,
                  .width = width,
                  .c = c,
                  .c_row = c_row,
                  .load_c = call.accumulate,
                  .bias = call.bias ? at(call.bias, column, compute) : nullptr};
      const bool direct = call.b.col == 1 && call.m <= kernels.tile_rows && width == padded;
      if (direct) {
        p.b = at(call.b.data, column, call.b.storage);
        p.b_storage = call.b.storage;
        p.b_row = call.b.row;
        kernels.panel(p);
      }
      for (int64_t k = 0; !direct && k < call.k; k += slice) {
        p.depth = std::min(slice, call.k - k);
        kernels.pack({at(call.b.data, k * call.b.row + column * call.b.col, call.b.storage), call.b.storage, call.b.row,
                      call.b.col, p.depth, width, padded, packed, compute});
        p.a = at(a.data, k * a.col, compute);
        kernels.panel(p);
        p.load_c = true;
        p.bias = nullptr;
      }
      for (int64_t i = 0; half && i < call.m; ++i)
        table.convert(at(c, i * full, compute), compute, at(call.c, i * call.c_row + column, call.c_storage),
                      call.c_storage, width);
    }
  });
}

/// Many rows: blocks of B (and of A, unless its rows are dense already) are packed once by all threads.
void gemm_blocked(const GemmCall& call, const MatmulTable& table, const MatmulKernels& kernels, Storage compute) {
  constexpr int64_t most_depth = 1024, most_rows = 2048, packed_bytes = 4 << 20;
  const int64_t element = int64_t(storage_size(compute)), full = kernels.panel_width;
  const int64_t depth_step = std::min(call.k, most_depth);
  const int64_t column_step = std::max(full, packed_bytes / (element * depth_step) / full * full);
  const bool half = call.c_storage != compute, dense = call.a.storage == compute && call.a.col == 1;
  for (int64_t j = 0; j < call.n; j += column_step)
    for (int64_t i = 0; i < call.m; i += most_rows) {
      const int64_t n = std::min(column_step, call.n - j), m = std::min(most_rows, call.m - i);
      char* const home = at(call.c, i * call.c_row + j, call.c_storage);
      // One block of depth is rounded by its own tasks; several are summed in a float copy of this block of C.
      const bool copied = half && call.k > depth_step;
      float* const sums = copied ? static_cast<float*>(caller_c.get(size_t(m * n) * sizeof(float))) : nullptr;
      for (int64_t r = 0; copied && call.accumulate && r < m; ++r)
        table.convert(at(home, r * call.c_row, call.c_storage), call.c_storage, sums + r * n, Storage::f32, n);
      for (int64_t k = 0; k < call.k; k += depth_step) {
        const int64_t depth = std::min(depth_step, call.k - k);
        void* const packed = caller_b.get(size_t(depth * round_up(n, kernels.lanes) * element));
        pack_panels(
            kernels,
            {at(call.b.data, k * call.b.row + j * call.b.col, call.b.storage), call.b.storage, call.b.row, call.b.col},
            depth, n, packed, compute);
        GemmOperand a{at(call.a.data, i * call.a.row + k * call.a.col, call.a.storage), call.a.storage, call.a.row,
                      call.a.col};
        if (!dense) {
          void* rows = nullptr;
          const int64_t stride = densify(kernels, a, m, depth, compute, rows);
          a = {rows, compute, stride, 1};
        }
        run_tiles({table, kernels, compute, m, n, depth, a.data, a.row, a.col, packed, compute,
                   copied ? static_cast<void*>(sums) : home, copied ? compute : call.c_storage, copied ? n : call.c_row,
                   call.accumulate || k > 0, call.bias && k == 0 ? at(call.bias, j, compute) : nullptr});
      }
      for (int64_t r = 0; copied && r < m; ++r)
        table.convert(sums + r * n, Storage::f32, at(home, r * call.c_row, call.c_storage), call.c_storage, n);
    }
}

/// Depth 0: nothing to add to C.
void add_nothing(const GemmCall& call, const MatmulTable& table) {
  const Storage compute = compute_type(call.c_storage);
  const MatmulKernels& kernels = compute == Storage::f64 ? table.f64 : table.f32;
  const GemmOperand none{call.c, compute, 0, 0};
  run_tiles({table, kernels, compute, call.m, call.n, 0, none.data, 0, 0, none.data, compute, call.c, call.c_storage,
             call.c_row, call.accumulate, call.bias});
}

}  // namespace

const MatmulTable& matmul_table(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512) return avx512::matmul_table();
  if (isa == Isa::avx2) return avx2::matmul_table();
#endif
  (void)isa;
  return generic::matmul_table();
}

void* aligned_memory(size_t bytes, const char* purpose) {
  constexpr size_t huge = size_t(2) << 20;
  const size_t alignment = bytes >= huge ? huge : 64, rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const p = std::aligned_alloc(alignment, std::max(rounded, alignment));
  check<OutOfMemoryError>(p != nullptr, purpose, ": out of memory: ", bytes, " bytes");
#if defined(MADV_HUGEPAGE)
  if (alignment == huge) madvise(p, rounded, MADV_HUGEPAGE);
#endif
  return p;
}

void free_aligned_memory(void* p) { std::free(p); }

void gemm(const GemmCall& call) {
  if (call.m <= 0 || call.n <= 0) return;
  const MatmulTable& table = matmul_table(isa());
  if (call.k <= 0) return add_nothing(call, table);
  const Storage compute = compute_type(call.c_storage);
  const MatmulKernels& kernels = compute == Storage::f64 ? table.f64 : table.f32;
  if (call.m <= 4 * kernels.tile_rows) return gemm_few_rows(call, table, kernels, compute);
  gemm_blocked(call, table, kernels, compute);
}

void PackedPanels::Free::operator()(void* p) const { free_aligned_memory(p); }

PackedPanels::PackedPanels(const GemmOperand& b, int64_t k, int64_t n)
    : depth_(k), columns_(n), storage_(b.storage), isa_(hearth::cpu::isa()) {
  const MatmulTable& table = matmul_table(isa_);
  const MatmulKernels& kernels = storage_ == Storage::f64 ? table.f64 : table.f32;
  bytes_ = size_t(k * round_up(n, kernels.lanes)) * storage_size(storage_);
  data_.reset(aligned_memory(bytes_, "matmul: packed weight"));
  if (k > 0 && n > 0) pack_panels(kernels, b, k, n, data_.get(), storage_);
}

void gemm_packed(const GemmCall& call, const PackedPanels& b) {
  if (call.m <= 0 || call.n <= 0) return;
  const MatmulTable& table = matmul_table(b.isa());
  if (call.k <= 0) return add_nothing(call, table);
  const Storage compute = compute_type(call.c_storage);
  const MatmulKernels& kernels = compute == Storage::f64 ? table.f64 : table.f32;
  constexpr int64_t most_rows = 2048;
  const bool dense = call.a.storage == compute && call.a.col == 1;
  for (int64_t i = 0; i < call.m; i += dense ? call.m : most_rows) {
    const int64_t m = dense ? call.m : std::min(most_rows, call.m - i);
    GemmOperand a{at(call.a.data, i * call.a.row, call.a.storage), call.a.storage, call.a.row, call.a.col};
    if (!dense) {
      void* rows = nullptr;
      const int64_t stride = densify(kernels, a, m, call.k, compute, rows);
      a = {rows, compute, stride, 1};
    }
    run_tiles({table, kernels, compute, m, call.n, call.k, a.data, a.row, a.col, b.data(), b.storage(),
               at(call.c, i * call.c_row, call.c_storage), call.c_storage, call.c_row, call.accumulate, call.bias});
  }
}

}  // namespace hearth::cpu
