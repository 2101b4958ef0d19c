// Optimizer updates over whole lists of parameters, and the gradient norm for clipping.
#pragma once

#include "hearth/backend/kernels/optim_step.h"
#include "hearth/core/tensor.h"

namespace hearth {

using kernels::AdamItem;
using kernels::AdamSettings;
using kernels::SgdItem;
using kernels::SgdSettings;

/// One step of torch.optim.SGD on every item, in place and in PyTorch's order of operations: g = grad (negated when
/// maximizing) + weight_decay * param; buffer = momentum * buffer + (1 - dampening) * g (g itself the first time);
/// param -= lr * (g + momentum * buffer, or buffer, or g). Each param and grad of one floating dtype, buffer float32
/// (float64 for float64). Raises ShapeError, DtypeError, ValueError.
/// Example: sgd_step({{w, w.grad(), buffer, first}}, {.lr = 0.1, .momentum = 0.9});
void sgd_step(const std::vector<SgdItem>& items, const SgdSettings& settings);

/// One step of torch.optim.Adam (Kingma and Ba 2015), AdamW with `decoupled` (Loshchilov and Hutter 2019), AMSGrad with
/// `amsgrad` (Reddi et al. 2018), in place and in PyTorch's order of operations. Dtypes as in sgd_step.
/// Raises ShapeError, DtypeError, ValueError.
/// Example: adam_step({{.param = w, .grad = w.grad(), .exp_avg = m, .exp_avg_sq = v, .step = 1}}, {.lr = 1e-3});
void adam_step(const std::vector<AdamItem>& items, const AdamSettings& settings);

/// The Euclidean norm of all gradients together, summed in double; undefined entries are left out.
/// Raises DtypeError. Example: double norm = grad_norm(grads);
double grad_norm(const TensorList& grads);

/// x = x * factor for every defined entry, in place. Raises DtypeError, ValueError for memory that must not be written.
void scale_(const TensorList& xs, double factor);

}  // namespace hearth
