// Losses by name: values and gradients of PyTorch, metrics, what is refused.
#include "llm/loss/token_loss.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "hearth/hearth.h"
#include "hearth/io/json.h"
#include "hearth/io/safetensors.h"
#include "llm/loss/loss_cases.h"

namespace hearth::llm {
namespace {

TEST(TokenLoss, values_and_gradients_are_those_of_pytorch) {
  const boost::json::value json = read_json(HEARTH_TEST_DATA "/token_losses.json");
  const SafetensorsFile file = SafetensorsFile::open(HEARTH_TEST_DATA "/token_losses.safetensors");
  size_t clipped = 0;
  for (const boost::json::value& row : json.at("cases").as_array()) {
    const std::string id(row.at("id").as_string());
    LossSpec spec{std::string(row.at("loss").as_string()), {}};
    for (const auto& [name, value] : row.at("config").as_object()) spec.config[name] = value.to_number<double>();
    LossCase c;
    for (const std::string& name : file.names())
      if (name.starts_with(id + "/") && !name.ends_with("/loss") && !name.ends_with("/gradient"))
        c.values[name.substr(id.size() + 1)] = to_vector<float>(file.tensor(name));
    EXPECT_EQ(make_loss(spec)->problem(c.inputs()), "") << id;
    const LossValue found = value_of(spec, c);
    const double loss = file.tensor(id + "/loss").item();
    EXPECT_NEAR(found.loss, loss, 1e-9 * std::abs(loss)) << id;
    const std::vector<float> gradient = to_vector<float>(file.tensor(id + "/gradient"));
    for (size_t t = 0; t < gradient.size(); ++t)
      EXPECT_NEAR(found.gradient[t], gradient[t], 2e-7 * std::abs(gradient[t])) << id << " " << t;
    clipped += size_t(found.sums.clipped);
  }
  EXPECT_GT(clipped, 20u);
}

TEST(TokenLoss, metrics_have_names_that_clients_can_merge) {
  for (const std::string& name : loss_names()) {
    const LossCase c{{{"log_probs", {-1, -2}}, {"weights", {1, 0}}, {"logprobs", {-1.5f, 0}}, {"advantages", {1, 0}}}};
    const LossValue found = value_of({name, {}}, c);
    const std::map<std::string, double> metrics = loss_metrics(found.sums);
    EXPECT_EQ(metrics.at("loss:sum"), found.loss) << name;
    EXPECT_EQ(metrics.at("tokens:sum"), 1) << name;
    for (const auto& [key, value] : metrics) {
      EXPECT_EQ(std::count(key.begin(), key.end(), ':'), 1) << key;
      const std::string rule = key.substr(key.find(':') + 1);
      EXPECT_TRUE(rule == "sum" || rule == "min" || rule == "max" || rule == "mean") << key;
      EXPECT_TRUE(std::isfinite(value)) << key;
    }
  }
}

TEST(TokenLoss, sums_go_on_over_sequences) {
  const LossCase c{{{"log_probs", {-1, -2}}, {"logprobs", {-1.5f, -1}}, {"advantages", {1, -3}}}};
  const auto loss = make_loss({"ppo", {}});
  LossSums sums;
  std::vector<float> gradient(2);
  loss->add(c.inputs(), sums, gradient);
  const LossSums once = sums;
  loss->add(c.inputs(), sums, gradient);
  EXPECT_EQ(sums.loss, 2 * once.loss);
  EXPECT_EQ(sums.tokens, 4);
  EXPECT_EQ(sums.clipped, 2 * once.clipped);
  EXPECT_NEAR(sums.smallest_ratio, std::exp(-1), 1e-9);
  EXPECT_NEAR(sums.largest_ratio, std::exp(0.5), 1e-9);
}

}  // namespace
}  // namespace hearth::llm
