// Custom functions: saved tensors and the node.
#include "hearth/autograd/function.h"

#include "hearth/ops/create.h"

namespace hearth {

void FunctionContext::save_for_backward(const TensorList& inputs) {
  for (const Tensor& x : inputs) saved_.push_back(save(x));
}

void FunctionContext::save_outputs(const TensorList& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) saved_.push_back(save_output(outputs[i], uint32_t(i)));
}

TensorList FunctionContext::saved() const {
  check<ValueError>(running_ != nullptr, "custom function: saved tensors can be read in backward only");
  TensorList tensors;
  for (const Saved& s : saved_) tensors.push_back(s.get(*running_));
  return tensors;
}

void FunctionRunner::attach(const char* name, std::shared_ptr<FunctionContext> context, const TensorList& inputs,
                            const TensorList& outputs, Backward backward) {
  for (const Tensor& y : outputs)
    for (const Tensor& x : inputs)
      check<ValueError>(!y.is_same(x), name, ": forward returned an input itself; return a clone or a view of it");
  record_many(name, outputs, inputs, [context, backward](const GradContext& c) -> Grads {
    context->running_ = &c;
    TensorList dys = c.dys;
    for (size_t i = 0; i < dys.size(); ++i) {
      const OutputInfo& info = c.node.outputs[i];
      if (!dys[i].defined()) dys[i] = zeros(info.shape, info.dtype, info.device);
    }
    Grads gradients = backward(*context, dys);
    context->running_ = nullptr;
    return gradients;
  });
}

}  // namespace hearth
