// Learning rates, options and the metrics file of a run.
#include "llm/tune/schedule.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "llm/tune/metrics.h"
#include "llm/tune/options.h"

namespace hearth::llm {
namespace {

TEST(Schedule, Values) {
  EXPECT_DOUBLE_EQ(scheduled_rate("constant", 0.1, 0, 4, 10), 0.025);
  EXPECT_DOUBLE_EQ(scheduled_rate("constant", 0.1, 3, 4, 10), 0.1);
  EXPECT_DOUBLE_EQ(scheduled_rate("constant", 0.1, 9, 4, 10), 0.1);
  EXPECT_DOUBLE_EQ(scheduled_rate("linear", 0.1, 0, 0, 10), 0.1);
  EXPECT_DOUBLE_EQ(scheduled_rate("linear", 0.1, 5, 0, 10), 0.05);
  EXPECT_NEAR(scheduled_rate("linear", 0.1, 9, 0, 10), 0.01, 1e-15);
  EXPECT_DOUBLE_EQ(scheduled_rate("cosine", 0.1, 2, 2, 10), 0.1);
  EXPECT_DOUBLE_EQ(scheduled_rate("cosine", 0.1, 6, 2, 10), 0.05);
  EXPECT_NEAR(scheduled_rate("cosine", 0.1, 8, 2, 10), 0.05 * (1 - std::sqrt(0.5)), 1e-15);
  EXPECT_DOUBLE_EQ(scheduled_rate("cosine", 0.1, 0, 0, 1), 0.1);
  EXPECT_THROW(scheduled_rate("wavy", 0.1, 1, 0, 2), ValueError);
}

TEST(Options, ImpossibleValuesAreRefused) {
  EXPECT_NO_THROW(validate(TuneOptions{}));
  const auto refused = [](auto change) {
    TuneOptions options;
    change(options);
    EXPECT_THROW(validate(options), ValueError);
  };
  refused([](TuneOptions& o) { o.steps = -1; });
  refused([](TuneOptions& o) { o.epochs = 0; });
  refused([](TuneOptions& o) { o.epochs = std::nan(""); });
  refused([](TuneOptions& o) { o.batch_size = 0; });
  refused([](TuneOptions& o) { o.max_length = -1; });
  refused([](TuneOptions& o) { o.learning_rate = -1; });
  refused([](TuneOptions& o) { o.learning_rate = std::nan(""); });
  refused([](TuneOptions& o) { o.validation_split = 1; });
  refused([](TuneOptions& o) { o.clip = -1; });
  refused([](TuneOptions& o) { o.dpo_beta = 0; });
  refused([](TuneOptions& o) { o.save_every = 0; });
  refused([](TuneOptions& o) { o.schedule = "wavy"; });
  refused([](TuneOptions& o) { o.full = true, o.dtype = "bfloat16"; });
}

TEST(Options, WhatDecidesTheResultIsKept) {
  const std::string plain = options_json(TuneOptions{});
  const auto differs = [&](auto change) {
    TuneOptions options;
    change(options);
    EXPECT_NE(options_json(options), plain);
  };
  differs([](TuneOptions& o) { o.seed = 1; });
  differs([](TuneOptions& o) { o.lora.rank = 3; });
  differs([](TuneOptions& o) { o.lora.dropout = 0.1; });
  differs([](TuneOptions& o) { o.lora.rank_stabilized = true; });
  differs([](TuneOptions& o) { o.limit = 7; });
  differs([](TuneOptions& o) { o.max_chars = 7; });
  differs([](TuneOptions& o) { o.learning_rate = 1; });
  differs([](TuneOptions& o) { o.full = true; });
  TuneOptions same;
  same.save_every = 7, same.eval_every = 3, same.resume = true;
  EXPECT_EQ(options_json(same), plain) << "what does not change the result may differ";
}

TEST(Metrics, LinesBehindTheLastCheckpointAreDropped) {
  std::string folder = (std::filesystem::temp_directory_path() / "hearth-metrics-XXXXXX").string();
  ASSERT_TRUE(mkdtemp(folder.data()));
  const std::string path = folder + "/metrics.jsonl";
  {
    MetricsLog log(path, 0);
    for (int64_t step = 1; step <= 6; ++step) log.add({.step = step, .loss = 1.0 / double(step), .tokens = 10});
  }
  const std::string six = read_file(path);
  write_file_atomic(path, six + "{\"step\":7,\"lo");
  {
    MetricsLog log(path, 4);
    ASSERT_EQ(log.steps().size(), 4u);
    EXPECT_DOUBLE_EQ(log.steps()[3].loss, 0.25);
    for (int64_t step = 5; step <= 6; ++step) log.add({.step = step, .loss = 1.0 / double(step), .tokens = 10});
  }
  EXPECT_EQ(read_file(path), six);
  write_file_atomic(path, "no metrics\n");
  EXPECT_THROW(MetricsLog(path, 4), Error);
  EXPECT_EQ(read_file(path), "no metrics\n") << "a file that is something else stays";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hearth::llm
