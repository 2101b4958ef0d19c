// Shape: editing, printing, broadcasting.
#include "hearth/core/shape.h"

#include <algorithm>
#include <ostream>

#include "hearth/core/error.h"

namespace hearth {

void Shape::insert(int position, int64_t value) {
  std::vector<int64_t> values(begin(), end());
  values.insert(values.begin() + position, value);
  *this = Shape(values);
}

void Shape::erase(int position) {
  std::vector<int64_t> values(begin(), end());
  values.erase(values.begin() + position);
  *this = Shape(values);
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
  return out << ']';
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (int i = shape.size() - 2; i >= 0; --i) strides[i] = strides[i + 1] * std::max<int64_t>(shape[i + 1], 1);
  return strides;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.size(), b.size());
  Shape out(rank, 1);
  for (int i = 0; i < rank; ++i) {
    const int64_t da = i < rank - a.size() ? 1 : a[i - (rank - a.size())];
    const int64_t db = i < rank - b.size() ? 1 : b[i - (rank - b.size())];
    check<ShapeError>(da == db || da == 1 || db == 1, op, ": shapes do not broadcast: ", a, " and ", b, " (", da,
                      " against ", db, " in dimension ", i, ")");
    out[i] = da == 1 ? db : da;
  }
  return out;
}

int64_t checked_numel(const char* op, const Shape& shape) {
  int64_t n = 1;
  for (int64_t size : shape) {
    check<ShapeError>(size >= 0, op, ": sizes must not be negative: ", shape);
    check<OutOfMemoryError>(!__builtin_mul_overflow(n, size, &n), op, ": element count overflows: ", shape);
  }
  return n;
}

int wrap_dim(const char* op, int64_t dim, int rank) {
  const int64_t bound = rank == 0 ? 1 : rank;
  check<IndexError>(dim >= -bound && dim < bound, op, ": dimension out of range: ", dim, ", expected ", -bound, " to ",
                    bound - 1);
  return int(dim < 0 ? dim + bound : dim);
}

}  // namespace hearth
