// Known facts of public models through the command: llama2.c's story and mean losses on TinyStories.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "cli/command.h"

namespace hearth::cli_test {
namespace {

const std::string data = std::string(HEARTH_SHARED) + "/data/";

TEST(Stories, GreedyFromBosIsWhatLlama2cPrints) {
  const std::string model = data + "stories260K";
  if (!fs::exists(model)) GTEST_SKIP() << "shared data is absent: " << model;
  const auto expected = boost::json::parse(contents(std::string(HEARTH_TEST_DATA) + "/stories260K.json")).as_object();
  const std::string story(expected.at("greedy_text").as_string());
  for (const char* threads : {"1", "3"}) {
    const Outcome outcome =
        hearth_command({"sample", model, "--prompt", "", "--temperature", "0", "--max-tokens", "200", "--seed", "0"},
                       {.environment = {std::string("HEARTH_NUM_THREADS=") + threads}});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, story + "\n");
    EXPECT_EQ(outcome.err, "");
  }
}

/// Mean loss and number of tokens over the first 100 stories, cut to so many characters.
std::pair<double, int64_t> loss_of(const std::string& model, const char* max_chars) {
  const Outcome outcome = hearth_command({"eval", model, data + "tinystories-sample/tinystories_sample.txt", "--limit",
                                          "100", "--max-chars", max_chars, "--json"},
                                         {.environment = {"HEARTH_NUM_THREADS=2"}});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto json = boost::json::parse(outcome.out).as_object();
  return {json.at("loss").as_double(), json.at("tokens").to_number<int64_t>()};
}

TEST(Stories, MeanLossOfStories260K) {
  if (!fs::exists(data + "stories260K")) GTEST_SKIP() << "shared data is absent: " << data;
  const auto [loss, tokens] = loss_of(data + "stories260K", "1000");
  EXPECT_NEAR(loss, 1.4075, 0.5e-4);
  EXPECT_EQ(tokens, 37053);
}

TEST(Stories, MeanLossOfBabyLlama) {
  if (!fs::exists(data + "babyllama-tok105")) GTEST_SKIP() << "shared data is absent: " << data;
  const auto [loss, tokens] = loss_of(data + "babyllama-tok105", "255");
  EXPECT_NEAR(loss, 0.6985, 0.5e-4);
  // 25,500 characters; most stories' last prediction, behind bos and the space in front, still fits the context of 256.
  EXPECT_GE(tokens, 25500);
  EXPECT_LE(tokens, 25600);
}

}  // namespace
}  // namespace hearth::cli_test
