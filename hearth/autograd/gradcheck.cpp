// gradcheck: compares gradients with finite differences.
#include "hearth/autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "hearth/autograd/engine.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/reduce.h"

namespace hearth {

namespace {

/// Fixed pseudo-random weights in [-1, 1), so that a wrong gradient cannot hide behind a symmetric sum.
Tensor random_like(const Tensor& x, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<double> values(static_cast<size_t>(x.numel() * (is_complex(x.dtype()) ? 2 : 1)));
  for (double& v : values) v = double(engine()) / 2147483648.0 - 1.0;
  if (!is_complex(x.dtype())) return from_values<double>(std::span<const double>(values), x.shape());
  Shape parts = x.shape();
  parts.push_back(2);
  return view_as_complex(from_values<double>(std::span<const double>(values), parts));
}

/// The scalar that is differentiated: outputs weighted and added up, the real part of it.
Tensor weighted_sum(const TensorList& outputs) {
  Tensor total;
  uint32_t seed = 17;
  for (const Tensor& y : outputs) {
    if (!is_differentiable(y.dtype())) continue;
    const Tensor part = real(sum(mul(y, random_like(y, seed++))));
    total = total.defined() ? add(total, part) : part;
  }
  check<ValueError>(total.defined(), "gradcheck: the function has no floating output");
  return total;
}

/// All elements as doubles, both parts of complex ones.
std::vector<double> numbers_of(const Tensor& x) {
  return to_vector<double>(is_complex(x.dtype()) ? view_as_real(x) : x);
}

double relative_error(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return INFINITY;
  return std::abs(a - b) / std::max({1.0, std::abs(a), std::abs(b)});
}

}  // namespace

double gradcheck(const TensorFunction& f, const TensorList& inputs, double eps) {
  TensorList checked;
  for (const Tensor& x : inputs) {
    if (!x.requires_grad()) continue;
    check<DtypeError>(x.dtype() == Dtype::float64 || x.dtype() == Dtype::complex128,
                      "gradcheck: inputs must be float64 or complex128: ", x.dtype());
    checked.push_back(x);
  }
  check<ValueError>(!checked.empty(), "gradcheck: no input requires grad");
  const Tensor y = weighted_sum(f(inputs));
  const TensorList analytic = y.requires_grad() ? grad({y}, checked, {}, {}, true) : TensorList(checked.size());
  double worst = 0;
  for (size_t i = 0; i < checked.size(); ++i) {
    const std::vector<double> gradient = numbers_of(analytic[i].defined() ? analytic[i] : zeros_like(checked[i]));
    check<ValueError>(!analytic[i].defined() || analytic[i].dtype() == checked[i].dtype(),
                      "gradcheck: the gradient has another dtype than its input");
    check<ValueError>(checked[i].is_contiguous(),
                      "gradcheck: inputs must be contiguous; make views inside the function");
    // A complex number is two doubles; its gradient holds the slopes along both.
    double* data = static_cast<double*>(checked[i].raw());
    for (size_t j = 0; j < gradient.size(); ++j) {
      const double before = data[j];
      // The function may need grad mode (it may differentiate inside), so values are taken in the mode that is on.
      data[j] = before + eps;
      const double above = weighted_sum(f(inputs)).item();
      data[j] = before - eps;
      const double below = weighted_sum(f(inputs)).item();
      data[j] = before;
      worst = std::max(worst, relative_error(gradient[j], (above - below) / (2 * eps)));
    }
  }
  return worst;
}

double gradgradcheck(const TensorFunction& f, const TensorList& inputs, double eps) {
  const TensorFunction gradient = [&](const TensorList& xs) {
    TensorList checked;
    for (const Tensor& x : xs)
      if (x.requires_grad()) checked.push_back(x);
    EnableGrad guard;
    TensorList result;
    for (const Tensor& g : grad({weighted_sum(f(xs))}, checked, {}, {.create_graph = true}, true))
      if (g.defined()) result.push_back(g);
    return result;
  };
  return gradcheck(gradient, inputs, eps);
}

}  // namespace hearth
