// Activation functions and softmax: hearth/ops/activation.h. nn.functional adds its arguments `inplace`.
#include "hearth/ops/activation.h"
#include "hearth/ops/compare.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/random.h"
#include "hearth/ops/softmax.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

/// The input of softmax and log_softmax, converted first where a dtype is given.
Tensor converted(Args& a, int dtype) {
  const Tensor& x = a.tensor(0);
  const std::optional<Dtype> wanted = a.dtype_or_none(dtype);
  const Tensor y = wanted ? to(x, *wanted) : x;
  check<DtypeError>(is_floating(y.dtype()), a.op(), ": not defined for ", y.dtype(), "; give a floating dtype");
  return y;
}

const Tensor& floating(Args& a) {
  check<DtypeError>(is_floating(a.tensor(0).dtype()), a.op(), ": not defined for ", a.tensor(0).dtype());
  return a.tensor(0);
}

/// threshold, of integers too.
Tensor above(const Tensor& x, const Scalar& at, const Scalar& value) {
  if (is_floating(x.dtype())) return threshold(x, at.to_double(), value.to_double());
  check<DtypeError>(x.dtype() != Dtype::boolean && !is_complex(x.dtype()), "threshold: not defined for ", x.dtype());
  return where(gt(x, at), x, scalar_tensor(value, x.dtype()));
}

void bind_public(Module& m) {
  m.def(
      "softmax(input: Tensor, dim: int, dtype: dtype? = None, *, out: Tensor? = None)",
      [](Args& a) { return softmax(converted(a, 2), a.integer(1)); }, method);
  m.def(
      "log_softmax(input: Tensor, dim: int, dtype: dtype? = None, *, out: Tensor? = None)",
      [](Args& a) { return log_softmax(converted(a, 2), a.integer(1)); }, method);
  m.def("selu(input: Tensor)", [](Args& a) { return selu(floating(a)); });
  m.def("selu_(input: Tensor)", [](Args& a) {
    floating(a);
    apply_(a.tensor(0), "selu_", [](const Tensor& x) { return selu(x); });
    return Py_NewRef(a.object(0));
  });
  m.def("celu(input: Tensor, alpha: Number = 1.0)", [](Args& a) { return celu(floating(a), a.real(1)); });
  m.def("celu_(input: Tensor, alpha: Number = 1.0)", [](Args& a) {
    floating(a);
    const double alpha = a.real(1);
    apply_(a.tensor(0), "celu_", [&](const Tensor& x) { return celu(x, alpha); });
    return Py_NewRef(a.object(0));
  });
  m.def("threshold(input: Tensor, threshold: Number, value: Number, *, out: Tensor? = None)",
        [](Args& a) { return above(a.tensor(0), a.number(1), a.number(2)); });
  m.def("threshold_(input: Tensor, threshold: Number, value: Number)", [](Args& a) {
    const Scalar at = a.number(1), value = a.number(2);
    apply_(a.tensor(0), "threshold_", [&](const Tensor& x) { return above(x, at, value); });
    return Py_NewRef(a.object(0));
  });
  m.def(
      "hardshrink(input: Tensor, lambd: Number = 0.5, *, out: Tensor? = None)",
      [](Args& a) { return hardshrink(floating(a), a.real(1)); }, method);
}

void bind_learned(Module& m) {
  m.def(
      "prelu(input: Tensor, weight: Tensor)", [](Args& a) { return prelu(floating(a), a.tensor(1)); }, method);
}

void bind_random(Module& m) {
  m.def("_nn_dropout(input: Tensor, p: float, training: bool)",
        [](Args& a) { return dropout(a.tensor(0), a.real(1), a.flag(2)); });
  m.def("_nn_noise(input: Tensor, shape: ints, keep: float)", [](Args& a) {
    const Tensor noise = Tensor::empty(a.shape(1), real_type(a.tensor(0).dtype()), a.tensor(0).device());
    bernoulli_(noise, a.real(2));
    return noise;
  });
  m.def("_nn_uniform(shape: ints, low: float, high: float)", [](Args& a) {
    const Tensor drawn = Tensor::empty(a.shape(0), Dtype::float64);
    uniform_(drawn, a.real(1), a.real(2));
    return drawn;
  });
}

void bind_hidden(Module& m) {
  m.def("_nn_leaky_relu(input: Tensor, slope: float)", [](Args& a) { return leaky_relu(floating(a), a.real(1)); });
  m.def("_nn_elu(input: Tensor, alpha: float)", [](Args& a) { return elu(floating(a), a.real(1)); });
  m.def("_nn_gelu(input: Tensor, approximate: str = 'none')", [](Args& a) {
    const std::string how = a.text(1);
    check<ValueError>(how == "none" || how == "tanh", "gelu: approximate must be none or tanh: ", how);
    return gelu(floating(a), how == "none" ? Gelu::none : Gelu::tanh);
  });
  m.def("_nn_silu(input: Tensor)", [](Args& a) { return silu(floating(a)); });
  m.def("_nn_mish(input: Tensor)", [](Args& a) { return mish(floating(a)); });
  m.def("_nn_softplus(input: Tensor, beta: float, threshold: float)",
        [](Args& a) { return softplus(floating(a), a.real(1), a.real(2)); });
  m.def("_nn_logsigmoid(input: Tensor)", [](Args& a) { return logsigmoid(floating(a)); });
  m.def("_nn_hardtanh(input: Tensor, low: float, high: float)",
        [](Args& a) { return hardtanh(a.tensor(0), a.real(1), a.real(2)); });
  m.def("_nn_hardsigmoid(input: Tensor)", [](Args& a) { return hardsigmoid(floating(a)); });
  m.def("_nn_hardswish(input: Tensor)", [](Args& a) { return hardswish(floating(a)); });
  m.def("_nn_softshrink(input: Tensor, lambd: float)", [](Args& a) { return softshrink(floating(a), a.real(1)); });
  m.def("_nn_glu(input: Tensor, dim: int)", [](Args& a) { return glu(floating(a), a.integer(1)); });
}

const Binding binding{[](Module& m) {
  bind_public(m);
  bind_hidden(m);
  bind_learned(m);
  bind_random(m);
}};

}  // namespace

}  // namespace hearth::python
