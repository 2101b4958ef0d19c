// Own matrix product: operands are packed in blocks, tiles of C are spread over threads by shape.
#include "hearth/backend/cpu/gemm.h"

#include <algorithm>

#include "hearth/backend/cpu/parallel.h"

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

// The caller's scratch outlives the loops in which it also works as one of the threads, hence two sets.
thread_local Block caller_a, caller_b, caller_c, worker_b, worker_c;

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
  // A block of rows stays in the second-level cache while the panels pass by.
  constexpr int64_t near_bytes = 512 << 10;
  const int64_t near_rows = near_bytes / int64_t(storage_size(t.compute)) / std::max<int64_t>(t.k, 1);
  int64_t rows = std::min(round_up(t.m, step), round_up(std::clamp<int64_t>(near_rows, 64, 512), step));
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
                 .b_col = 1,
                 .width = width,
                 .c = at(t.c, row * t.c_row + column, t.c_storage),
                 .c_row = t.c_row,
                 .load_c = t.load_c,
                 .bias = t.bias ? at(t.bias, column, t.compute) : nullptr};
  if (!half) return t.kernels.panel(call);
  char* const home = static_cast<char*>(call.c);
  float* const sums = static_cast<float*>(worker_c.at_least(size_t(rows * full) * sizeof(float)));
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
      const int64_t row = task / c.groups * c.row_block, first = task % c.groups * c.panel_group;
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
  target = caller_a.at_least(size_t(m * stride) * storage_size(compute));
  const int64_t grain = 16 * std::max<int64_t>(1, 4096 / std::max<int64_t>(1, k));
  parallel_for(0, m, grain, [&](int64_t begin, int64_t end) {
    kernels.pack({at(a.data, begin * a.row, a.storage), a.storage, a.row, a.col, end - begin, k, stride,
                  at(target, begin * stride, compute), compute});
  });
  return stride;
}

/// A product of few rows: B passes through the caches once, tasks are runs of columns.
struct FewRows {
  const GemmCall& call;
  const MatmulTable& table;
  const MatmulKernels& kernels;
  Storage compute;
  GemmOperand a;
  bool thin;  // B is read where it lies

  /// Columns [column, column + width).
  void run(int64_t column, int64_t width) const {
    const bool half = call.c_storage != compute;
    char* const home = at(call.c, column, call.c_storage);
    PanelCall p{.a = a.data,
                .a_row = a.row,
                .a_col = a.col,
                .rows = call.m,
                .depth = call.k,
                .b = at(call.b.data, column * call.b.col, call.b.storage),
                .b_storage = call.b.storage,
                .b_row = call.b.row,
                .b_col = call.b.col,
                .width = width,
                .c = home,
                .c_row = call.c_row,
                .load_c = call.accumulate,
                .bias = call.bias ? at(call.bias, column, compute) : nullptr};
    if (half) {
      p.c = worker_c.at_least(size_t(call.m * width) * storage_size(compute));
      p.c_row = width;
      for (int64_t i = 0; call.accumulate && i < call.m; ++i)
        table.convert(at(home, i * call.c_row, call.c_storage), call.c_storage, at(p.c, i * width, compute), compute,
                      width);
    }
    if (thin)
      kernels.thin(p);
    else
      run_slices(p);
    for (int64_t i = 0; half && i < call.m; ++i)
      table.convert(at(p.c, i * width, compute), compute, at(home, i * call.c_row, call.c_storage), call.c_storage,
                    width);
  }

  /// Packs a slice of the depth, multiplies with it while it lies in the near caches, goes on to the next.
  void run_slices(const PanelCall& whole) const {
    const int64_t full = kernels.panel_width, element = int64_t(storage_size(compute));
    // Slices of B's rows are packed a few rows at a time, all panels of a row together, to read memory in order.
    const bool rows = call.b.col == 1;
    const int64_t slice =
        rows ? std::clamp<int64_t>((128 << 10) / (element * whole.width), 16, 128) : kernels.depth_block;
    const int64_t piece = rows ? 8 : slice, run = rows ? whole.width : full;
    void* const packed = worker_b.at_least(size_t(slice * round_up(run, full) * element));
    for (int64_t k = 0; k < call.k; k += slice)
      for (int64_t j = 0; j < whole.width; j += run) {
        const int64_t depth = std::min(slice, call.k - k), end = std::min(j + run, whole.width);
        for (int64_t row = 0; row < depth; row += piece)
          for (int64_t column = j; column < end; column += full) {
            const int64_t width = std::min(full, end - column), padded = round_up(width, kernels.lanes);
            kernels.pack({at(whole.b, (k + row) * call.b.row + column * call.b.col, call.b.storage), call.b.storage,
                          call.b.row, call.b.col, std::min(piece, depth - row), width, padded,
                          at(packed, (column - j) * slice + row * padded, compute), compute});
          }
        for (int64_t column = j; column < end; column += full)
          run_packed(whole, k, depth, column, std::min(full, end - column), at(packed, (column - j) * slice, compute));
      }
  }

  /// One panel of one slice.
  void run_packed(const PanelCall& whole, int64_t k, int64_t depth, int64_t column, int64_t width,
                  const void* packed) const {
    PanelCall p = whole;
    p.depth = depth;
    p.width = width;
    p.a = at(a.data, k * a.col, compute);
    p.b = packed;
    p.b_storage = compute;
    p.b_row = round_up(width, kernels.lanes);
    p.b_col = 1;
    p.c = at(whole.c, column, compute);
    p.load_c = whole.load_c || k > 0;
    p.bias = whole.bias && k == 0 ? at(whole.bias, column, compute) : nullptr;
    kernels.panel(p);
  }
};

void gemm_few_rows(const GemmCall& call, const MatmulTable& table, const MatmulKernels& kernels, Storage compute) {
  GemmOperand a = call.a;
  if (a.storage != compute) {
    void* dense = nullptr;
    const int64_t stride = densify(kernels, a, call.m, call.k, compute, dense);
    a = {dense, compute, stride, 1};
  }
  const bool thin = call.m <= thin_row_limit && (call.b.col == 1 || (call.b.row == 1 && compute == Storage::f32));
  // Where B's columns are adjacent, a task reads at least 2 KiB of each row.
  const int64_t step = round_up(call.b.col == 1 ? 512 : kernels.panel_width, kernels.panel_width);
  const double us = expected_us(double(call.m), double(call.n), double(call.k), double(storage_size(call.b.storage)));
  const int64_t tasks = us < 10 ? 1 : std::clamp<int64_t>(int64_t(us / 5), 1, ceil_div(call.n, step));
  const int64_t columns = round_up(ceil_div(call.n, tasks), std::min(step, round_up(call.n, kernels.panel_width)));
  const FewRows product{call, table, kernels, compute, a, thin};
  parallel_for(0, call.n, columns, [&](int64_t begin, int64_t end) { product.run(begin, end - begin); });
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
      float* const sums = copied ? static_cast<float*>(caller_c.at_least(size_t(m * n) * sizeof(float))) : nullptr;
      for (int64_t r = 0; copied && call.accumulate && r < m; ++r)
        table.convert(at(home, r * call.c_row, call.c_storage), call.c_storage, sums + r * n, Storage::f32, n);
      for (int64_t k = 0; k < call.k; k += depth_step) {
        const int64_t depth = std::min(depth_step, call.k - k);
        void* const packed = caller_b.at_least(size_t(depth * round_up(n, kernels.lanes) * element));
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

void gemm(const GemmCall& call) {
  if (call.m <= 0 || call.n <= 0) return;
  const MatmulTable& table = matmul_table(isa());
  if (call.k <= 0) return add_nothing(call, table);
  const Storage compute = compute_type(call.c_storage);
  const MatmulKernels& kernels = compute == Storage::f64 ? table.f64 : table.f32;
  if (call.m <= 4 * kernels.tile_rows) return gemm_few_rows(call, table, kernels, compute);
  gemm_blocked(call, table, kernels, compute);
}

PackedPanels::PackedPanels(const GemmOperand& b, int64_t k, int64_t n)
    : depth_(k), columns_(n), storage_(b.storage), isa_(hearth::cpu::isa()) {
  const MatmulTable& table = matmul_table(isa_);
  const MatmulKernels& kernels = storage_ == Storage::f64 ? table.f64 : table.f32;
  data_ = Block(size_t(k * round_up(n, kernels.lanes)) * storage_size(storage_));
  if (k > 0 && n > 0) pack_panels(kernels, b, k, n, data_.data(), storage_);
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
