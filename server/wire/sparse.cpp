// Compressed sparse rows from outside: every rule checked before an index is used.
#include "server/wire/sparse.h"

#include "hearth/core/error.h"

namespace hearth::server {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size() && i < 8; ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() > 8 ? ", ...]" : "]");
}

int64_t checked_size(const std::vector<int64_t>& shape, int64_t most, const std::string& where) {
  int64_t size = 1;
  bool empty = false, large = false;
  for (const int64_t dimension : shape) {
    check<ValueError>(dimension >= 0, where, ": shape has a negative dimension: ", shape_text(shape));
    empty = empty || dimension == 0;
    large = large || dimension > most || __builtin_mul_overflow(size, dimension, &size) || size > most;
    if (large) size = 1;
  }
  check<ValueError>(empty || !large, where, ": shape has more than ", most, " values: ", shape_text(shape));
  return empty ? 0 : size;
}

void check_sparse_rows(const std::vector<int64_t>& shape, std::span<const int64_t> row_starts,
                       std::span<const int64_t> columns, int64_t values, int64_t max_columns,
                       const std::string& where) {
  check<ValueError>(shape.size() == 2 && shape[0] >= 0 && shape[1] >= 0, where,
                    ": a sparse tensor has two dimensions: ", shape_text(shape));
  check<ValueError>(shape[1] <= max_columns, where, ": has more than ", max_columns, " columns: ", shape_text(shape));
  check<ValueError>(!row_starts.empty() && int64_t(row_starts.size()) - 1 == shape[0], where,
                    ": crow_indices: wants one more than the rows: ", row_starts.size(), " for shape ",
                    shape_text(shape));
  check<ValueError>(int64_t(columns.size()) == values, where,
                    ": col_indices: wants one for each value: ", columns.size(), " for ", values);
  check<ValueError>(row_starts.front() == 0, where, ": crow_indices: begins at ", row_starts.front(), ", not 0");
  check<ValueError>(row_starts.back() == values, where, ": crow_indices: ends at ", row_starts.back(), ", not at the ",
                    values, " values");
  for (int64_t row = 0; row < shape[0]; ++row) {
    const int64_t begin = row_starts[row], end = row_starts[row + 1];
    // Rising to the checked end keeps every entry within the values.
    check<ValueError>(begin <= end && end <= values, where, ": crow_indices: falls or overshoots at row ", row, ": ",
                      begin, ", ", end);
    for (int64_t i = begin; i < end; ++i) {
      check<ValueError>(columns[i] >= 0 && columns[i] < shape[1], where, ": col_indices[", i, "]: outside of ",
                        shape[1], " columns: ", columns[i]);
      check<ValueError>(i == begin || columns[i - 1] < columns[i], where, ": col_indices[", i,
                        "]: columns of a row must rise: ", columns[i]);
    }
  }
}

}  // namespace hearth::server
