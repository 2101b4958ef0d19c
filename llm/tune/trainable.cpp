// Trainable: an adapter beside a frozen model, or all of the model's weights.
#include "llm/tune/trainable.h"

#include "hearth/io/safetensors.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "llm/lora/files.h"
#include "llm/weights/save.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::llm {

Trainable::Trainable(std::unique_ptr<CausalLm> model, const TuneOptions& options) : model_(std::move(model)) {
  model_->model.checkpoint_layers = options.checkpoint_activations;
  if (options.full) {
    // Weights mapped from a file are copied, so that training never touches pages of the file.
    nn::StateDict own;
    for (auto& [name, tensor] : model_->state_dict()) own[name] = clone(tensor);
    model_->load_state_dict(own, true, true);
    model_->requires_grad_(true);
    return;
  }
  model_->requires_grad_(false);
  adapter_ = std::make_unique<LoraAdapter>(options.lora, model_->linear_layers(), options.seed);
  adapter_->requires_grad_(true);
}

nn::NamedTensors Trainable::named_parameters() const {
  return adapter_ ? adapter_->named_parameters() : model_->named_parameters();
}

TensorList Trainable::parameters() const {
  TensorList out;
  for (auto& [name, tensor] : named_parameters()) out.push_back(tensor);
  return out;
}

void Trainable::save(const std::string& folder, const std::string& base) const {
  if (adapter_)
    save_adapter(*adapter_, folder, base, base_fingerprint(model_->named_parameters()));
  else
    save_model(*model_, folder, Dtype::float32, tokenizer_folder(base));
}

void Trainable::restore(const std::string& folder) {
  NoGrad guard;
  const bool lora = bool(adapter_);
  const SafetensorsFile file =
      SafetensorsFile::open(folder + (lora ? "/adapter_model.safetensors" : "/model.safetensors"));
  for (auto& [name, tensor] : named_parameters()) copy_(tensor, file.tensor((lora ? "base_model.model." : "") + name));
}

}  // namespace hearth::llm
