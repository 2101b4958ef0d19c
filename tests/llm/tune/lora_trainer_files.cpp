// LoRA trainers on disk: what is saved is loaded, to the bit; folders that do not fit are refused.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "hearth/io/faulty_file_system.h"
#include "hearth/io/file.h"
#include "llm/lora/files.h"
#include "llm/tune/small_trainers.h"

namespace hearth::llm {
namespace {

namespace fs = std::filesystem;

class LoraTrainerFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hearth-trainer-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  /// Loading fails with an error that says `words`, into an existing trainer and into a new one.
  template <class E>
  void refused(const std::string& words, bool optimizer = true) {
    LoraTrainer trainer = small_trainer(base);
    warm_up(trainer);
    run(trainer, random_data(3, {4}));
    const std::string before = trainer.state_hash();
    const auto says = [&](auto&& load) {
      try {
        load();
        ADD_FAILURE() << "no error: " << words;
      } catch (const E& error) {
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what() << " lacks " << words;
      }
    };
    says([&] { trainer.load(folder, optimizer); });
    says([&] { LoraTrainer::open(base, folder, optimizer, ""); });
    EXPECT_EQ(trainer.state_hash(), before);
  }

  const std::shared_ptr<const CausalLm> base = small_base();
  std::string folder;
};

void train(LoraTrainer& trainer, int first, int last) {
  for (int step = first; step < last; ++step) {
    run(trainer, random_data(uint64_t(step), {9, 14}));
    trainer.optim_step({.learning_rate = 0.01, .weight_decay = 0.1, .grad_clip_norm = 1});
  }
}

TEST_F(LoraTrainerFiles, training_goes_on_to_the_same_bits) {
  LoraTrainer undisturbed = small_trainer(base), first = small_trainer(base);
  train(undisturbed, 0, 6);
  train(first, 0, 3);
  first.save(folder, "base");
  LoraTrainer opened = LoraTrainer::open(base, folder, true, "");
  EXPECT_EQ(opened.state_hash(), first.state_hash());
  EXPECT_EQ(opened.step(), 3);
  EXPECT_EQ(lora_choice(opened.config()).rank, 4);
  train(opened, 3, 6);
  EXPECT_EQ(opened.state_hash(), undisturbed.state_hash());
  // The same into a trainer that went another way.
  LoraTrainer other = small_trainer(base, 77);
  train(other, 40, 42);
  run(other, random_data(1, {5}));
  const auto snapshot = other.snapshot();
  const std::vector<float> before = to_vector<float>(snapshot->parameters()[0]);
  other.load(folder, true);
  EXPECT_FALSE(other.has_gradient());
  EXPECT_EQ(other.state_hash(), first.state_hash());
  train(other, 3, 6);
  EXPECT_EQ(other.state_hash(), undisturbed.state_hash());
  EXPECT_EQ(bits(to_vector<float>(snapshot->parameters()[0])), bits(before));
}

TEST_F(LoraTrainerFiles, weights_alone_begin_a_new_optimizer) {
  LoraTrainer trainer = small_trainer(base);
  train(trainer, 0, 3);
  trainer.save(folder, "base");
  LoraTrainer opened = LoraTrainer::open(base, folder, false, ""), loaded = small_trainer(base, 9);
  train(loaded, 0, 1);
  loaded.load(folder, false);
  for (LoraTrainer* t : {&opened, &loaded}) {
    EXPECT_EQ(t->step(), 0);
    const auto a = t->snapshot()->parameters(), b = trainer.snapshot()->parameters();
    for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(bits(to_vector<float>(a[i])), bits(to_vector<float>(b[i])));
  }
  EXPECT_EQ(opened.state_hash(), loaded.state_hash());
  EXPECT_NE(opened.state_hash(), trainer.state_hash());
}

TEST_F(LoraTrainerFiles, a_trainer_that_took_no_step_is_saved_too) {
  LoraTrainer trainer = small_trainer(base);
  trainer.save(folder, "base");
  EXPECT_EQ(LoraTrainer::open(base, folder, true, "").state_hash(), trainer.state_hash());
}

TEST_F(LoraTrainerFiles, all_choices_of_layers_come_back) {
  for (int flags = 1; flags < 8; ++flags) {
    LoraTrainer trainer(
        base, lora_config({.rank = 5, .attn = bool(flags & 1), .mlp = bool(flags & 2), .unembed = bool(flags & 4)}), 1,
        "");
    train(trainer, 0, 1);
    trainer.save(folder, "base");
    LoraTrainer opened = LoraTrainer::open(base, folder, true, "");
    EXPECT_EQ(opened.state_hash(), trainer.state_hash());
    const LoraChoice choice = lora_choice(opened.config());
    EXPECT_EQ(choice.attn, bool(flags & 1));
    EXPECT_EQ(choice.mlp, bool(flags & 2));
    EXPECT_EQ(choice.unembed, bool(flags & 4));
  }
}

TEST_F(LoraTrainerFiles, an_adapter_alone_gives_weights_but_no_optimizer) {
  LoraTrainer trainer = small_trainer(base);
  train(trainer, 0, 2);
  save_adapter(*trainer.snapshot(), folder, "base");
  LoraTrainer opened = LoraTrainer::open(base, folder, false, "");
  EXPECT_EQ(opened.step(), 0);
  refused<IoError>("lora_trainer.json");
}

TEST_F(LoraTrainerFiles, another_rank_or_other_layers_make_a_new_model_only) {
  LoraTrainer saved(base, lora_config({.rank = 6}), 1, "");
  saved.save(folder, "base");
  LoraTrainer trainer = small_trainer(base);
  const std::string before = trainer.state_hash();
  const auto words = [&] {
    try {
      trainer.load(folder, true);
    } catch (const ValueError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(words().find("rank 6, this model's is 4"), std::string::npos) << words();
  LoraTrainer(base, lora_config({.rank = 4, .mlp = false}), 1, "").save(folder, "base");
  EXPECT_NE(words().find("does not train model.layers.0.mlp.gate_proj"), std::string::npos) << words();
  EXPECT_EQ(trainer.state_hash(), before);
  EXPECT_EQ(LoraTrainer::open(base, folder, true, "").config().rank, 4);
}

TEST_F(LoraTrainerFiles, another_base_is_refused) {
  const auto print = [](const CausalLm& model) { return base_fingerprint(model.named_parameters()); };
  LoraTrainer trainer(base, lora_config({.rank = 4}), 1, print(*base));
  trainer.save(folder, "base");
  EXPECT_NO_THROW(LoraTrainer::open(base, folder, true, print(*base)));
  auto other = std::make_shared<CausalLm>(base->config());
  other->initialize(8, 0.1);
  EXPECT_THROW(LoraTrainer::open(other, folder, true, print(*other)), ValueError);
}

TEST_F(LoraTrainerFiles, damaged_files_are_refused) {
  LoraTrainer trainer = small_trainer(base);
  train(trainer, 0, 2);
  const auto damage = [&](const std::string& name, std::function<void(std::string&)> change) {
    trainer.save(folder, "base");
    std::string bytes = read_file(folder + "/" + name);
    change(bytes);
    std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
  };
  const auto last_bit = [](std::string& bytes) { bytes.back() ^= 1; };
  const auto shorter = [](std::string& bytes) { bytes.resize(bytes.size() / 2); };
  damage("adapter_model.safetensors", last_bit);
  refused<IoError>("damaged");
  damage("adapter_model.safetensors", last_bit);
  refused<IoError>("damaged", false);
  damage("optimizer.safetensors", last_bit);
  refused<IoError>("damaged");
  damage("optimizer.safetensors", shorter);
  refused<IoError>("optimizer.safetensors");
  damage("adapter_model.safetensors", shorter);
  refused<IoError>("adapter_model.safetensors");
  damage("lora_trainer.json", shorter);
  refused<ValueError>("lora_trainer.json");
  damage("lora_trainer.json", [](std::string& bytes) { bytes.replace(bytes.find("\"step\":2"), 8, "\"step\":3"); });
  refused<IoError>("damaged");
  damage("lora_trainer.json",
         [](std::string& bytes) { bytes.replace(bytes.find("\"version\":1"), 11, "\"version\":9"); });
  refused<ValueError>("version is unknown: 9");
  fs::remove_all(folder);
  refused<IoError>(folder);
}

TEST_F(LoraTrainerFiles, a_fault_at_any_call_is_an_error_and_the_next_try_succeeds) {
  // One layer: a call is made for each tensor.
  const LoraConfig config = lora_config({.rank = 4, .attn = false, .mlp = false});
  LoraTrainer trainer(base, config, 1, "");
  train(trainer, 0, 2);
  const std::string before = trainer.state_hash();
  test::FaultyFileSystem counting;
  trainer.save(folder, "base", counting);
  const int calls = counting.calls;
  EXPECT_GT(calls, 15);
  for (int at = 0; at < calls; ++at) {
    test::FaultyFileSystem faulty;
    faulty.fail_at = at;
    faulty.error = at % 2 ? EIO : ENOSPC;
    try {
      trainer.save(folder, "base", faulty);
      // Of a folder that was synchronised: nothing is lost.
      EXPECT_EQ(faulty.failed_call, "close") << at;
      EXPECT_EQ(LoraTrainer::open(base, folder, true, "").state_hash(), before);
    } catch (const IoError&) {
    }
    EXPECT_EQ(faulty.open_files, 0);
    EXPECT_EQ(trainer.state_hash(), before);
  }
  trainer.save(folder, "base");
  const std::string saved = LoraTrainer::open(base, folder, true, "").state_hash();
  test::FaultyFileSystem reads;
  LoraTrainer::open(base, folder, true, "", reads);
  for (int at = 0; at < reads.calls; ++at) {
    LoraTrainer other(base, config, 9, "");
    const std::string untouched = other.state_hash();
    test::FaultyFileSystem faulty;
    faulty.fail_at = at;
    faulty.error = EIO;
    try {
      other.load(folder, true, faulty);
      // A file that was read is not the worse for a failed close.
      EXPECT_EQ(faulty.failed_call, "close") << at;
      EXPECT_EQ(other.state_hash(), saved);
    } catch (const IoError&) {
      EXPECT_EQ(other.state_hash(), untouched);
    }
  }
}

}  // namespace
}  // namespace hearth::llm
