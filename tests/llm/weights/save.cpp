// Models written and read again: whole and in shards, tied and untied, in every type of weights.
#include "llm/weights/save.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "hearth/hearth.h"
#include "llm/weights/load.h"

namespace hearth::llm {
namespace {

namespace fs = std::filesystem;

class SavedModel : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hearth-weights-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  static std::vector<float> logits(const CausalLm& model) {
    NoGrad guard;
    return to_vector<float>(model.logits(model.hidden(pack({{1, 4, 9, 33, 2, 8}}))));
  }

  std::string folder;
  std::unique_ptr<CausalLm> model = load_model(std::string(HEARTH_TEST_DATA) + "/models/" + GetParam());
};

TEST_P(SavedModel, Float32IsTheSameBits) {
  save_model(*model, folder, Dtype::float32, "");
  const auto again = load_model(folder);
  EXPECT_EQ(logits(*again), logits(*model));
  EXPECT_EQ(again->config().tie_word_embeddings, model->config().tie_word_embeddings);
  EXPECT_EQ(again->config().eos_token_ids, model->config().eos_token_ids);
}

TEST_P(SavedModel, Shards) {
  save_model(*model, folder, Dtype::float32, "", nullptr, 9000);
  EXPECT_TRUE(fs::exists(folder + "/model.safetensors.index.json"));
  EXPECT_FALSE(fs::exists(folder + "/model.safetensors"));
  EXPECT_EQ(logits(*load_model(folder)), logits(*model));
}

TEST_P(SavedModel, HalfTypesRoundOnce) {
  for (Dtype dtype : {Dtype::bfloat16, Dtype::float16}) {
    const std::string first = folder + "/first", second = folder + "/second";
    save_model(*model, first, dtype, "");
    const auto rounded = load_model(first);
    EXPECT_EQ(rounded->model.embed_tokens.dtype(), dtype == Dtype::bfloat16 ? Dtype::bfloat16 : Dtype::float32);
    save_model(*rounded, second, dtype, "");
    for (const auto& [name, tensor] : rounded->named_parameters()) {
      const auto file = SafetensorsFile::open(second + "/model.safetensors");
      EXPECT_EQ(file.info(name).dtype, dtype) << name;
      EXPECT_EQ(to_vector<float>(to(file.tensor(name), Dtype::float32)), to_vector<float>(to(tensor, Dtype::float32)))
          << name;
    }
    const std::vector<float> exact = logits(*model), half = logits(*load_model(first, Dtype::float32));
    double worst = 0, size = 0;
    for (size_t i = 0; i < exact.size(); ++i) {
      worst = std::max(worst, double(std::abs(exact[i] - half[i])));
      size = std::max(size, double(std::abs(exact[i])));
    }
    EXPECT_LT(worst / size, dtype == Dtype::bfloat16 ? 0.05 : 0.005);
    fs::remove_all(first);
    fs::remove_all(second);
  }
}

TEST_P(SavedModel, OtherTypesAreRefused) {
  EXPECT_THROW(load_model(std::string(HEARTH_TEST_DATA) + "/models/" + GetParam(), Dtype::int64), DtypeError);
  EXPECT_THROW(load_model(folder), Error) << "an empty folder";
  EXPECT_THROW(load_model(folder + "/nowhere"), IoError);
}

INSTANTIATE_TEST_SUITE_P(Families, SavedModel, testing::Values("llama-tiny", "llama-tied", "qwen2-tiny", "qwen3-tiny"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace hearth::llm
