// Compressed sparse rows from outside: every rule checked before an index is used.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hearth::server {

/// Raises ValueError (beginning with `where`) unless `shape` has two dimensions with at most `max_columns` columns,
/// `row_starts` has rows + 1 entries from 0 to the number of values and never falls, and the columns of each row rise
/// and lie within the table.
void check_sparse_rows(const std::vector<int64_t>& shape, std::span<const int64_t> row_starts,
                       std::span<const int64_t> columns, int64_t values, int64_t max_columns, const std::string& where);

/// The number of values of a shape. Raises ValueError for a negative dimension or more than `most` values.
int64_t checked_size(const std::vector<int64_t>& shape, int64_t most, const std::string& where);

/// "[2, 3]".
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace hearth::server
