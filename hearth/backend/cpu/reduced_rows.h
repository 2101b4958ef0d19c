// ReducedRows: a tensor seen as rows, with the kept dimensions first and the reduced ones after them.
#pragma once

#include "hearth/backend/cpu/elements.h"

namespace hearth::cpu {

class ReducedRows {
 public:
  /// The first `kept_dims` dimensions of x tell rows apart, the others make up a row.
  ReducedRows(const Tensor& x, int kept_dims)
      : kept_(part(x, 0, kept_dims)),
        reduced_(part(x, kept_dims, x.dim())),
        kept({&kept_}),
        reduced({&reduced_}),
        dtype_(x.dtype()) {}

  /// Elements [start, start + n) of the row that begins at `row`, in its row-major order.
  template <class C>
  void load(C* buffer, const char* row, int64_t start, int64_t n) const {
    Cursor<1> cursor(reduced, start);
    const char* base = reduced.data[0];
    for (int64_t done = 0; done < n;) {
      const int64_t length = std::min(cursor.left_in_row(), n - done);
      load_elements(buffer + done, row + (cursor.at[0] - base), reduced.strides[0][0], length, dtype_);
      cursor.advance(length);
      done += length;
    }
  }

  /// Calls f(row number, start of the row) for all rows, in parallel.
  template <class F>
  void for_each(F f) const {
    const int64_t grain = std::max<int64_t>(elementwise_grain / std::max<int64_t>(reduced.numel, 1), 1);
    parallel_for(0, kept.numel, grain, [&](int64_t b, int64_t e) {
      Cursor<1> cursor(kept, b);
      for (; b < e; ++b, cursor.advance(1)) f(b, cursor.at[0]);
    });
  }

 private:
  static Tensor part(const Tensor& x, int from, int to) {
    const std::span<const int64_t> sizes = x.shape(), strides = x.strides();
    return x.alias(sizes.subspan(size_t(from), size_t(to - from)), strides.subspan(size_t(from), size_t(to - from)),
                   x.offset());
  }

  Tensor kept_, reduced_;

 public:
  Loops<1> kept, reduced;

 private:
  Dtype dtype_;
};

}  // namespace hearth::cpu
