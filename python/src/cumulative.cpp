// Running results along a dimension.
#include "hearth/ops/cumulative.h"

#include "hearth/ops/create.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

Tensor typed(Args& a) { return to(a.tensor(0), a.dtype(2, a.tensor(0).dtype())); }
Tensor cast(Args& a, const Tensor& y) { return to(y, a.dtype(2, y.dtype())); }

const Binding binding{[](Module& m) {
  m.def(
      "cumsum(input: Tensor, dim: int, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) { return cast(a, cumsum(typed(a), a.integer(1))); }, method | inplace);
  m.def(
      "cumprod(input: Tensor, dim: int, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) { return cast(a, cumprod(typed(a), a.integer(1))); }, method | inplace);
  m.def(
      "cummax(input: Tensor, dim: int, *, out: any = None)",
      [](Args& a) { return to_python("cummax", cummax(a.tensor(0), a.integer(1))); }, method);
  m.def(
      "cummin(input: Tensor, dim: int, *, out: any = None)",
      [](Args& a) { return to_python("cummin", cummin(a.tensor(0), a.integer(1))); }, method);
  m.def(
      "logcumsumexp(input: Tensor, dim: int, *, out: Tensor? = None)",
      [](Args& a) { return logcumsumexp(a.tensor(0), a.integer(1)); }, method);
}};

}  // namespace

}  // namespace hearth::python
