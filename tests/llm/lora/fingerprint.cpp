// Fingerprints of base models.
#include "llm/lora/fingerprint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "hearth/core/error.h"
#include "llm/lora/files.h"
#include "llm/weights/load.h"

namespace hearth::llm {
namespace {

std::string fingerprint(const CausalLm& model) { return base_fingerprint(model.named_parameters()); }

std::unique_ptr<CausalLm> frozen(const char* name, Dtype dtype = Dtype::float32) {
  return load_model(std::string(HEARTH_TEST_DATA) + "/models/" + name, dtype);
}

TEST(Fingerprint, IsTheSameInSixteenBits) {
  for (const char* name : {"llama-tiny", "llama-tied", "qwen2-tiny", "qwen3-tiny"})
    EXPECT_TRUE(same_base(fingerprint(*frozen(name)), fingerprint(*frozen(name, Dtype::bfloat16)))) << name;
}

TEST(Fingerprint, TellsBasesOfTheSameShapesApart) {
  const auto model = frozen("llama-tiny");
  const std::string own = fingerprint(*model);
  for (uint64_t seed : {1, 2, 3}) {
    CausalLm other(model->config());
    other.initialize(seed);
    EXPECT_FALSE(same_base(own, fingerprint(other))) << seed;
  }
}

TEST(Fingerprint, TextsThatAreNone) {
  EXPECT_FALSE(same_base("", ""));
  EXPECT_FALSE(same_base("abc", "abc"));
  EXPECT_FALSE(same_base("1 2", "1 2 3"));
  EXPECT_FALSE(same_base("nan", "nan"));
}

TEST(Fingerprint, AnAdapterIsRefusedByAnotherBase) {
  const auto model = frozen("llama-tiny");
  CausalLm other(model->config());
  other.initialize(5);
  const std::string folder = testing::TempDir() + "fingerprint-" + std::to_string(getpid());
  save_adapter(LoraAdapter({.rank = 2}, model->linear_layers(), 1), folder, "llama-tiny", fingerprint(*model));
  EXPECT_NO_THROW(load_adapter(folder, model->linear_layers(), fingerprint(*model)));
  EXPECT_NO_THROW(load_adapter(folder, model->linear_layers()));
  EXPECT_THROW(load_adapter(folder, other.linear_layers(), fingerprint(other)), ValueError);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hearth::llm
