// Requests to LoRA trainers: how they are cut, and every rule that they can break.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "llm/tune/small_trainers.h"

namespace hearth::llm {
namespace {

const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

class LoraRequests : public testing::Test {
 protected:
  LoraRequests() : trainer_(small_trainer(small_base())) {
    warm_up(trainer_);
    run(trainer_, random_data(1, {7}));
  }

  /// A request of three datums, broken by `change`, is refused by `check` and by the pass, in the same words, and
  /// leaves the trainer as it was.
  void refused(const LossSpec& spec, const std::function<void(std::vector<TrainDatum>&)>& change,
               const std::string& words) {
    const std::string before = trainer_.state_hash();
    std::vector<TrainDatum> data = random_data(2, {5, 9, 6});
    change(data);
    try {
      trainer_.check(data, spec);
      ADD_FAILURE() << "no error: " << words;
      return;
    } catch (const ValueError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what() << " lacks " << words;
      for (bool forward_only : {false, true}) {
        try {
          run(trainer_, data, spec, forward_only);
          ADD_FAILURE() << "the pass took it: " << words;
        } catch (const ValueError& again) {
          EXPECT_STREQ(again.what(), error.what());
        }
      }
    }
    EXPECT_EQ(trainer_.state_hash(), before);
  }
  void refused(const LossSpec& spec, const std::string& words) {
    refused(
        spec, [](auto&) {}, words);
  }

  LoraTrainer trainer_;
};

TEST_F(LoraRequests, are_cut_at_2048_tokens) {
  const auto data = random_data(1, {700, 700, 640, 9, 2039, 3000, 5, 2048, 1});
  EXPECT_EQ(cut_into_units(data), (std::vector<size_t>{3, 2, 1, 1, 1, 1}));
  EXPECT_EQ(token_count(data), 9142);
  EXPECT_TRUE(cut_into_units({}).empty());
}

TEST_F(LoraRequests, of_right_form_pass) {
  for (const std::string& loss : loss_names()) EXPECT_NO_THROW(trainer_.check(random_data(2, {5, 9, 6}), {loss, {}}));
  const auto data = random_data(2, {4096});
  EXPECT_NO_THROW(trainer_.check(data, {}));
}

TEST_F(LoraRequests, without_datums_or_tokens) {
  refused(
      {}, [](auto& data) { data.clear(); }, "there is no datum");
  refused(
      {}, [](auto& data) { data[1] = {}; }, "datum 1: there are no tokens");
}

TEST_F(LoraRequests, longer_than_the_context) {
  refused(
      {}, [](auto& data) { data = random_data(1, {4097}); },
      "datum 0: 4097 tokens are more than the model's context of 4096");
}

TEST_F(LoraRequests, with_tokens_outside_the_vocabulary) {
  refused(
      {}, [](auto& data) { data[2].tokens[3] = 101; }, "datum 2: tokens[3] is outside the vocabulary of 101: 101");
  refused(
      {}, [](auto& data) { data[2].tokens[0] = -1; }, "datum 2: tokens[0] is outside the vocabulary of 101: -1");
  refused(
      {}, [](auto& data) { data[1].targets[8] = 101; }, "datum 1: target_tokens[8] is outside the vocabulary");
  refused(
      {}, [](auto& data) { data[1].targets[8] = -100; }, "datum 1: target_tokens[8] is outside the vocabulary");
  refused(
      {}, [](auto& data) { data[0].targets[0] = int64_t(1) << 40; }, "datum 0: target_tokens[0] is outside");
}

TEST_F(LoraRequests, with_lengths_that_do_not_match) {
  refused(
      {}, [](auto& data) { data[0].targets.pop_back(); },
      "datum 0: target_tokens has 4 numbers, expected 5 tokens x 1");
  refused(
      {}, [](auto& data) { data[0].targets_per_token = 2; }, "target_tokens has 5 numbers, expected 5 tokens x 2");
  refused(
      {}, [](auto& data) { data[0].targets_per_token = 0; }, "expected 5 tokens x 0");
  refused(
      {}, [](auto& data) { data[0].targets_per_token = -5; }, "expected 5 tokens x -5");
  refused(
      {}, [](auto& data) { data[1].inputs["weights"].pop_back(); },
      "datum 1: weights has 8 numbers, but target_tokens has 9");
  refused(
      {"ppo", {}}, [](auto& data) { data[1].inputs["advantages"].push_back(1); }, "datum 1: advantages has 10 numbers");
  refused(
      {"ppo", {}}, [](auto& data) { data[1].inputs["clip_low_threshold"] = {1}; }, "clip_low_threshold has 1 numbers");
  refused(
      {"gspo", {}}, [](auto& data) { data[2].inputs["sequence_ratio_mask"] = {}; },
      "sequence_ratio_mask has 0 numbers");
}

TEST_F(LoraRequests, without_an_input) {
  refused(
      {}, [](auto& data) { data[2].targets.clear(); }, "datum 2: input is missing: target_tokens");
  refused(
      {}, [](auto& data) { data[2].inputs.erase("weights"); }, "datum 2: input is missing: weights");
  for (const char* loss : {"importance_sampling", "ppo", "cispo", "dro", "gspo"})
    for (const std::string input : {"logprobs", "advantages"})
      refused(
          {loss, {}}, [&](auto& data) { data[0].inputs.erase(input); }, "datum 0: input is missing: " + input);
}

TEST_F(LoraRequests, with_numbers_that_are_not_finite) {
  refused(
      {}, [](auto& data) { data[1].inputs["weights"][4] = nan; }, "datum 1: weights[4] is not finite: nan");
  refused(
      {}, [](auto& data) { data[1].inputs["weights"][0] = -infinity; }, "datum 1: weights[0] is not finite: -inf");
  for (const char* loss : {"importance_sampling", "ppo", "cispo", "dro", "gspo"}) {
    refused(
        {loss, {}}, [](auto& data) { data[0].inputs["advantages"][0] = nan; },
        "datum 0: advantages[0] is not finite: nan");
    refused(
        {loss, {}}, [](auto& data) { data[2].inputs["logprobs"][5] = infinity; },
        "datum 2: logprobs[5] is not finite: inf");
  }
  refused(
      {"dro", {}}, [](auto& data) { data[2].inputs["logprobs"][0] = nan; }, "datum 2: logprobs[0] is not finite");
}

TEST_F(LoraRequests, may_have_any_number_where_none_is_used) {
  for (const char* loss : {"importance_sampling", "ppo", "cispo", "gspo"}) {
    auto data = random_data(2, {9});
    ASSERT_EQ(data[0].inputs["advantages"][1], 0);
    const LossResult expected = run(trainer_, data, {loss, {}}, true);
    data[0].inputs["logprobs"][0] = nan;
    data[0].inputs["logprobs"][1] = -infinity;
    data[0].inputs["weights"] = {nan};
    data[0].inputs["mask"] = {1, 2, 3};
    EXPECT_EQ(run(trainer_, data, {loss, {}}, true).loss, expected.loss) << loss;
  }
}

TEST_F(LoraRequests, with_a_loss_or_settings_that_are_unknown) {
  refused({"stable_reinforce", {}}, "use importance_sampling instead");
  refused({"nonesuch", {}}, "unknown: 'nonesuch'; known are cispo, cross_entropy, dro, gspo, importance_sampling, ppo");
  refused({"", {}}, "unknown: ''");
  refused({"cross_entropy", {{"beta", 1}}}, "cross_entropy: no such setting: 'beta'; there are none");
  refused({"ppo", {{"clip_low", 1}}},
          "ppo: no such setting: 'clip_low'; there is clip_low_threshold, clip_high_threshold");
  refused({"importance_sampling", {{"temperature", 1}}}, "no such setting: 'temperature'");
  refused({"dro", {{"beta", -1}}}, "beta must not be negative");
  refused({"dro", {{"beta", nan}}}, "dro: setting must be finite: beta");
  for (const char* loss : {"ppo", "cispo", "gspo"}) {
    refused({loss, {{"clip_low_threshold", 5}}}, "clip_low_threshold must not be above clip_high_threshold");
    refused({loss, {{"clip_high_threshold", -1}, {"clip_low_threshold", -2}}}, "which must not be negative");
    refused({loss, {{"clip_high_threshold", infinity}}}, "must be finite: clip_high_threshold");
  }
}

TEST_F(LoraRequests, with_bounds_or_masks_that_make_no_sense) {
  const auto fill = [](TrainDatum& d, const char* name, float value) {
    d.inputs[name].assign(d.targets.size(), value);
  };
  for (const char* loss : {"ppo", "cispo"}) {
    refused(
        {loss, {}}, [&](auto& data) { fill(data[1], "clip_low_threshold", 9); },
        "datum 1: clip_low_threshold[0] must not be above");
    refused(
        {loss, {}}, [&](auto& data) { fill(data[1], "clip_high_threshold", nan); },
        "datum 1: clip_high_threshold[0] is not finite");
  }
  refused(
      {"gspo", {}}, [&](auto& data) { fill(data[1], "sequence_ratio_mask", 0); },
      "datum 1: sequence_ratio_mask is all zero, but there are advantages");
  refused(
      {"gspo", {}}, [&](auto& data) { fill(data[1], "sequence_ratio_mask", -1); },
      "sequence_ratio_mask[0] must not be negative: -1");
  refused(
      {"gspo", {}}, [&](auto& data) { fill(data[1], "sequence_ratio_mask", nan); },
      "sequence_ratio_mask[0] is not finite");
}

}  // namespace
}  // namespace hearth::llm
