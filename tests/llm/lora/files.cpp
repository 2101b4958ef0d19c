// PEFT's folder format: what is written is read back, and files that hearth would misread are refused.
#include "llm/lora/files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "hearth/hearth.h"
#include "hearth/io/file.h"
#include "llm/models/causal_lm.h"
#include "llm/weights/load.h"
#include "llm/weights/save.h"

namespace hearth::llm {
namespace {

namespace fs = std::filesystem;

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<float> x = to_vector<float>(a), y = to_vector<float>(b);
  double worst = x.size() == y.size() ? 0 : INFINITY, size = 1e-30;
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    worst = std::max(worst, std::abs(double(x[i]) - double(y[i])));
    size = std::max(size, std::abs(double(y[i])));
  }
  return worst / size;
}

class AdapterFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hearth-lora-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  std::unique_ptr<CausalLm> load(const std::string& name) {
    return load_model(std::string(HEARTH_TEST_DATA) + "/models/" + name);
  }
  LoraAdapter frozen(const CausalLm& model, const std::string& name) {
    return load_adapter(std::string(HEARTH_TEST_DATA) + "/models/" + name + "/adapter", model.linear_layers());
  }
  Tensor logits(const CausalLm& model, const LoraAdapter* adapter) {
    NoGrad guard;
    return model.logits(model.hidden(pack({{1, 4, 9, 33, 2, 8}}), adapter), adapter);
  }
  void change_config(const std::string& key, const boost::json::value& value) {
    auto json = boost::json::parse(read_file(folder + "/adapter_config.json")).as_object();
    json[key] = value;
    write_file_atomic(folder + "/adapter_config.json", boost::json::serialize(json));
  }

  std::string folder;
};

const std::vector<std::string> all_models = {"llama-tiny", "llama-tied", "qwen2-tiny", "qwen3-tiny"};

TEST_F(AdapterFiles, RoundTripIsTheSameAdapter) {
  for (const std::string& name : all_models) {
    const auto model = load(name);
    const LoraAdapter first = frozen(*model, name);
    save_adapter(first, folder, "base");
    const LoraAdapter second = load_adapter(folder, model->linear_layers());
    EXPECT_EQ(to_vector<float>(logits(*model, &first)), to_vector<float>(logits(*model, &second))) << name;
    const std::string weights = read_file(folder + "/adapter_model.safetensors");
    save_adapter(second, folder, "base");
    EXPECT_EQ(read_file(folder + "/adapter_model.safetensors"), weights) << name;
  }
}

TEST_F(AdapterFiles, RanksAndScalesOfSingleLayersAreKept) {
  const auto model = load("llama-tiny");
  std::vector<LoraWeights> weights(model->linear_layers().size());
  const auto make = [](int64_t rows, int64_t columns, double step) {
    std::vector<float> values(size_t(rows * columns));
    for (size_t i = 0; i < values.size(); ++i) values[i] = float(std::sin(double(i) * step));
    return from_values<float>(std::span<const float>(values), {rows, columns});
  };
  for (size_t i : {size_t(0), size_t(4), size_t(9)}) {
    const LinearShape& layer = model->linear_layers()[i];
    const int64_t rank = i == 4 ? 7 : 3;
    weights[i] = {make(rank, layer.in, 0.7), make(layer.out, rank, 1.3), i == 9 ? 0.25 : 2.0};
  }
  const LoraAdapter first({.rank = 3, .alpha = 6}, model->linear_layers(), weights);
  save_adapter(first, folder, "base");
  const auto json = boost::json::parse(read_file(folder + "/adapter_config.json")).as_object();
  const std::string name = model->linear_layers()[4].name;
  EXPECT_EQ(json.at("rank_pattern").as_object().size(), 1u);
  EXPECT_EQ(json.at("rank_pattern").at(name).to_number<int>(), 7);
  EXPECT_EQ(json.at("alpha_pattern").at(name).to_number<double>(), 14) << "scale 2 at rank 7";
  const LoraAdapter second = load_adapter(folder, model->linear_layers());
  EXPECT_EQ(second.at(1), nullptr);
  for (size_t i : {size_t(0), size_t(4), size_t(9)}) EXPECT_DOUBLE_EQ(second.at(i)->scale, first.at(i)->scale) << i;
  EXPECT_EQ(to_vector<float>(logits(*model, &first)), to_vector<float>(logits(*model, &second)));
}

TEST_F(AdapterFiles, MergedModelHasTheAdaptersLogits) {
  for (const std::string& name : all_models) {
    const auto model = load(name);
    const LoraAdapter adapter = frozen(*model, name);
    save_model(*model, folder + "/" + name, Dtype::float32, "", &adapter);
    const auto merged = load_model(folder + "/" + name);
    EXPECT_LT(largest_difference(logits(*merged, nullptr), logits(*model, &adapter)), 1e-5) << name;
    EXPECT_GT(largest_difference(logits(*model, nullptr), logits(*model, &adapter)), 1e-3) << "the adapter does much";
  }
}

TEST_F(AdapterFiles, AnAdapterOnATiedOutputLayerUntiesIt) {
  const auto model = load("llama-tied");
  LoraConfig config{.rank = 2};
  config.target_modules = {"lm_head"};
  const LoraAdapter adapter(config, model->linear_layers(), 1);
  for (const Tensor& p : adapter.parameters()) fill_(p, 0.05);
  save_model(*model, folder + "/merged", Dtype::float32, "", &adapter);
  const auto merged = load_model(folder + "/merged");
  EXPECT_FALSE(merged->config().tie_word_embeddings);
  EXPECT_LT(largest_difference(logits(*merged, nullptr), logits(*model, &adapter)), 1e-5);
}

TEST_F(AdapterFiles, NewAdaptersChangeNothingAndDependOnTheSeed) {
  const auto model = load("qwen3-tiny");
  const LoraAdapter one({.rank = 4}, model->linear_layers(), 1), same({.rank = 4}, model->linear_layers(), 1),
      other({.rank = 4}, model->linear_layers(), 2);
  EXPECT_EQ(largest_difference(logits(*model, &one), logits(*model, nullptr)), 0);
  EXPECT_EQ(to_vector<float>(one.at(0)->a), to_vector<float>(same.at(0)->a));
  EXPECT_NE(to_vector<float>(one.at(0)->a), to_vector<float>(other.at(0)->a));
  const float bound = 1 / std::sqrt(float(model->linear_layers()[0].in));
  for (float v : to_vector<float>(one.at(0)->a)) EXPECT_LE(std::abs(v), bound);
}

TEST_F(AdapterFiles, RefusesWhatItWouldMisread) {
  const auto model = load("llama-tiny");
  save_adapter(frozen(*model, "llama-tiny"), folder, "base");
  const std::string good = read_file(folder + "/adapter_config.json");
  const std::vector<std::pair<std::string, boost::json::value>> changes = {
      {"peft_type", "LOHA"},
      {"bias", "all"},
      {"use_dora", true},
      {"fan_in_fan_out", true},
      {"r", 0},
      {"lora_alpha", "two"},
      {"r", nullptr},
      {"modules_to_save", boost::json::array{"lm_head"}}};
  for (const auto& [key, value] : changes) {
    change_config(key, value);
    EXPECT_THROW(load_adapter(folder, model->linear_layers()), Error) << key;
    write_file_atomic(folder + "/adapter_config.json", good);
  }
  EXPECT_NO_THROW(load_adapter(folder, model->linear_layers()));
  for (const std::string& other : {"llama-tied", "qwen2-tiny", "qwen3-tiny"})
    EXPECT_THROW(load_adapter(folder, load(other)->linear_layers()), Error) << "an adapter for another base: " << other;
}

}  // namespace
}  // namespace hearth::llm
