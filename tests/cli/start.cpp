// How quickly the command starts, how large it is, and what it prints for scripts.
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/command.h"

namespace hearth::cli_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr bool release_build = false;
#else
constexpr bool release_build = true;
#endif

TEST(Start, VersionTakesLessThanTwentyMilliseconds) {
  if (!release_build) GTEST_SKIP() << "only a release build is quick";
  std::vector<double> seconds;
  for (int i = 0; i < 9; ++i) {
    const Outcome outcome = hearth_command({"--version"});
    ASSERT_EQ(outcome.code, 0);
    ASSERT_EQ(outcome.out.rfind("hearth ", 0), 0u) << outcome.out;
    // Processor time: what the command itself costs, also on a machine that does other things.
    seconds.push_back(outcome.cpu_seconds);
  }
  std::sort(seconds.begin(), seconds.end());
  EXPECT_LT(seconds[4], 0.020);
}

TEST(Start, CommandIsSmallerThanFifteenMegabytes) {
  if (!release_build) GTEST_SKIP() << "only a release build is small";
  EXPECT_LT(fs::file_size(HEARTH_COMMAND), 15u * 1000 * 1000);
}

TEST(Start, SamplePrintsPromptAndContinuationOnly) {
  const std::vector<std::string> arguments = {"sample", tiny_model(),   "--prompt", "The cat", "--temperature",
                                              "0.8",    "--max-tokens", "12",       "--seed",  "3"};
  const Outcome first = hearth_command(arguments), again = hearth_command(arguments);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.err, "");
  EXPECT_EQ(first.out.rfind("The cat", 0), 0u) << first.out;
  EXPECT_EQ(first.out.back(), '\n');
  EXPECT_EQ(first.out, again.out) << "the same seed, the same text";
  const Outcome three = hearth_command(arguments, {.environment = {"HEARTH_NUM_THREADS=3"}});
  EXPECT_EQ(first.out, three.out) << "three threads";
}

TEST(Start, EvalPrintsLossAndTokensAsJson) {
  const TempFolder folder;
  write(folder / "rows.jsonl", completion_rows());
  const Outcome outcome = hearth_command({"eval", tiny_model(), folder / "rows.jsonl", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.rfind("{\"loss\":", 0), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find("\"tokens\":"), std::string::npos) << outcome.out;
}

TEST(Start, TuneLeavesAnAdapterThatSampleAndExportTake) {
  const TempFolder folder;
  write(folder / "rows.jsonl", completion_rows());
  const std::string out = folder / "adapter", merged = folder / "merged";
  const Outcome tuned = hearth_command({"tune", tiny_model(), folder / "rows.jsonl", "-o", out, "--steps", "20", "--lr",
                                        "0.02", "--seed", "1", "--json", "-q"});
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  EXPECT_EQ(tuned.err, "");
  for (const char* name : {"adapter_model.safetensors", "adapter_config.json", "metrics.jsonl", "loss.svg"})
    EXPECT_TRUE(fs::exists(out + "/" + name)) << name;
  const Outcome exported = hearth_command({"export", tiny_model(), "--adapter", out, "-o", merged});
  ASSERT_EQ(exported.code, 0) << exported.err;
  const std::vector<std::string> tail = {"--prompt", "cat 3 ", "--temperature", "0", "--max-tokens", "8"};
  std::vector<std::string> with = {"sample", tiny_model(), "--adapter", out}, without = {"sample", merged};
  with.insert(with.end(), tail.begin(), tail.end());
  without.insert(without.end(), tail.begin(), tail.end());
  const Outcome adapted = hearth_command(with), whole = hearth_command(without);
  ASSERT_EQ(adapted.code, 0) << adapted.err;
  EXPECT_EQ(adapted.out, whole.out) << "merged into the base it says the same";
  const auto loss = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {folder / "rows.jsonl", "--json"});
    const Outcome outcome = hearth_command(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return std::stod(outcome.out.substr(outcome.out.find(':') + 1));
  };
  const double before = loss({"eval", tiny_model()}), after = loss({"eval", tiny_model(), "--adapter", out});
  EXPECT_LT(after, before - 0.2) << "twenty steps teach something";
  EXPECT_NEAR(loss({"eval", merged}), after, 1e-5);
}

}  // namespace
}  // namespace hearth::cli_test
