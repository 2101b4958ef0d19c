// Tests of llama2.c checkpoints: both layouts, the rotary order, and files that lie.
#include "hearth/io/llama2c.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;

namespace {

std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void put(std::string& bytes, int32_t number) { bytes.append(reinterpret_cast<const char*>(&number), 4); }

struct Header {
  int32_t dim = 8, hidden = 3, layers = 2, heads = 2, kv_heads = 1, vocab = 5, max_sequence = 3;
};

constexpr int64_t floats_without_output(const Header& h, bool legacy) {
  const int64_t kv = h.kv_heads * (h.dim / h.heads);
  return int64_t(h.vocab) * h.dim + h.layers * (2 * h.dim + 2 * h.dim * h.dim + 2 * kv * h.dim + 3 * h.hidden * h.dim) +
         h.dim + (legacy ? h.max_sequence * (h.dim / h.heads) : 0);
}

/// A file whose floats count up from 0, so that a value tells where it was read.
std::string legacy_file(const Header& h, bool tied = true) {
  std::string bytes;
  for (const int32_t n : {h.dim, h.hidden, h.layers, h.heads, h.kv_heads, tied ? h.vocab : -h.vocab, h.max_sequence}) {
    put(bytes, n);
  }
  const int64_t floats = floats_without_output(h, true) + (tied ? 0 : int64_t(h.vocab) * h.dim);
  for (int64_t i = 0; i < floats; ++i) {
    const float number = float(i);
    bytes.append(reinterpret_cast<const char*>(&number), 4);
  }
  return bytes;
}

std::string version1_file(const Header& h, bool tied = true) {
  std::string bytes = "24ka";
  for (const int32_t n : {1, h.dim, h.hidden, h.layers, h.heads, h.kv_heads, h.vocab, h.max_sequence}) put(bytes, n);
  bytes += tied ? '\1' : '\0';
  bytes.resize(256);
  const int64_t floats = floats_without_output(h, false) + (tied ? 0 : int64_t(h.vocab) * h.dim);
  bytes.resize(256 + size_t(floats) * 4);
  return bytes;
}

float first(const Llama2cModel& model, const std::string& name) { return *model.tensors.at(name).data<float>(); }

TEST(Llama2c, ReadsTheLegacyLayout) {
  const Header h;
  const Llama2cModel model = load_llama2c(as_bytes(legacy_file(h)), "m.bin");
  EXPECT_EQ(model.config.dim, 8);
  EXPECT_EQ(model.config.hidden_dim, 3);
  EXPECT_EQ(model.config.layers, 2);
  EXPECT_EQ(model.config.kv_heads, 1);
  EXPECT_EQ(model.config.max_sequence, 3);
  EXPECT_TRUE(model.config.tied);
  EXPECT_EQ(model.tensors.size(), 2u * 9 + 2);
  EXPECT_EQ(first(model, "model.embed_tokens.weight"), 0);
  EXPECT_EQ(first(model, "model.layers.0.input_layernorm.weight"), 40);
  EXPECT_EQ(first(model, "model.layers.1.input_layernorm.weight"), 48);
  EXPECT_EQ(first(model, "model.layers.0.self_attn.q_proj.weight"), 56);
  EXPECT_EQ(first(model, "model.layers.1.self_attn.q_proj.weight"), 120);
  EXPECT_EQ(first(model, "model.layers.0.self_attn.k_proj.weight"), 184);
  EXPECT_EQ(first(model, "model.layers.0.self_attn.v_proj.weight"), 248);
  EXPECT_EQ(first(model, "model.layers.0.self_attn.o_proj.weight"), 312);
  EXPECT_EQ(first(model, "model.layers.0.post_attention_layernorm.weight"), 440);
  EXPECT_EQ(first(model, "model.layers.0.mlp.gate_proj.weight"), 456);
  EXPECT_EQ(first(model, "model.layers.0.mlp.down_proj.weight"), 504);
  EXPECT_EQ(first(model, "model.layers.0.mlp.up_proj.weight"), 552);
  EXPECT_EQ(first(model, "model.norm.weight"), 600);
  EXPECT_EQ(model.tensors.at("model.layers.0.self_attn.k_proj.weight").shape(), Shape({4, 8}));
  EXPECT_EQ(model.tensors.at("model.layers.0.mlp.down_proj.weight").shape(), Shape({8, 3}));
}

TEST(Llama2c, ANegativeVocabularyMeansAnOutputLayerOfItsOwn) {
  const Header h;
  const Llama2cModel model = load_llama2c(as_bytes(legacy_file(h, false)), "m.bin");
  EXPECT_FALSE(model.config.tied);
  EXPECT_EQ(model.config.vocab_size, 5);
  EXPECT_EQ(first(model, "lm_head.weight"), 608 + 3 * 4) << "the rotary tables lie before it";
  EXPECT_EQ(load_llama2c(as_bytes(version1_file(h, false)), "m.bin").tensors.count("lm_head.weight"), 1u);
  EXPECT_EQ(load_llama2c(as_bytes(version1_file(h)), "m.bin").tensors.count("lm_head.weight"), 0u);
}

TEST(Llama2c, PermutesRotaryRowsPerHead) {
  // Two heads of 4 rows, one column: pairs (0, 1), (2, 3) become (0, 2), (1, 3).
  const float from[] = {0, 1, 2, 3, 10, 11, 12, 13};
  float to[8];
  interleaved_to_half_split(from, to, 2, 4, 1);
  EXPECT_EQ(std::vector<float>(to, to + 8), (std::vector<float>{0, 2, 1, 3, 10, 12, 11, 13}));
  const Llama2cModel model = load_llama2c(as_bytes(legacy_file(Header())), "m.bin");
  const float* q = model.tensors.at("model.layers.0.self_attn.q_proj.weight").data<float>();
  EXPECT_EQ(q[8], 56 + 16) << "row 1 was row 2";
  const float* v = model.tensors.at("model.layers.0.self_attn.v_proj.weight").data<float>();
  EXPECT_EQ(v[8], 248 + 8) << "values are not rotated";
}

TEST(Llama2c, EveryTruncationAndEveryByteTooManyIsOneIoError) {
  for (const std::string& bytes : {legacy_file(Header()), version1_file(Header())}) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_THROW(load_llama2c(as_bytes(bytes.substr(0, size)), "m.bin"), IoError) << size;
    }
    EXPECT_NE(error_of<IoError>([&] { load_llama2c(as_bytes(bytes + "x"), "m.bin"); }).find("bytes are left over"),
              std::string::npos);
    EXPECT_NE(
        error_of<IoError>([&] { load_llama2c(as_bytes(bytes.substr(0, 300)), "m.bin"); }).find("m.bin: is truncated"),
        std::string::npos);
  }
}

TEST(Llama2c, RandomHeaderBytesNeverDoWorseThanAnError) {
  std::mt19937 random(1);
  for (const std::string& bytes : {legacy_file(Header()), version1_file(Header())}) {
    for (int round = 0; round < 3000; ++round) {
      std::string broken = bytes;
      for (unsigned changes = 1 + random() % 4; changes > 0; --changes) broken[random() % 40] = char(random());
      try {
        load_llama2c(as_bytes(broken), "m.bin");
      } catch (const Error&) {
      }
    }
  }
}

TEST(Llama2c, RefusesImpossibleHeaders) {
  const auto refusal = [](void (*change)(Header&)) {
    Header h;
    change(h);
    std::string bytes = legacy_file(Header());
    const int32_t numbers[] = {h.dim, h.hidden, h.layers, h.heads, h.kv_heads, h.vocab, h.max_sequence};
    std::memcpy(bytes.data(), numbers, sizeof numbers);
    return error_of<IoError>([&] { load_llama2c(as_bytes(bytes), "m.bin"); });
  };
  EXPECT_NE(refusal([](Header& h) { h.dim = 0; }).find("dim must be positive"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.layers = -1; }).find("n_layers must be positive"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.vocab = 0; }).find("vocab_size must be positive"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.heads = 3; }).find("not a multiple of n_heads"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.kv_heads = 4; }).find("not a multiple of n_kv_heads"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.heads = h.kv_heads = 8; }).find("must be even"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.layers = INT32_MAX; }).find("is truncated"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.hidden = h.vocab = h.max_sequence = INT32_MAX; }).find("is truncated"),
            std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.dim = 1 << 30, h.hidden = INT32_MAX; }).find("is truncated"), std::string::npos);
  EXPECT_NE(refusal([](Header& h) { h.vocab = INT32_MIN; }).find("is truncated"), std::string::npos);
}

TEST(Llama2c, SaysWhichVersionsAreRead) {
  std::string bytes = version1_file(Header());
  bytes[4] = 2;
  EXPECT_THROW(load_llama2c(as_bytes(bytes), "m.bin"), NotImplementedError);
  bytes[4] = 9;
  EXPECT_NE(error_of<IoError>([&] { load_llama2c(as_bytes(bytes), "m.bin"); }).find("unknown version: 9"),
            std::string::npos);
  bytes[4] = 1;
  bytes[36] = 7;
  EXPECT_NE(error_of<IoError>([&] { load_llama2c(as_bytes(bytes), "m.bin"); }).find("shared-classifier"),
            std::string::npos);
  EXPECT_THROW(load_llama2c("/nowhere/m.bin"), IoError);
}

TEST(Llama2c, BothExportsOfTheSharedModelHoldEqualTensors) {
  const std::string folder = HEARTH_SHARED "/data/stories260K";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "shared data is absent: " << folder;
  const Llama2cModel legacy = load_llama2c(folder + "/stories260K.bin");
  const Llama2cModel exported = load_llama2c(folder + "/checkpoint_v1.bin");
  EXPECT_EQ(legacy.config.layers, 5);
  EXPECT_EQ(legacy.config.hidden_dim, 172);
  EXPECT_EQ(exported.config.version, 1);
  int64_t parameters = 0;
  ASSERT_EQ(legacy.tensors.size(), exported.tensors.size());
  for (const auto& [name, tensor] : legacy.tensors) {
    const Tensor& other = exported.tensors.at(name);
    ASSERT_EQ(tensor.shape(), other.shape()) << name;
    EXPECT_EQ(std::memcmp(tensor.raw(), other.raw(), size_t(tensor.numel()) * 4), 0) << name;
    parameters += tensor.numel();
  }
  EXPECT_EQ(parameters, 260'032);
}

TEST(Llama2c, ReadsTheOtherSharedModel) {
  const std::string path = HEARTH_SHARED "/data/babyllama-tok105/model5000.bin";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "shared data is absent: " << path;
  const Llama2cModel model = load_llama2c(path);
  int64_t parameters = 0;
  for (const auto& [name, tensor] : model.tensors) parameters += tensor.numel();
  EXPECT_EQ(parameters, 936'448);
  EXPECT_EQ(model.config.vocab_size, 105);
}

}  // namespace
