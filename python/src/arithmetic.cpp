// Arithmetic of two and three operands: add … pow, bits, lerp, addcmul, addcdiv.
#include "hearth/ops/elementwise.h"
#include "python/src/operands.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

constexpr int all_faces = method | inplace;

/// other * alpha; alpha must suit the dtype of the result.
Tensor scaled(const char* op, const Tensor& x, const Tensor& y, const Scalar& alpha) {
  const Dtype dtype = result_type(x, y);
  check<DtypeError>(!alpha.is_bool() || dtype == Dtype::boolean, op,
                    ": Boolean alpha only supported for Boolean results: ", dtype);
  check<DtypeError>(is_differentiable(dtype) || !alpha.is_floating(), op,
                    ": For integral input tensors, argument alpha must not be a floating point number");
  check<DtypeError>(is_complex(dtype) || !alpha.is_complex(), op,
                    ": For non-complex input tensors, argument alpha must not be a complex number");
  if (alpha.to_complex() == 1.0) return y;
  return mul(is_differentiable(dtype) && !is_differentiable(y.dtype()) ? to(y, dtype) : y, alpha);
}

Tensor add_scaled(Args& a) {
  const auto [x, y] = operands_or_numbers(a);
  return add(x, scaled("add", x, y, a.number(2)));
}
Tensor sub_scaled(Args& a) {
  const auto [x, y] = operands_or_numbers(a);
  return sub(x, scaled("sub", x, y, a.number(2)));
}
Tensor rsub_scaled(Args& a) {
  const auto [x, y] = operands(a);
  return sub(y, scaled("rsub", y, x, a.number(2)));
}

/// Whether alpha is the default, by far the most frequent case.
bool plain(Args& a) { return PyLong_CheckExact(a.object(2)) && PyLong_AsLong(a.object(2)) == 1; }

template <class F>
PyObject* written(Args& a, F f) {
  const Tensor& x = a.tensor(0);
  if (a.is_tensor(1))
    f(x, a.tensor(1));
  else
    f(x, number_operand(a, 1));
  return Py_NewRef(a.object(0));
}

void bind_sums(Module& m) {
  const auto add_lambda = [](Args& a) -> Tensor {
    if (!plain(a) || !a.is_tensor(0)) return add_scaled(a);
    return a.is_tensor(1) ? add(a.tensor(0), a.tensor(1)) : add(a.tensor(0), number_operand(a, 1));
  };
  m.def("add(input, other, *, alpha: Number = 1, out: Tensor? = None)", add_lambda, method);
  const auto sub_lambda = [](Args& a) -> Tensor {
    if (!plain(a) || !a.is_tensor(0)) return sub_scaled(a);
    return a.is_tensor(1) ? sub(a.tensor(0), a.tensor(1)) : sub(a.tensor(0), number_operand(a, 1));
  };
  m.def("sub(input, other, *, alpha: Number = 1, out: Tensor? = None)", sub_lambda, method);
  m.def("subtract(input, other, *, alpha: Number = 1, out: Tensor? = None)", sub_lambda, all_faces);
  m.def("rsub(input: Tensor, other, *, alpha: Number = 1)", [](Args& a) { return rsub_scaled(a); });
  m.def(
      "add_(input: Tensor, other, *, alpha: Number = 1)",
      [](Args& a) {
        if (plain(a)) return written(a, [](const Tensor& x, const auto& y) { add_(x, y); });
        const auto [x, y] = operands(a);
        add_(x, scaled("add_", x, y, a.number(2)));
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "sub_(input: Tensor, other, *, alpha: Number = 1)",
      [](Args& a) {
        if (plain(a)) return written(a, [](const Tensor& x, const auto& y) { sub_(x, y); });
        const auto [x, y] = operands(a);
        sub_(x, scaled("sub_", x, y, a.number(2)));
        return Py_NewRef(a.object(0));
      },
      method_only);
}

Rounding rounding_from(Args& a, int i) {
  if (!a.given(i)) return Rounding::none;
  const std::string mode = a.text(i);
  check<ValueError>(mode == "trunc" || mode == "floor", a.op(),
                    ": expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", mode, "'");
  return mode == "trunc" ? Rounding::trunc : Rounding::floor;
}

Tensor divided(Args& a) {
  const Rounding rounding = rounding_from(a, 2);
  const auto [x, y] = operands_or_numbers(a);
  return div(x, y, rounding);
}

void bind_products(Module& m) {
  const auto product = [](const auto& x, const auto& y) { return x * y; };
  def_arithmetic(m, "mul(input, other, *, out: Tensor? = None)", product, method);
  def_arithmetic(m, "multiply(input, other, *, out: Tensor? = None)", product, all_faces);
  m.def(
      "mul_(input: Tensor, other)",
      [](Args& a) { return written(a, [](const Tensor& x, const auto& y) { mul_(x, y); }); }, method_only);
  m.def(
      "div(input, other, *, rounding_mode: str? = None, out: Tensor? = None)", [](Args& a) { return divided(a); },
      all_faces);
  m.def(
      "divide(input, other, *, rounding_mode: str? = None, out: Tensor? = None)", [](Args& a) { return divided(a); },
      all_faces);
  const auto quotient = [](const auto& x, const auto& y) { return x / y; };
  def_arithmetic(m, "true_divide(input, other, *, out: Tensor? = None)", quotient, all_faces);
  m.def(
      "floor_divide(input, other, *, out: Tensor? = None)",
      [](Args& a) {
        const auto [x, y] = operands_or_numbers(a);
        return floor_divide(x, y);
      },
      all_faces);
  def_binary<remainder>(m, "remainder(input, other, *, out: Tensor? = None)", all_faces);
  def_binary<fmod>(m, "fmod(input: Tensor, other, *, out: Tensor? = None)", all_faces);
  m.def(
      "pow(input, exponent, *, out: Tensor? = None)",
      [](Args& a) {
        if (a.is_tensor(0) && !a.is_tensor(1)) return pow(a.tensor(0), number_operand(a, 1));
        const auto [x, y] = operands(a);
        return pow(x, y);
      },
      all_faces);
}

void bind_pairs(Module& m) {
  def_binary<atan2>(m, "atan2(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<atan2>(m, "arctan2(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<hypot>(m, "hypot(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<copysign>(m, "copysign(input: Tensor, other, *, out: Tensor? = None)", all_faces);
  def_binary<logaddexp>(m, "logaddexp(input: Tensor, other: Tensor, *, out: Tensor? = None)", method);
  def_binary<xlogy>(m, "xlogy(input, other, *, out: Tensor? = None)", all_faces);
  def_binary<bitwise_and>(m, "bitwise_and(input, other, *, out: Tensor? = None)", all_faces);
  def_binary<bitwise_or>(m, "bitwise_or(input, other, *, out: Tensor? = None)", all_faces);
  def_binary<bitwise_xor>(m, "bitwise_xor(input, other, *, out: Tensor? = None)", all_faces);
  def_binary<bitwise_left_shift>(m, "bitwise_left_shift(input, other, *, out: Tensor? = None)", all_faces);
  def_binary<bitwise_right_shift>(m, "bitwise_right_shift(input, other, *, out: Tensor? = None)", all_faces);
}

void bind_triples(Module& m) {
  m.def(
      "lerp(input: Tensor, end: Tensor, weight, *, out: Tensor? = None)",
      [](Args& a) {
        const Tensor &x = a.tensor(0), &end = a.tensor(1);
        check<DtypeError>(x.dtype() == end.dtype(), "lerp: expected dtype ", x.dtype(), " for `end` but got dtype ",
                          end.dtype());
        check<DtypeError>(is_differentiable(x.dtype()), "lerp: not defined for ", x.dtype());
        if (!a.is_tensor(2)) {
          const Scalar weight = number_operand(a, 2);
          return weight.is_complex() ? lerp(x, end, scalar_tensor(weight, x.dtype()))
                                     : lerp(x, end, weight.to_double());
        }
        check<DtypeError>(a.tensor(2).dtype() == x.dtype(), "lerp: expected dtype ", x.dtype(),
                          " for `weight` but got dtype ", a.tensor(2).dtype());
        return lerp(x, end, a.tensor(2));
      },
      all_faces);
  m.def(
      "addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1, out: Tensor? = None)",
      [](Args& a) { return addcmul(a.tensor(0), a.tensor(1), a.tensor(2), a.number(3)); }, all_faces);
  m.def(
      "addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1, out: Tensor? = None)",
      [](Args& a) {
        check<DtypeError>(is_differentiable(a.tensor(1).dtype()) || is_differentiable(a.tensor(2).dtype()),
                          "addcdiv: Integer division with addcdiv is no longer supported: ", a.tensor(1).dtype());
        return addcdiv(a.tensor(0), a.tensor(1), a.tensor(2), a.number(3));
      },
      all_faces);
  // The older order: value first.
  m.def(
      "addcmul(input: Tensor, value: Number, tensor1: Tensor, tensor2: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return addcmul(a.tensor(0), a.tensor(2), a.tensor(3), a.number(1)); }, all_faces);
  m.def(
      "addcdiv(input: Tensor, value: Number, tensor1: Tensor, tensor2: Tensor, *, out: Tensor? = None)",
      [](Args& a) { return addcdiv(a.tensor(0), a.tensor(2), a.tensor(3), a.number(1)); }, all_faces);
}

const Binding binding{[](Module& m) {
  bind_sums(m);
  bind_products(m);
  bind_pairs(m);
  bind_triples(m);
}};

}  // namespace

}  // namespace hearth::python
