// llama2.c checkpoints: the legacy `.bin` and the version-1 export, as a config and tensors under Hugging Face names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "hearth/core/tensor.h"
#include "hearth/io/file_system.h"

namespace hearth {

/// The header of a checkpoint. RMS epsilon is 1e-5 and the rotary base 10000 in every such file.
struct Llama2cConfig {
  int64_t dim = 0;
  int64_t hidden_dim = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t vocab_size = 0;
  int64_t max_sequence = 0;
  bool tied = true;  ///< the output layer is the embedding
  int version = 0;   ///< 0 legacy, 1 the 256-byte header
  int64_t head_dim() const { return dim / heads; }
};

/// Where one tensor lies in the file. `rotary_heads` > 0: its rows are stored in interleaved rotary order.
struct Llama2cTensor {
  std::string name;
  std::vector<int64_t> shape;
  uint64_t offset = 0;
  int64_t rotary_heads = 0;
};

/// A checkpoint in memory. Tensors are float32; wq and wk are permuted to half-split rotary order, the others lie in
/// the mapped file (writes to them stay in memory).
struct Llama2cModel {
  Llama2cConfig config;
  std::map<std::string, Tensor> tensors;
};

/// Reads a checkpoint file. Raises IoError when it cannot be read, is truncated, has bytes left over, or its header is
/// impossible; NotImplementedError for the quantized version 2.
/// Example: Llama2cModel model = load_llama2c("stories260K.bin"); model.tensors.at("model.norm.weight");
Llama2cModel load_llama2c(const std::string& path, FileSystem& fs = real_file_system());

/// The same from bytes in memory (copied); `name` is the file in messages.
Llama2cModel load_llama2c(std::span<const std::byte> bytes, const std::string& name);

/// Reads and checks the header against `bytes`, the whole file.
Llama2cConfig parse_llama2c_config(std::span<const std::byte> bytes, const std::string& name);

/// Where the tensors of `config` lie; `end` is the size that the file must have.
std::vector<Llama2cTensor> llama2c_layout(const Llama2cConfig& config, uint64_t& end);

/// Reorders the rows [heads * head_dim, columns] of a projection from interleaved rotary pairs (2i, 2i + 1) to
/// half-split pairs (i, i + head_dim / 2). `from` and `to` must not overlap.
void interleaved_to_half_split(const float* from, float* to, int64_t heads, int64_t head_dim, int64_t columns);

}  // namespace hearth
