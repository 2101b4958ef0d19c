// Activation checkpointing: forget a part's activations and compute them again in backward.
#include "hearth/autograd/checkpoint.h"

#include "hearth/autograd/engine.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"

namespace hearth {

namespace {

/// Runs f again on detached inputs and differentiates that run.
Grads recompute(const std::function<TensorList(const TensorList&)>& f, const std::vector<Saved>& saved,
                const TensorList& parameters, const GradContext& c) {
  const bool create_graph = grad_enabled();
  EnableGrad guard;
  TensorList inputs, wanted;
  for (size_t i = 0; i < saved.size(); ++i) {
    const Tensor x = saved[i].get(c);
    // With a graph being built the true inputs are used, so that higher derivatives reach what came before them.
    inputs.push_back(!x.defined() || create_graph ? x : x.detach());
    if (!create_graph && x.defined() && c.needs(int(i))) inputs.back().set_requires_grad();
    if (c.needs(int(i))) wanted.push_back(inputs.back());
  }
  for (size_t i = 0; i < parameters.size(); ++i)
    if (c.needs(int(saved.size() + i))) wanted.push_back(parameters[i]);
  const TensorList outputs = f(inputs);
  TensorList roots, gradients;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!c.dys[i].defined() || !outputs[i].requires_grad()) continue;
    roots.push_back(outputs[i]);
    gradients.push_back(c.dys[i]);
  }
  const TensorList found = grad(roots, wanted, gradients, {.create_graph = create_graph}, true);
  Grads result(saved.size() + parameters.size());
  size_t next = 0;
  for (size_t i = 0; i < result.size(); ++i)
    if (c.needs(int(i))) result[i] = found[next++];
  return result;
}

}  // namespace

TensorList checkpoint(std::function<TensorList(const TensorList&)> f, const TensorList& inputs,
                      const TensorList& parameters) {
  TensorList outputs;
  {
    NoGrad guard;
    outputs = f(inputs);
  }
  TensorList all = inputs;
  all.insert(all.end(), parameters.begin(), parameters.end());
  if (!needs_grad(all)) return outputs;
  std::vector<Saved> saved;
  for (const Tensor& x : inputs) saved.push_back(save(x));
  record_many("checkpoint", outputs, all,
              [f = std::move(f), saved = std::move(saved), parameters](const GradContext& c) -> Grads {
                return recompute(f, saved, parameters, c);
              });
  return outputs;
}

}  // namespace hearth
