// Reductions over some or all dimensions.
#include "hearth/ops/reduce.h"

#include "hearth/ops/compare.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "python/src/binding.h"
#include "python/src/errors.h"

namespace hearth::python {

namespace {

/// x in the dtype of the keyword `dtype`, where it is given.
Tensor typed(Args& a, int place) {
  const Tensor& x = a.tensor(0);
  return a.given(place) ? to(x, a.dtype(place, x.dtype())) : x;
}

const Binding sums{[](Module& m) {
  m.def(
      "sum(input: Tensor, dim: ints? = None, keepdim: bool = False, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) {
        const Tensor y = sum(typed(a, 3), a.ints(1), a.flag(2));
        return a.given(3) ? to(y, a.dtype(3, y.dtype())) : y;
      },
      method);
  m.def(
      "nansum(input: Tensor, dim: ints? = None, keepdim: bool = False, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) {
        const Tensor y = nansum(typed(a, 3), a.ints(1), a.flag(2));
        return a.given(3) ? to(y, a.dtype(3, y.dtype())) : y;
      },
      method);
  m.def(
      "mean(input: Tensor, dim: ints? = None, keepdim: bool = False, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) { return mean(typed(a, 3), a.ints(1), a.flag(2)); }, method);
  m.def(
      "nanmean(input: Tensor, dim: ints? = None, keepdim: bool = False, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) { return nanmean(typed(a, 3), a.ints(1), a.flag(2)); }, method);
  m.def(
      "prod(input: Tensor, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) {
        const Tensor y = prod(typed(a, 1));
        return a.given(1) ? to(y, a.dtype(1, y.dtype())) : y;
      },
      method);
  m.def(
      "prod(input: Tensor, dim: int, keepdim: bool = False, *, dtype: dtype? = None, out: Tensor? = None)",
      [](Args& a) {
        const Tensor y = prod(typed(a, 3), {a.integer(1)}, a.flag(2));
        return a.given(3) ? to(y, a.dtype(3, y.dtype())) : y;
      },
      method);
  m.def(
      "logsumexp(input: Tensor, dim: ints, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return logsumexp(a.tensor(0), a.ints(1), a.flag(2)); }, method);
}};

/// dim=() names no dimension at all: every element answers for itself.
Tensor each(const Tensor& x) {
  const Tensor y = ne(x, 0);
  return x.dtype() == Dtype::uint8 ? to(y, Dtype::uint8) : y;
}
bool names_none(Args& a) { return a.given(1) && a.ints(1).empty(); }

const Binding questions{[](Module& m) {
  m.def(
      "any(input: Tensor, dim: ints? = None, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return names_none(a) ? each(a.tensor(0)) : any(a.tensor(0), a.ints(1), a.flag(2)); }, method);
  m.def(
      "all(input: Tensor, dim: ints? = None, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return names_none(a) ? each(a.tensor(0)) : all(a.tensor(0), a.ints(1), a.flag(2)); }, method);
  m.def(
      "count_nonzero(input: Tensor, dim: ints? = None)", [](Args& a) { return count_nonzero(a.tensor(0), a.ints(1)); },
      method);
}};

const Binding extremes{[](Module& m) {
  m.def(
      "amax(input: Tensor, dim: ints? = None, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return amax(a.tensor(0), a.ints(1), a.flag(2)); }, method);
  m.def(
      "amin(input: Tensor, dim: ints? = None, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return amin(a.tensor(0), a.ints(1), a.flag(2)); }, method);
  m.def(
      "aminmax(input: Tensor, *, dim: int? = None, keepdim: bool = False, out: Tensor? = None)",
      [](Args& a) {
        const auto dim = a.integer_or_none(1);
        const auto both = aminmax(a.tensor(0), dim ? Dims{*dim} : Dims{}, a.flag(2));
        return Named{"aminmax", {"min", "max"}, {both.first, both.second}};
      },
      method);
  m.def(
      "max(input: Tensor, *, out: Tensor? = None)", [](Args& a) { return max(a.tensor(0)); }, method);
  m.def(
      "max(input: Tensor, other: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return maximum(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "max(input: Tensor, dim: int, keepdim: bool = False, *, out: any = None)",
      [](Args& a) { return to_python("max", max(a.tensor(0), a.integer(1), a.flag(2))); }, method);
  m.def(
      "min(input: Tensor, *, out: Tensor? = None)", [](Args& a) { return min(a.tensor(0)); }, method);
  m.def(
      "min(input: Tensor, other: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return minimum(a.tensor(0), a.tensor(1)); }, method);
  m.def(
      "min(input: Tensor, dim: int, keepdim: bool = False, *, out: any = None)",
      [](Args& a) { return to_python("min", min(a.tensor(0), a.integer(1), a.flag(2))); }, method);
  m.def(
      "argmax(input: Tensor, dim: int? = None, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return argmax(a.tensor(0), a.integer_or_none(1), a.flag(2)); }, method);
  m.def(
      "argmin(input: Tensor, dim: int? = None, keepdim: bool = False, *, out: Tensor? = None)",
      [](Args& a) { return argmin(a.tensor(0), a.integer_or_none(1), a.flag(2)); }, method);
}};

const Binding ranks{[](Module& m) {
  m.def(
      "median(input: Tensor, *, out: Tensor? = None)", [](Args& a) { return median(a.tensor(0)); }, method);
  m.def(
      "median(input: Tensor, dim: int, keepdim: bool = False, *, out: any = None)",
      [](Args& a) { return to_python("median", median(a.tensor(0), a.integer(1), a.flag(2))); }, method);
}};

double bessel(bool unbiased) { return unbiased ? 1 : 0; }

// Each of var, std, var_mean and std_mean has three forms; `f(x, dims, correction, keepdim)` is the op.
template <auto f>
void def_spread(Module& m, const std::string& name, int faces) {
  m.def((name + "(input: Tensor, unbiased: bool)").c_str(),
        [](Args& a) { return f(a.tensor(0), {}, bessel(a.flag(1)), false); }, faces);
  m.def((name + "(input: Tensor, dim: ints?, unbiased: bool, keepdim: bool = False, *, out: Tensor? = None)").c_str(),
        [](Args& a) { return f(a.tensor(0), a.ints(1), bessel(a.flag(2)), a.flag(3)); }, faces);
  m.def((name + "(input: Tensor, dim: ints? = None, *, correction: Number? = 1, keepdim: bool = False, "
                "out: Tensor? = None)")
            .c_str(),
        [](Args& a) { return f(a.tensor(0), a.ints(1), a.real_or_none(2).value_or(1), a.flag(3)); }, faces);
  m.def((name + "(input: Tensor, dim: ints? = None, keepdim: bool = False, *, unbiased: bool)").c_str(),
        [](Args& a) { return f(a.tensor(0), a.ints(1), bessel(a.flag(3)), a.flag(2)); }, faces);
}

std::pair<Tensor, Tensor> std_mean(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  return {std(x, dims, correction, keepdim), var_mean(x, dims, correction, keepdim).second};
}

const Binding spreads{[](Module& m) {
  def_spread<static_cast<Tensor (*)(const Tensor&, const Dims&, double, bool)>(var)>(m, "var", method);
  def_spread<static_cast<Tensor (*)(const Tensor&, const Dims&, double, bool)>(std)>(m, "std", method);
  def_spread<std_mean>(m, "std_mean", function_only);
  def_spread<var_mean>(m, "var_mean", function_only);
}};

}  // namespace

}  // namespace hearth::python
