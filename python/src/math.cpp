// Functions of one tensor: hearth/ops/math.h and what is asked of single elements.
#include "hearth/ops/math.h"

#include "hearth/ops/activation.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/elementwise.h"
#include "python/src/operands.h"

namespace hearth::python {

namespace {

constexpr int all_faces = method | inplace;

void bind_parts(Module& m) {
  def_unary<abs>(m, "abs", all_faces);
  def_unary<abs>(m, "absolute", all_faces);
  def_unary<neg>(m, "neg", all_faces);
  def_unary<neg>(m, "negative", all_faces);
  def_unary<sign>(m, "sign", all_faces);
  def_unary<sgn>(m, "sgn", all_faces);
  def_unary<ceil>(m, "ceil", all_faces);
  def_unary<floor>(m, "floor", all_faces);
  def_unary<trunc>(m, "trunc", all_faces);
  def_unary<trunc>(m, "fix", all_faces);
  def_unary<frac>(m, "frac", all_faces);
  def_unary<square>(m, "square", all_faces);
  def_unary<bitwise_not>(m, "bitwise_not", all_faces);
  def_unary<logical_not>(m, "logical_not", all_faces);
  def_unary<signbit>(m, "signbit", method);
  def_unary<isposinf>(m, "isposinf", method);
  def_unary<isneginf>(m, "isneginf", method);
  m.def(
      "isnan(input: Tensor)", [](Args& a) { return isnan(a.tensor(0)); }, method);
  m.def(
      "isinf(input: Tensor)", [](Args& a) { return isinf(a.tensor(0)); }, method);
  m.def(
      "isfinite(input: Tensor)", [](Args& a) { return isfinite(a.tensor(0)); }, method);
  m.def(
      "isreal(input: Tensor)", [](Args& a) { return isreal(a.tensor(0)); }, method);
  m.def(
      "round(input: Tensor, *, decimals: int = 0, out: Tensor? = None)",
      [](Args& a) { return round(a.tensor(0), a.integer(1)); }, all_faces);
  m.def(
      "positive(input: Tensor)",
      [](Args& a) {
        check<DtypeError>(a.tensor(0).dtype() != Dtype::boolean, "positive: not defined for bool");
        return Py_NewRef(a.object(0));
      },
      method);
}

void bind_exponential(Module& m) {
  def_unary<sqrt>(m, "sqrt", all_faces);
  def_unary<rsqrt>(m, "rsqrt", all_faces);
  def_unary<reciprocal>(m, "reciprocal", all_faces);
  def_unary<exp>(m, "exp", all_faces);
  def_unary<exp2>(m, "exp2", all_faces);
  def_unary<expm1>(m, "expm1", all_faces);
  def_unary<log>(m, "log", all_faces);
  def_unary<log1p>(m, "log1p", all_faces);
  def_unary<log2>(m, "log2", all_faces);
  def_unary<log10>(m, "log10", all_faces);
  def_unary<sigmoid>(m, "sigmoid", all_faces);
  def_unary<erf>(m, "erf", all_faces);
  def_unary<erfc>(m, "erfc", all_faces);
  def_unary<erfinv>(m, "erfinv", all_faces);
  def_unary<lgamma>(m, "lgamma", all_faces);
  def_unary<digamma>(m, "digamma", all_faces);
  m.def(
      "logit(input: Tensor, eps: Number? = None, *, out: Tensor? = None)",
      [](Args& a) { return a.given(1) ? logit(a.tensor(0), a.real(1)) : logit(a.tensor(0)); }, all_faces);
  m.def(
      "relu(input: Tensor)", [](Args& a) { return relu(a.tensor(0)); }, all_faces);
}

void bind_trigonometric(Module& m) {
  def_unary<sin>(m, "sin", all_faces);
  def_unary<cos>(m, "cos", all_faces);
  def_unary<tan>(m, "tan", all_faces);
  def_unary<asin>(m, "asin", all_faces);
  def_unary<asin>(m, "arcsin", all_faces);
  def_unary<acos>(m, "acos", all_faces);
  def_unary<acos>(m, "arccos", all_faces);
  def_unary<atan>(m, "atan", all_faces);
  def_unary<atan>(m, "arctan", all_faces);
  def_unary<sinh>(m, "sinh", all_faces);
  def_unary<cosh>(m, "cosh", all_faces);
  def_unary<tanh>(m, "tanh", all_faces);
  def_unary<asinh>(m, "asinh", all_faces);
  def_unary<asinh>(m, "arcsinh", all_faces);
  def_unary<acosh>(m, "acosh", all_faces);
  def_unary<acosh>(m, "arccosh", all_faces);
  def_unary<atanh>(m, "atanh", all_faces);
  def_unary<atanh>(m, "arctanh", all_faces);
}

const Binding binding{[](Module& m) {
  bind_parts(m);
  bind_exponential(m);
  bind_trigonometric(m);
}};

}  // namespace

}  // namespace hearth::python
