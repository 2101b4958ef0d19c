// peer_logits: writes what hearth computes for given tokens, for the comparison with transformers and PEFT.
//
//   peer_logits MODEL TOKENS.safetensors OUT.safetensors [ADAPTER]
//
// TOKENS holds int64 `tokens.0`, `tokens.1`, ...; OUT gets `logits.i`, all sequences in one packed batch, `loss`
// (cross-entropy, mean over all targets of all sequences) and `grad.NAME`: of every parameter, or with ADAPTER of its
// weights under PEFT's names.
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "hearth/hearth.h"
#include "hearth/io/safetensors.h"
#include "llm/lora/files.h"
#include "llm/loss/token_log_probs.h"
#include "llm/models/causal_lm.h"
#include "llm/weights/load.h"

namespace {

using namespace hearth;
using namespace hearth::llm;

std::vector<std::vector<int32_t>> read_sequences(const std::string& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  std::vector<std::vector<int32_t>> sequences;
  while (file.contains("tokens." + std::to_string(sequences.size()))) {
    const std::vector<int64_t> ids = to_vector<int64_t>(file.tensor("tokens." + std::to_string(sequences.size())));
    sequences.emplace_back(ids.begin(), ids.end());
  }
  return sequences;
}

/// Logits of every sequence, from one packed batch.
void add_logits(const CausalLm& model, const LoraAdapter* adapter, const std::vector<std::vector<int32_t>>& sequences,
                std::map<std::string, Tensor>& out) {
  NoGrad guard;
  const Tensor rows = model.logits(model.hidden(pack(sequences), adapter), adapter);
  int64_t begin = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const int64_t length = int64_t(sequences[i].size());
    out["logits." + std::to_string(i)] = narrow(rows, 0, begin, length);
    begin += length;
  }
}

/// By the way that training takes.
Tensor mean_loss(const CausalLm& model, const LoraAdapter* adapter,
                 const std::vector<std::vector<int32_t>>& sequences) {
  PackedBatch batch;
  for (size_t i = 0; i < sequences.size(); ++i)
    if (sequences[i].size() > 1) batch.append(sequences[i].data(), nullptr, int64_t(sequences[i].size()), int64_t(i));
  return batch_cross_entropy(model, batch, adapter);
}

void write_all(const std::string& folder, const std::string& tokens, const std::string& out_path,
               const std::string& adapter_folder) {
  const auto model = load_model(folder, Dtype::float32);
  const std::vector<std::vector<int32_t>> sequences = read_sequences(tokens);
  std::unique_ptr<LoraAdapter> adapter;
  if (!adapter_folder.empty())
    adapter = std::make_unique<LoraAdapter>(load_adapter(adapter_folder, model->linear_layers()));
  std::map<std::string, Tensor> out;
  add_logits(*model, adapter.get(), sequences, out);

  model->requires_grad_(adapter == nullptr);
  if (adapter) adapter->requires_grad_(true);
  const Tensor loss = mean_loss(*model, adapter.get(), sequences);
  backward(loss);
  out["loss"] = loss.detach();
  const std::string prefix = adapter ? "grad.base_model.model." : "grad.";
  for (const auto& [name, parameter] : adapter ? adapter->named_parameters() : model->named_parameters())
    out[prefix + name] = parameter.grad();
  save_safetensors(out_path, out);
}

}  // namespace

int main(int count, char** words) {
  if (count < 4 || count > 5) {
    std::fprintf(stderr, "usage: peer_logits MODEL TOKENS.safetensors OUT.safetensors [ADAPTER]\n");
    return 2;
  }
  try {
    write_all(words[1], words[2], words[3], count == 5 ? words[4] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "peer_logits: %s\n", error.what());
    return 1;
  }
  return 0;
}
