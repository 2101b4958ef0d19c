// Hashes of LoRA trainers' states.
#include <sodium.h>

#include "hearth/ops/create.h"
#include "llm/tune/lora_trainer_state.h"

namespace hearth::llm {

namespace {

/// BLAKE2b over numbers, texts and tensors, each with its length.
class Hash {
 public:
  Hash() { crypto_generichash_init(&state_, nullptr, 0, size); }
  void add(const void* data, size_t count) {
    crypto_generichash_update(&state_, static_cast<const unsigned char*>(data), count);
  }
  void add(int64_t number) { add(&number, sizeof number); }
  void add(const std::string& text) {
    add(int64_t(text.size()));
    add(text.data(), text.size());
  }
  void add(const Tensor& x) {
    const Tensor dense = contiguous(x);
    add(int64_t(dense.dim()));
    for (int i = 0; i < dense.dim(); ++i) add(dense.size(i));
    add(dense.raw(), size_t(dense.numel()) * dtype_size(dense.dtype()));
  }
  void add(const std::string& name, const TensorList& tensors) {
    add(name);
    add(int64_t(tensors.size()));
    for (const Tensor& t : tensors) add(t);
  }
  std::string hex() {
    unsigned char bytes[size];
    crypto_generichash_final(&state_, bytes, size);
    char text[2 * size + 1];
    sodium_bin2hex(text, sizeof text, bytes, size);
    return text;
  }

 private:
  static constexpr size_t size = 32;
  crypto_generichash_state state_;
};

void add_weights(Hash& hash, const LoraAdapter& adapter) {
  for (const auto& [name, tensor] : adapter.named_parameters()) {
    hash.add(name);
    hash.add(tensor);
  }
}

}  // namespace

std::string LoraTrainer::State::weights_hash() const {
  NoGrad guard;
  Hash out;
  add_weights(out, *adapter);
  return out.hex();
}

std::string LoraTrainer::State::hash(bool with_gradient) const {
  NoGrad guard;
  Hash out;
  add_weights(out, *adapter);
  out.add("exp_avg", exp_avg);
  out.add("exp_avg_sq", exp_avg_sq);
  out.add(step);
  if (with_gradient) out.add("gradient", gradient);
  return out.hex();
}

}  // namespace hearth::llm
