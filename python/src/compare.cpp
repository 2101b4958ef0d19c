// Comparisons, logic, choosing and bounds.
#include "hearth/ops/compare.h"

#include "hearth/ops/elementwise.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/view.h"
#include "python/src/operands.h"

namespace hearth::python {

namespace {

constexpr int all_faces = method | inplace;

void bind_comparisons(Module& m) {
  const auto def = [&m](const char* name, auto f) {
    const std::string signature = std::string(name) + "(input: Tensor, other, *, out: Tensor? = None)";
    m.def(
        signature.c_str(),
        [](Args& a) {
          const Tensor& x = a.tensor(0);
          return a.is_tensor(1) ? decltype(f){}(x, a.tensor(1)) : decltype(f){}(x, number_operand(a, 1));
        },
        all_faces);
  };
  const auto equal = [](const Tensor& x, const auto& y) { return eq(x, y); };
  const auto unequal = [](const Tensor& x, const auto& y) { return ne(x, y); };
  const auto less = [](const Tensor& x, const auto& y) { return lt(x, y); };
  const auto at_most = [](const Tensor& x, const auto& y) { return le(x, y); };
  const auto greater = [](const Tensor& x, const auto& y) { return gt(x, y); };
  const auto at_least = [](const Tensor& x, const auto& y) { return ge(x, y); };
  def("eq", equal);
  def("ne", unequal);
  def("not_equal", unequal);
  def("lt", less);
  def("less", less);
  def("le", at_most);
  def("less_equal", at_most);
  def("gt", greater);
  def("greater", greater);
  def("ge", at_least);
  def("greater_equal", at_least);
}

void check_close(Args& a) {
  check<DtypeError>(a.tensor(0).dtype() == a.tensor(1).dtype(), a.op(), ": ", a.tensor(0).dtype(), " did not match ",
                    a.tensor(1).dtype());
}

void bind_logic(Module& m) {
  def_binary<logical_and>(m, "logical_and(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<logical_or>(m, "logical_or(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<logical_xor>(m, "logical_xor(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  m.def(
      "isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False)",
      [](Args& a) {
        check_close(a);
        return isclose(a.tensor(0), a.tensor(1), a.real(2), a.real(3), a.flag(4));
      },
      method);
  m.def(
      "allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False)",
      [](Args& a) {
        check_close(a);
        return allclose(a.tensor(0), a.tensor(1), a.real(2), a.real(3), a.flag(4));
      },
      method);
  m.def(
      "equal(input: Tensor, other: Tensor)", [](Args& a) { return equal(a.tensor(0), a.tensor(1)); }, method);
}

/// where(condition, x, y) with a tensor or a number on either side.
Tensor chosen(Args& a, int condition, int x, int y) {
  Tensor chooser = a.tensor(condition);
  check<DtypeError>(chooser.dtype() == Dtype::boolean || chooser.dtype() == Dtype::uint8,
                    "where: expected condition to be a boolean tensor, but got a tensor with dtype ", chooser.dtype());
  if (chooser.dtype() == Dtype::uint8) chooser = to(chooser, Dtype::boolean);
  if (!a.is_tensor(x) && !a.is_tensor(y)) {
    const Scalar p = a.number(x), q = a.number(y);
    const Dtype dtype = promote_types(p.dtype(), q.dtype());
    return where(chooser, scalar_tensor(p, dtype), scalar_tensor(q, dtype));
  }
  const auto [first, second] = operands(a, x, y);
  return where(chooser, first, second);
}

void bind_choice(Module& m) {
  m.def("where(condition: Tensor, input, other, *, out: Tensor? = None)", [](Args& a) { return chosen(a, 0, 1, 2); });
  m.def("where(condition: Tensor)", [](Args& a) {
    const Tensor found = nonzero(a.tensor(0));
    return found.size(1) ? unbind(found, 1) : TensorList{squeeze(nonzero(reshape(a.tensor(0), {1})), 1)};
  });
  m.def(
      "where(input: Tensor, condition: Tensor, other)", [](Args& a) { return chosen(a, 1, 0, 2); }, method_only);
  def_binary<maximum>(m, "maximum(input: Tensor, other: Tensor, *, out: Tensor? = None)", method);
  def_binary<minimum>(m, "minimum(input: Tensor, other: Tensor, *, out: Tensor? = None)", method);
  def_binary<fmax>(m, "fmax(input: Tensor, other: Tensor, *, out: Tensor? = None)", method);
  def_binary<fmin>(m, "fmin(input: Tensor, other: Tensor, *, out: Tensor? = None)", method);
}

/// clamp with bounds at places `low` and `high` (-1 for none): both numbers, or tensors (a number among them widened).
Tensor bounded(Args& a, int low, int high) {
  const Tensor& x = a.tensor(0);
  const bool has_low = low >= 0 && a.given(low), has_high = high >= 0 && a.given(high);
  check<ValueError>(has_low || has_high, a.op(), ": At least one of 'min' or 'max' must not be None");
  check<DtypeError>(!is_complex(x.dtype()), a.op(), ": clamp is not supported for complex types");
  const bool tensors = (has_low && a.is_tensor(low)) || (has_high && a.is_tensor(high));
  if (!tensors) {
    std::optional<Scalar> from, to;
    if (has_low) from = number_operand(a, low);
    if (has_high) to = number_operand(a, high);
    return clamp(x, from, to);
  }
  return clamp(x, has_low ? operands(a, 0, low).second : Tensor(), has_high ? operands(a, 0, high).second : Tensor());
}

void bind_bounds(Module& m) {
  m.def(
      "clamp(input: Tensor, min = None, max = None, *, out: Tensor? = None)", [](Args& a) { return bounded(a, 1, 2); },
      all_faces);
  m.def(
      "clip(input: Tensor, min = None, max = None, *, out: Tensor? = None)", [](Args& a) { return bounded(a, 1, 2); },
      all_faces);
  m.def(
      "clamp_min(input: Tensor, min, *, out: Tensor? = None)", [](Args& a) { return bounded(a, 1, -1); }, all_faces);
  m.def(
      "clamp_max(input: Tensor, max, *, out: Tensor? = None)", [](Args& a) { return bounded(a, -1, 1); }, all_faces);
  m.def(
      "nan_to_num(input: Tensor, nan: float? = None, posinf: float? = None, neginf: float? = None, *, "
      "out: Tensor? = None)",
      [](Args& a) {
        return nan_to_num(a.tensor(0), a.real_or_none(1).value_or(0), a.real_or_none(2), a.real_or_none(3));
      },
      all_faces);
}

const Binding binding{[](Module& m) {
  bind_comparisons(m);
  bind_logic(m);
  bind_choice(m);
  bind_bounds(m);
}};

}  // namespace

}  // namespace hearth::python
