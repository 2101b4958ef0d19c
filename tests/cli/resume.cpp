// A run that is killed, or stopped by Ctrl-C, and resumed ends in the same bits as one that nothing disturbed.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>

#include "cli/command.h"

namespace hearth::cli_test {
namespace {

using Arguments = std::vector<std::string>;

/// A command line without its output folder, and the files that must come out the same.
struct TrainingRun {
  Arguments arguments;
  std::vector<std::string> results;
};

class Resume : public testing::Test {
 protected:
  TrainingRun tune(const Arguments& more, const std::vector<std::string>& results, const std::string& steps = "8") {
    write(folder / "rows.jsonl", completion_rows());
    TrainingRun run = {{"tune", tiny_model(), folder / "rows.jsonl", "--steps", steps, "--save-every", "2",
                        "--batch-size", "4", "--seed", "5", "--rank", "4"},
                       results};
    run.arguments.insert(run.arguments.end(), more.begin(), more.end());
    return run;
  }

  static Arguments with_output(const TrainingRun& run, const std::string& out, bool resume) {
    Arguments arguments = run.arguments;
    arguments.insert(arguments.end(), {"-o", out});
    if (resume) arguments.push_back("--resume");
    return arguments;
  }

  static std::vector<std::string> read(const TrainingRun& run, const std::string& out) {
    std::vector<std::string> files;
    for (const std::string& name : run.results) {
      files.push_back(contents(out + "/" + name));
      EXPECT_FALSE(files.back().empty()) << name;
    }
    return files;
  }

  /// The undisturbed run's files; also how long it took.
  std::vector<std::string> undisturbed(const TrainingRun& run, int64_t* microseconds = nullptr) {
    const std::string out = folder / "undisturbed";
    const auto begun = std::chrono::steady_clock::now();
    const Outcome done = hearth_command(with_output(run, out, false));
    EXPECT_EQ(done.code, 0) << done.err;
    if (microseconds)
      *microseconds =
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun).count();
    return read(run, out);
  }

  /// Kills the run at `kills` random moments, each time going on with what is there, then lets it end. Each kill falls
  /// within the time of a whole run, so that some hit the start, some a step, some a checkpoint being written.
  void kill_and_compare(const TrainingRun& run, int kills, uint64_t seed) {
    int64_t length = 0;
    const std::vector<std::string> expected = undisturbed(run, &length);
    std::mt19937_64 engine(seed);
    int killed = 0;
    for (int round = 0; killed < kills && round < 3 * kills; ++round) {
      const std::string out = folder / ("round" + std::to_string(round));
      // Up to three kills of one run, then its end.
      for (int i = 0; i < 3 && killed < kills; ++i) {
        const Setting setting = {.kill_after_us = int64_t(engine() % uint64_t(length)), .signal = SIGKILL};
        const Outcome cut = hearth_command(with_output(run, out, true), setting);
        if (cut.code == 0) break;
        ASSERT_EQ(cut.code, 128 + SIGKILL) << cut.err;
        ++killed;
      }
      const Outcome done = hearth_command(with_output(run, out, true));
      ASSERT_EQ(done.code, 0) << done.err;
      EXPECT_EQ(read(run, out), expected) << "round " << round;
      for (const auto& [name, bytes] : snapshot(out)) {
        EXPECT_EQ(name.find("writing-"), std::string::npos) << name;
        EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
      }
      fs::remove_all(out);
    }
    EXPECT_EQ(killed, kills) << "most runs ended before they were killed";
  }

  void interrupt_and_compare(const TrainingRun& run, const std::string& saved) {
    const std::vector<std::string> expected = undisturbed(run);
    const std::string out = folder / "interrupted";
    const Setting setting = {.signal = SIGINT, .wait_for = out + "/metrics.jsonl"};
    const Outcome cut = hearth_command(with_output(run, out, false), setting);
    ASSERT_EQ(cut.code, 130) << cut.err;
    EXPECT_NE(cut.err.find("--resume"), std::string::npos) << cut.err;
    EXPECT_TRUE(fs::exists(out + "/" + saved)) << "what was learnt so far can be used";
    const Outcome again = hearth_command(with_output(run, out, false));
    EXPECT_EQ(again.code, 2) << "without --resume nothing is overwritten";
    const Outcome done = hearth_command(with_output(run, out, true));
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(read(run, out), expected);
  }

  TempFolder folder;
};

const std::vector<std::string> adapter_files = {"adapter_model.safetensors", "adapter_config.json",
                                                "optimizer.safetensors"};
const std::vector<std::string> model_files = {"model.safetensors", "config.json", "tokenizer.json",
                                              "optimizer.safetensors"};

TEST_F(Resume, AdapterSurvivesTwentyKills) { kill_and_compare(tune({}, adapter_files), 20, 1); }

TEST_F(Resume, AdapterWithDropoutSurvivesKills) { kill_and_compare(tune({"--dropout", "0.2"}, adapter_files), 4, 2); }

TEST_F(Resume, FullFineTuningSurvivesKills) { kill_and_compare(tune({"--full"}, model_files), 6, 3); }

TEST_F(Resume, CtrlCSavesAndGoesOn) { interrupt_and_compare(tune({}, adapter_files, "60"), adapter_files[0]); }

TEST_F(Resume, CtrlCOfFullFineTuning) { interrupt_and_compare(tune({"--full"}, model_files, "60"), model_files[0]); }

TrainingRun pretraining(const TempFolder& folder, const std::string& steps) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "One day " + std::to_string(i) + " birds sang in the old tree.<|endoftext|>";
  write(folder / "text.txt", text);
  return {{"pretrain",      folder / "text.txt",
           "--vocab-size",  "280",
           "--hidden-size", "16",
           "--layers",      "1",
           "--heads",       "2",
           "--kv-heads",    "1",
           "--context",     "16",
           "--batch-size",  "2",
           "--save-every",  "3",
           "--steps",       steps},
          {"model.safetensors", "config.json", "tokenizer.json"}};
}

TEST_F(Resume, PretrainingSurvivesKills) { kill_and_compare(pretraining(folder, "8"), 6, 4); }

TEST_F(Resume, CtrlCOfPretraining) { interrupt_and_compare(pretraining(folder, "80"), "model.safetensors"); }

TEST_F(Resume, RefusesOtherOptionsAndChangesNothing) {
  const TrainingRun run = tune({}, adapter_files);
  undisturbed(run);
  const auto before = snapshot(folder / "undisturbed");
  for (const Arguments& more : {Arguments{"--rank", "8"}, Arguments{"--seed", "6"}, Arguments{"--lr", "0.1"},
                                Arguments{"--batch-size", "3"}, Arguments{"--full"}}) {
    Arguments arguments = with_output(run, folder / "undisturbed", true);
    for (size_t i = 0; i < arguments.size(); ++i)
      if (arguments[i] == more[0]) arguments.erase(arguments.begin() + long(i), arguments.begin() + long(i) + 2);
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = hearth_command(arguments);
    EXPECT_EQ(outcome.code, 2) << more[0] << outcome.err;
    EXPECT_NE(outcome.err.find("cannot resume"), std::string::npos) << outcome.err;
    EXPECT_EQ(snapshot(folder / "undisturbed"), before) << more[0];
  }
}

TEST_F(Resume, RefusesOtherDataAndChangesNothing) {
  const TrainingRun run = tune({}, adapter_files);
  undisturbed(run);
  const auto before = snapshot(folder / "undisturbed");
  write(folder / "rows.jsonl", completion_rows() + R"({"prompt": "x", "completion": "y"})" + "\n");
  const Outcome outcome = hearth_command(with_output(run, folder / "undisturbed", true));
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_EQ(snapshot(folder / "undisturbed"), before);
}

TEST_F(Resume, OfFinishedRunsIsTheSame) {
  const TrainingRun run = tune({}, adapter_files);
  const std::vector<std::string> expected = undisturbed(run);
  const Outcome again = hearth_command(with_output(run, folder / "undisturbed", true));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read(run, folder / "undisturbed"), expected);
}

}  // namespace
}  // namespace hearth::cli_test
