// Reductions: rows are cut into blocks, blocks are folded in a fixed tree, and block results are combined in order.
#include "hearth/backend/kernels/reduce.h"

#include <cmath>
#include <limits>
#include <vector>

#include "hearth/backend/cpu/complex.h"
#include "hearth/backend/cpu/elements.h"
#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/reduced_rows.h"
#include "hearth/backend/cpu/simd/fold.h"

namespace hearth::cpu {

extern kernels::ReduceFn reduce;
extern kernels::ReduceIndexFn reduce_index;

namespace {

using kernels::ReduceOp;

const FoldFunctions& fold_functions(Dtype dtype) {
  const size_t at = size_t(dtype) - size_t(Dtype::float16);
  switch (isa()) {
    case Isa::avx512:
      return avx512::fold_functions[at];
    case Isa::avx2:
      return avx2::fold_functions[at];
    case Isa::generic:
      break;
  }
  return generic::fold_functions[at];
}

double identity(Fold fold) {
  return fold == Fold::sum ? 0 : fold == Fold::prod ? 1 : fold == Fold::max ? -HUGE_VAL : HUGE_VAL;
}

double combine(Fold fold, double a, double b) {
  if (fold == Fold::sum) return a + b;
  if (fold == Fold::prod) return a * b;
  if (a != a) return a;
  return fold == Fold::max ? (a > b ? a : b) : (a < b ? a : b);
}

/// Results of floats. Work comes in units of up to `fold_columns` rows times blocks of `fold_block` elements.
class FloatReduction {
 public:
  FloatReduction(Fold fold, const Tensor& out, const Tensor& x)
      : fold_(fold), functions_(fold_functions(x.dtype())), out_(out), dtype_(x.dtype()), rows_(x, out.dim()) {
    const int64_t width = int64_t(dtype_size(dtype_));
    along_memory_ = rows_.reduced.rank == 1 && rows_.reduced.strides[0][0] == width;
    across_memory_ =
        !along_memory_ && rows_.reduced.rank == 1 && rows_.kept.strides[0][0] == width && rows_.kept.inner() >= 4;
    line_ = across_memory_ ? rows_.kept.inner() : rows_.kept.numel;
    units_per_line_ = (line_ + fold_columns - 1) / fold_columns;
    units_ = line_ == 0 ? 0 : rows_.kept.numel / line_ * units_per_line_;
    blocks_ = (rows_.reduced.numel + fold_block - 1) / fold_block;
  }

  void run() {
    const int64_t unit_work = std::max<int64_t>(rows_.reduced.numel * std::min(line_, fold_columns), 1);
    if (blocks_ > 1 && units_ < 16) return run_few();
    parallel_for(0, units_, std::max<int64_t>(elementwise_grain / unit_work, 1), [&](int64_t b, int64_t e) {
      for (int64_t unit = b; unit < e; ++unit) {
        double total[fold_columns], block_result[fold_columns];
        const int64_t count = row_count(unit);
        std::fill_n(total, count, identity(fold_));
        for (int64_t block = 0; block < blocks_; ++block) {
          fold(unit, block, block_result);
          for (int64_t k = 0; k < count; ++k) total[k] = combine(fold_, total[k], block_result[k]);
        }
        store(unit, total);
      }
    });
  }

 private:
  /// Few long rows: blocks are shared out, their results combined in order afterwards.
  void run_few() {
    std::vector<double> partial(size_t(units_ * blocks_ * fold_columns));
    const int64_t block_work = fold_block * std::min(line_, fold_columns);
    parallel_for(0, units_ * blocks_, std::max<int64_t>(elementwise_grain / block_work, 1), [&](int64_t b, int64_t e) {
      for (int64_t i = b; i < e; ++i) fold(i / blocks_, i % blocks_, partial.data() + i * fold_columns);
    });
    for (int64_t unit = 0; unit < units_; ++unit) {
      double total[fold_columns];
      const int64_t count = row_count(unit);
      std::fill_n(total, count, identity(fold_));
      for (int64_t block = 0; block < blocks_; ++block)
        for (int64_t k = 0; k < count; ++k)
          total[k] = combine(fold_, total[k], partial[size_t((unit * blocks_ + block) * fold_columns + k)]);
      store(unit, total);
    }
  }

  int64_t first_row(int64_t unit) const {
    return unit / units_per_line_ * line_ + unit % units_per_line_ * fold_columns;
  }
  int64_t row_count(int64_t unit) const {
    return std::min(fold_columns, line_ - unit % units_per_line_ * fold_columns);
  }

  void fold(int64_t unit, int64_t block, double* result) const {
    const int64_t start = block * fold_block, n = std::min(fold_block, rows_.reduced.numel - start);
    const int64_t step = rows_.reduced.strides[0][0], count = row_count(unit);
    Cursor<1> row(rows_.kept, first_row(unit));
    if (across_memory_) {
      functions_.columns(fold_, row.at[0] + start * step, step / int64_t(dtype_size(dtype_)), n, count, result);
      return;
    }
    for (int64_t k = 0; k < count; ++k, row.advance(1)) {
      if (along_memory_)
        result[k] = functions_.row(fold_, row.at[0] + start * step, n);
      else
        result[k] = fold_gathered(row.at[0], start, n);
    }
  }

  double fold_gathered(const char* row, int64_t start, int64_t n) const {
    if (dtype_ == Dtype::float64) {
      double buffer[fold_block];
      rows_.load(buffer, row, start, n);
      return functions_.row(fold_, buffer, n);
    }
    float buffer[fold_block];
    rows_.load(buffer, row, start, n);
    return fold_functions(Dtype::float32).row(fold_, buffer, n);
  }

  void store(int64_t unit, const double* total) const {
    const Dtype dtype = out_.dtype();
    const int64_t first = first_row(unit), count = row_count(unit), width = int64_t(dtype_size(dtype));
    char* to = static_cast<char*>(out_.raw()) + first * width;
    if (dtype == Dtype::float64) return store_elements(to, width, total, count, dtype);
    float narrow[fold_columns];
    for (int64_t k = 0; k < count; ++k) narrow[k] = float(total[k]);
    store_elements(to, width, narrow, count, dtype);
  }

  Fold fold_;
  const FoldFunctions& functions_;
  const Tensor& out_;
  Dtype dtype_;
  ReducedRows rows_;
  bool along_memory_, across_memory_;
  int64_t line_;  ///< rows that lie next to each other
  int64_t units_per_line_;
  int64_t units_;
  int64_t blocks_;
};

template <class I>
I reduce_buffer(ReduceOp op, I total, const I* x, int64_t n) {
  switch (op) {
    case ReduceOp::sum:
      for (int64_t i = 0; i < n; ++i) total = I(uint64_t(total) + uint64_t(x[i]));
      return total;
    case ReduceOp::prod:
      for (int64_t i = 0; i < n; ++i) total = I(uint64_t(total) * uint64_t(x[i]));
      return total;
    case ReduceOp::max:
      for (int64_t i = 0; i < n; ++i) total = std::max(total, x[i]);
      return total;
    case ReduceOp::min:
      for (int64_t i = 0; i < n; ++i) total = std::min(total, x[i]);
      return total;
    default:
      return total;
  }
}

/// Whether the question is settled: an element that is true (any) or false (all).
template <class C>
bool settles(ReduceOp op, const C* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if ((x[i] != 0) == (op == ReduceOp::any)) return true;
  return false;
}

template <class C>
void reduce_in_order(ReduceOp op, const Tensor& out, const Tensor& x) {
  const ReducedRows rows(x, out.dim());
  const bool question = op == ReduceOp::any || op == ReduceOp::all;
  using I = std::conditional_t<std::is_integral_v<C>, C, int64_t>;
  const I start = op == ReduceOp::sum    ? 0
                  : op == ReduceOp::prod ? 1
                  : op == ReduceOp::max  ? std::numeric_limits<I>::min()
                                         : std::numeric_limits<I>::max();
  const int64_t width = int64_t(dtype_size(out.dtype()));
  rows.for_each([&](int64_t r, const char* row) {
    C buffer[elementwise_chunk];
    I total = question ? op == ReduceOp::all : start;
    for (int64_t i = 0; i < rows.reduced.numel; i += elementwise_chunk) {
      const int64_t n = std::min(elementwise_chunk, rows.reduced.numel - i);
      rows.load(buffer, row, i, n);
      if (question) {
        if (!settles(op, buffer, n)) continue;
        total = op == ReduceOp::any;
        break;
      }
      if constexpr (std::is_integral_v<C>) total = reduce_buffer(op, total, buffer, n);
    }
    store_elements(static_cast<char*>(out.raw()) + r * width, width, &total, 1, out.dtype());
  });
}

template <class C>
void find_extreme(bool largest, const Tensor& values, const Tensor& indices, const Tensor& x) {
  const Tensor& out = values.defined() ? values : indices;
  const ReducedRows rows(x, out.dim());
  rows.for_each([&](int64_t r, const char* row) {
    C buffer[elementwise_chunk];
    C best{};
    int64_t where = -1;
    for (int64_t i = 0; i < rows.reduced.numel && !(best != best); i += elementwise_chunk) {
      const int64_t n = std::min(elementwise_chunk, rows.reduced.numel - i);
      rows.load(buffer, row, i, n);
      for (int64_t j = 0; j < n; ++j) {
        const C v = buffer[j];
        if (where >= 0 && !(largest ? v > best : v < best) && !(v != v)) continue;
        best = v;
        where = i + j;
        if (v != v) break;
      }
    }
    const int64_t width = int64_t(dtype_size(x.dtype()));
    if (values.defined()) store_elements(static_cast<char*>(values.raw()) + r * width, width, &best, 1, x.dtype());
    if (indices.defined()) static_cast<int64_t*>(indices.raw())[r] = where;
  });
}

}  // namespace

void reduce(ReduceOp op, const Tensor& out, const Tensor& x) {
  if (is_complex(x.dtype())) return complex_reduce(op, out, x);
  const bool question = op == ReduceOp::any || op == ReduceOp::all;
  // Sums of uint64 are int64, which has the same bits; only an order needs its own type.
  if (x.dtype() == Dtype::uint64 && (op == ReduceOp::max || op == ReduceOp::min))
    return reduce_in_order<uint64_t>(op, out, x);
  if (!is_floating(x.dtype())) return reduce_in_order<int64_t>(op, out, x);
  if (question) {
    if (x.dtype() == Dtype::float64) return reduce_in_order<double>(op, out, x);
    return reduce_in_order<float>(op, out, x);
  }
  const Fold fold = op == ReduceOp::sum    ? Fold::sum
                    : op == ReduceOp::prod ? Fold::prod
                    : op == ReduceOp::max  ? Fold::max
                                           : Fold::min;
  FloatReduction(fold, out, x).run();
}

void reduce_index(kernels::ReduceIndexOp op, const Tensor& values, const Tensor& indices, const Tensor& x) {
  const bool largest = op == kernels::ReduceIndexOp::argmax;
  with_compute_type(x.dtype(), [&]<class C>() { find_extreme<C>(largest, values, indices, x); });
}

}  // namespace hearth::cpu
