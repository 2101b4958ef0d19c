// Weighted sums along one dimension; the gradient is the same op with the matrix transposed.
#include "hearth/ops/resample.h"

#include "hearth/backend/kernels/pool.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"

namespace hearth {

Taps Taps::transposed() const {
  Taps t;
  t.size = rows();
  std::vector<int64_t> count(size_t(size) + 1, 0);
  for (int64_t i : index) ++count[size_t(i) + 1];
  for (size_t i = 0; i < size_t(size); ++i) count[i + 1] += count[i];
  t.first = count;
  t.index.resize(index.size());
  t.weight.resize(index.size());
  for (int64_t row = 0; row < rows(); ++row)
    for (int64_t k = first[size_t(row)]; k < first[size_t(row) + 1]; ++k) {
      const size_t place = size_t(count[size_t(index[size_t(k)])]++);
      t.index[place] = row;
      t.weight[place] = weight[size_t(k)];
    }
  return t;
}

namespace {

template <class T>
Tensor as_tensor(const std::vector<T>& values) {
  return from_values<T>(std::span<const T>(values), {int64_t(values.size())});
}

}  // namespace

Tensor resample(const Tensor& x, int64_t dim, std::shared_ptr<const Taps> taps) {
  const int at = wrap_dim("resample", dim, x.dim());
  check<ShapeError>(x.size(at) == taps->size, "resample: dimension ", at, " of ", x.shape(), " must have ", taps->size,
                    " elements");
  Shape shape = x.shape();
  shape[at] = taps->rows();
  const Tensor y = Tensor::empty(shape, x.dtype(), x.device());
  {
    NoGrad guard;
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < x.dim(); ++d) (d < at ? outer : inner) *= d == at ? 1 : shape[d];
    const Tensor dense = contiguous(x.detach());
    const auto cut = [&](const Tensor& t, int64_t rows) {
      return t.alias({outer, rows, inner}, {rows * inner, inner, 1}, t.offset());
    };
    kernels::resample(x.device(), cut(y, taps->rows()), cut(dense, taps->size), as_tensor(taps->first),
                      as_tensor(taps->index), as_tensor(taps->weight));
  }
  if (!needs_grad(x)) return y;
  return record("resample", y, {x}, [at, taps](const GradContext& c) -> Grads {
    return {resample(c.dy(), at, std::make_shared<const Taps>(taps->transposed()))};
  });
}

}  // namespace hearth
