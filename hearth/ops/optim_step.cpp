// Optimizer updates: checks, dense memory for the kernels, version counters.
#include "hearth/ops/optim_step.h"

#include <cmath>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"

namespace hearth {
namespace {

void check_state(const char* name, const char* what, const Tensor& param, const Tensor& state) {
  const Dtype expected = param.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32;
  check<ValueError>(state.defined(), name, ": ", what, " is missing");
  check<ShapeError>(state.shape() == param.shape(), name, ": ", what,
                    " does not have the parameter's shape: ", state.shape(), " and ", param.shape());
  check<DtypeError>(state.dtype() == expected, name, ": ", what, " of a ", param.dtype(), " parameter must be ",
                    expected, ": ", state.dtype());
  check<ValueError>(state.is_contiguous(), name, ": ", what, " must be contiguous: strides ", state.strides());
}

void check_parameter(const char* name, const Tensor& param, const Tensor& grad) {
  check<ValueError>(param.defined() && grad.defined(), name, ": parameter or gradient is missing");
  check<DtypeError>(is_floating(param.dtype()) && grad.dtype() == param.dtype(), name,
                    ": parameter and gradient must have one floating dtype: ", param.dtype(), " and ", grad.dtype());
  check<ShapeError>(grad.shape() == param.shape(), name,
                    ": gradient does not have the parameter's shape: ", grad.shape(), " and ", param.shape());
  check<DeviceError>(grad.device() == param.device(), name,
                     ": gradient and parameter are on different devices: ", grad.device(), " and ", param.device());
  check_writable(name, param);
}

/// Gives kernels dense parameters: a strided one is updated in a copy and written back.
template <class Item, class Step>
void run(std::vector<Item> items, Step step) {
  NoGrad guard;
  if (items.empty()) return;
  std::vector<Tensor> originals;
  for (Item& item : items) {
    originals.push_back(item.param);
    item.param = contiguous(item.param.detach());
    item.grad = contiguous(item.grad.detach());
  }
  step(items);
  for (size_t i = 0; i < items.size(); ++i) {
    if (originals[i].raw() != items[i].param.raw())
      copy_(originals[i], items[i].param);
    else
      originals[i].bump_version();
  }
}

}  // namespace

void sgd_step(const std::vector<SgdItem>& items, const SgdSettings& settings) {
  constexpr const char* name = "sgd_step";
  NoGrad guard;
  check<ValueError>(!settings.nesterov || (settings.momentum > 0 && settings.dampening == 0), name,
                    ": nesterov needs a momentum and no dampening: ", settings.momentum, ", ", settings.dampening);
  for (const SgdItem& item : items) {
    check_parameter(name, item.param, item.grad);
    if (settings.momentum != 0) check_state(name, "momentum buffer", item.param, item.buffer);
  }
  run(items, [&](std::vector<SgdItem>& dense) {
    if (settings.momentum == 0)
      for (SgdItem& item : dense) item.buffer = {};
    kernels::sgd_step(dense[0].param.device(), dense, settings);
  });
}

void adam_step(const std::vector<AdamItem>& items, const AdamSettings& settings) {
  constexpr const char* name = "adam_step";
  NoGrad guard;
  for (const AdamItem& item : items) {
    check_parameter(name, item.param, item.grad);
    check_state(name, "exp_avg", item.param, item.exp_avg);
    check_state(name, "exp_avg_sq", item.param, item.exp_avg_sq);
    if (settings.amsgrad) check_state(name, "max_exp_avg_sq", item.param, item.max_exp_avg_sq);
    check<ValueError>(item.step >= 1, name, ": steps count from 1: ", item.step);
  }
  run(items, [&](const std::vector<AdamItem>& dense) { kernels::adam_step(dense[0].param.device(), dense, settings); });
}

double grad_norm(const TensorList& grads) {
  NoGrad guard;
  TensorList dense;
  for (const Tensor& g : grads)
    if (g.defined()) {
      check<DtypeError>(is_floating(g.dtype()), "grad_norm: dtype must be floating: ", g.dtype());
      dense.push_back(contiguous(g.detach()));
    }
  return dense.empty() ? 0 : std::sqrt(kernels::sum_squares(dense[0].device(), dense));
}

void scale_(const TensorList& xs, double factor) {
  NoGrad guard;
  TensorList dense, strided;
  for (const Tensor& x : xs)
    if (x.defined()) {
      check<DtypeError>(is_floating(x.dtype()), "scale_: dtype must be floating: ", x.dtype());
      check_writable("scale_", x);
      dense.push_back(contiguous(x.detach()));
      strided.push_back(x);
    }
  if (dense.empty()) return;
  kernels::scale(dense[0].device(), dense, factor);
  for (size_t i = 0; i < dense.size(); ++i) {
    if (dense[i].raw() != strided[i].raw())
      copy_(strided[i], dense[i]);
    else
      strided[i].bump_version();
  }
}

}  // namespace hearth
