// llama2.c checkpoints: header checks, layout, and tensors under Hugging Face names.
// Formats: model.py and export.py of karpathy/llama2.c.
#include "hearth/io/llama2c.h"

#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/mapped_tensor.h"

namespace hearth {

namespace {

constexpr uint32_t magic = 0x616b3432;  // "ak42"
constexpr uint64_t legacy_header = 7 * sizeof(int32_t);
constexpr uint64_t version1_header = 256;

int32_t int_at(std::span<const std::byte> bytes, size_t offset) {
  int32_t value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

void check_config(const Llama2cConfig& config, const std::string& file) {
  const std::pair<const char*, int64_t> sizes[] = {{"dim", config.dim},
                                                   {"hidden_dim", config.hidden_dim},
                                                   {"n_layers", config.layers},
                                                   {"n_heads", config.heads},
                                                   {"n_kv_heads", config.kv_heads},
                                                   {"vocab_size", config.vocab_size},
                                                   {"max_seq_len", config.max_sequence}};
  for (const auto& [what, size] : sizes) {
    check<IoError>(size > 0, "llama2c: ", file, ": ", what, " must be positive: ", size, " (is this a llama2.c file?)");
  }
  check<IoError>(config.dim % config.heads == 0, "llama2c: ", file, ": dim is not a multiple of n_heads: ", config.dim,
                 ", ", config.heads);
  check<IoError>(config.heads % config.kv_heads == 0, "llama2c: ", file,
                 ": n_heads is not a multiple of n_kv_heads: ", config.heads, ", ", config.kv_heads);
  check<IoError>(config.head_dim() % 2 == 0, "llama2c: ", file,
                 ": dim / n_heads must be even for rotary pairs: ", config.head_dim());
}

// Walks through the file in its order; saturates instead of overflowing, so that a lying header is only "too long".
class Layout {
 public:
  explicit Layout(uint64_t start) : offset_(start) {}

  void one(const std::string& name, std::vector<int64_t> shape) {
    const uint64_t bytes = size_of(shape);
    tensors.push_back({name, std::move(shape), offset_, 0});
    skip(bytes);
  }

  void per_layer(int64_t layers, const std::string& name, const std::vector<int64_t>& shape, int64_t rotary_heads = 0) {
    const uint64_t bytes = size_of(shape);
    for (int64_t layer = 0; layer < layers; ++layer) {
      tensors.push_back({"model.layers." + std::to_string(layer) + "." + name, shape, offset_, rotary_heads});
      skip(bytes);
    }
  }

  void skip(uint64_t bytes) {
    if (__builtin_add_overflow(offset_, bytes, &offset_)) offset_ = std::numeric_limits<uint64_t>::max();
  }

  uint64_t offset() const { return offset_; }
  std::vector<Llama2cTensor> tensors;

 private:
  static uint64_t size_of(const std::vector<int64_t>& shape) {
    uint64_t bytes = sizeof(float);
    for (const int64_t size : shape) {
      if (__builtin_mul_overflow(bytes, uint64_t(size), &bytes)) return std::numeric_limits<uint64_t>::max();
    }
    return bytes;
  }

  uint64_t offset_;
};

void attention_layers(Layout& layout, const Llama2cConfig& c) {
  const int64_t kv = c.kv_heads * c.head_dim();
  layout.per_layer(c.layers, "self_attn.q_proj.weight", {c.dim, c.dim}, c.heads);
  layout.per_layer(c.layers, "self_attn.k_proj.weight", {kv, c.dim}, c.kv_heads);
  layout.per_layer(c.layers, "self_attn.v_proj.weight", {kv, c.dim});
  layout.per_layer(c.layers, "self_attn.o_proj.weight", {c.dim, c.dim});
}

void feed_forward_layers(Layout& layout, const Llama2cConfig& c) {
  layout.per_layer(c.layers, "mlp.gate_proj.weight", {c.hidden_dim, c.dim});
  layout.per_layer(c.layers, "mlp.down_proj.weight", {c.dim, c.hidden_dim});
  layout.per_layer(c.layers, "mlp.up_proj.weight", {c.hidden_dim, c.dim});
}

Layout walk(const Llama2cConfig& c) {
  Layout layout(c.version == 1 ? version1_header : legacy_header);
  if (c.version == 1) {
    layout.per_layer(c.layers, "input_layernorm.weight", {c.dim});
    layout.per_layer(c.layers, "post_attention_layernorm.weight", {c.dim});
    layout.one("model.norm.weight", {c.dim});
    layout.one("model.embed_tokens.weight", {c.vocab_size, c.dim});
    attention_layers(layout, c);
    feed_forward_layers(layout, c);
  } else {
    layout.one("model.embed_tokens.weight", {c.vocab_size, c.dim});
    layout.per_layer(c.layers, "input_layernorm.weight", {c.dim});
    attention_layers(layout, c);
    layout.per_layer(c.layers, "post_attention_layernorm.weight", {c.dim});
    feed_forward_layers(layout, c);
    layout.one("model.norm.weight", {c.dim});
    // Tables of rotary cosines and sines, which models compute themselves.
    layout.skip(uint64_t(c.max_sequence) * uint64_t(c.head_dim()) * sizeof(float));
  }
  if (!c.tied) layout.one("lm_head.weight", {c.vocab_size, c.dim});
  return layout;
}

Tensor permuted(std::span<const std::byte> bytes, const Llama2cTensor& info) {
  const int64_t rows = info.shape[0], columns = info.shape[1];
  Tensor out = Tensor::empty(Shape(info.shape), Dtype::float32);
  interleaved_to_half_split(reinterpret_cast<const float*>(bytes.data() + info.offset), out.data<float>(),
                            info.rotary_heads, rows / info.rotary_heads, columns);
  return out;
}

Llama2cModel load(std::shared_ptr<const void> owner, std::span<std::byte> bytes, const std::string& name) {
  Llama2cModel model;
  model.config = parse_llama2c_config(bytes, name);
  uint64_t end = 0;
  for (const Llama2cTensor& info : llama2c_layout(model.config, end)) {
    model.tensors.emplace(info.name, info.rotary_heads > 0 ? permuted(bytes, info)
                                                           : tensor_in_memory(owner, bytes.data() + info.offset,
                                                                              Shape(info.shape), Dtype::float32, name));
  }
  return model;
}

}  // namespace

Llama2cConfig parse_llama2c_config(std::span<const std::byte> bytes, const std::string& name) {
  check<IoError>(bytes.size() >= legacy_header, "llama2c: ", name, ": is too short for a header: ", bytes.size(),
                 " bytes");
  Llama2cConfig config;
  size_t at = 0;
  if (uint32_t(int_at(bytes, 0)) == magic) {
    const int32_t version = int_at(bytes, 4);
    check<NotImplementedError>(version != 2, "llama2c: ", name,
                               ": version 2 (int8 groups) is not read; export the model as version 1");
    check<IoError>(version == 1, "llama2c: ", name, ": unknown version: ", version);
    check<IoError>(bytes.size() >= version1_header, "llama2c: ", name, ": is too short for a header: ", bytes.size(),
                   " bytes");
    config.version = 1;
    at = 8;
  }
  int64_t* const fields[] = {&config.dim,      &config.hidden_dim, &config.layers,      &config.heads,
                             &config.kv_heads, &config.vocab_size, &config.max_sequence};
  for (int64_t* field : fields) {
    *field = int_at(bytes, at);
    at += sizeof(int32_t);
  }
  if (config.version == 1) {
    const int shared = std::to_integer<int>(bytes[at]);
    check<IoError>(shared <= 1, "llama2c: ", name, ": the shared-classifier byte must be 0 or 1: ", shared);
    config.tied = shared == 1;
  } else if (config.vocab_size < 0) {
    config.tied = false;
    config.vocab_size = -config.vocab_size;
  }
  check_config(config, name);
  // Every layer holds dim * dim floats at least: a lying layer count is refused before its tensors are listed.
  const uint64_t least = sizeof(float) * uint64_t(config.dim) * uint64_t(config.dim);
  check<IoError>(uint64_t(config.layers) <= bytes.size() / least, "llama2c: ", name, ": is truncated: ", bytes.size(),
                 " bytes cannot hold ", config.layers, " layers of dim ", config.dim);
  const uint64_t end = walk(config).offset();
  check<IoError>(bytes.size() >= end, "llama2c: ", name, ": is truncated: ", bytes.size(), " bytes, the header wants ",
                 end);
  check<IoError>(bytes.size() == end, "llama2c: ", name, ": bytes are left over: ", bytes.size(),
                 " bytes, the header wants ", end);
  return config;
}

std::vector<Llama2cTensor> llama2c_layout(const Llama2cConfig& config, uint64_t& end) {
  Layout layout = walk(config);
  end = layout.offset();
  return std::move(layout.tensors);
}

void interleaved_to_half_split(const float* from, float* to, int64_t heads, int64_t head_dim, int64_t columns) {
  const int64_t half = head_dim / 2;
  const size_t row_bytes = size_t(columns) * sizeof(float);
  for (int64_t head = 0; head < heads; ++head) {
    const float* source = from + head * head_dim * columns;
    float* target = to + head * head_dim * columns;
    for (int64_t i = 0; i < half; ++i) {
      std::memcpy(target + i * columns, source + 2 * i * columns, row_bytes);
      std::memcpy(target + (i + half) * columns, source + (2 * i + 1) * columns, row_bytes);
    }
  }
}

Llama2cModel load_llama2c(const std::string& path, FileSystem& fs) {
  const auto file = std::make_shared<MappedFile>(path, fs);
  return load(file, file->bytes(), path);
}

Llama2cModel load_llama2c(std::span<const std::byte> bytes, const std::string& name) {
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  return load(copy, *copy, name);
}

}  // namespace hearth
