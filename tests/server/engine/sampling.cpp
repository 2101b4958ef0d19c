// Sampling through the engine: the bits of a forward pass, alone and among many; retries, cancelling, frozen weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "server/wire/result.h"
#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {
namespace {

using State = FutureAnswer::State;
using Kind = CommandKind;

// A model with one step done, so that its adapter changes what is computed.
std::string trained(RunningEngine& engine, const std::string& session, int64_t number = 0) {
  const std::string model = engine.create(session, number, 5);
  engine.submit(Kind::forward_backward, forward_backward_body(model, 1, test_data(1, {20, 9})));
  engine.run(Kind::optim_step, optim_body(model, 2, 0.05));
  return model;
}

std::string ephemeral(RunningEngine& engine, const std::string& session, const std::string& model, int64_t seq,
                      int64_t number) {
  const auto answer = engine.run(Kind::save_weights_for_sampler, ephemeral_body(model, seq, number));
  EXPECT_EQ(answer.state, State::done) << answer.error;
  return sampler_id(session, number);
}

std::string new_sampler(RunningEngine& engine, const NewSampler& wanted, const std::string& owner = "me") {
  return engine.ask<std::string>([=](Engine& e, auto then) { e.create_sampler(owner, wanted, then); });
}

SampleResult sampled(RunningEngine& engine, const std::string& body) {
  const auto answer = engine.wait(engine.sample(body).request_id);
  EXPECT_EQ(answer.state, State::done) << answer.error;
  return decode_sample_result(answer.bytes);
}

// Forward's log-probabilities of what was sampled after the prompt.
std::vector<float> forwarded(RunningEngine& engine, const std::string& model, int64_t seq,
                             const std::vector<int32_t>& prompt, const std::vector<int32_t>& tokens) {
  TestDatum d;
  d.tokens = prompt;
  d.tokens.insert(d.tokens.end(), tokens.begin(), tokens.end() - 1);
  for (size_t i = 1; i < prompt.size(); ++i) d.targets.push_back(prompt[i]);
  d.targets.insert(d.targets.end(), tokens.begin(), tokens.end());
  d.inputs["weights"] = std::vector<float>(d.tokens.size(), 0.0f);
  const auto answer = engine.run(Kind::forward_backward, forward_backward_body(model, seq, {d}, "cross_entropy", true));
  EXPECT_EQ(answer.state, State::done) << answer.error;
  const auto all = decode_forward_backward_result(answer.bytes).outputs.at(0).logprobs;
  return {all.end() - static_cast<std::ptrdiff_t>(tokens.size()), all.end()};
}

TEST(EngineSampling, LogProbabilitiesHaveTheBitsOfForwardAloneAndAmongMany) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string model = trained(engine, session), other = trained(engine, session, 1);
  const std::string sampler = ephemeral(engine, session, model, 3, 0);
  const std::string neighbour = ephemeral(engine, session, other, 3, 1);
  const std::vector<int32_t> prompt{4, 8, 15, 16, 23, 42, 7};
  const auto alone = sampled(engine, sample_body(sampler, 0, prompt, 12, "", 1, R"(,"seed":11,"stop":[])"));
  ASSERT_EQ(alone.sequences.size(), 1u);
  ASSERT_EQ(alone.sequences[0].tokens.size(), 12u);
  EXPECT_EQ(raw(alone.sequences[0].logprobs), raw(forwarded(engine, model, 4, prompt, alone.sequences[0].tokens)));

  std::vector<std::string> ids;
  for (int64_t i = 1; i <= 64; ++i)
    ids.push_back(
        engine.sample(sample_body(i % 2 ? neighbour : sampler, i, {int32_t(i), 3, 5}, 10 + i % 7)).request_id);
  const auto among = sampled(engine, sample_body(sampler, 100, prompt, 12, "", 1, R"(,"seed":11,"stop":[])"));
  EXPECT_EQ(among.sequences[0].tokens, alone.sequences[0].tokens);
  EXPECT_EQ(raw(among.sequences[0].logprobs), raw(alone.sequences[0].logprobs));
  for (const auto& id : ids) EXPECT_EQ(engine.wait(id).state, State::done);
}

TEST(EngineSampling, PromptLogProbabilitiesTopTokensAndTargetsAreAnswered) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string sampler = new_sampler(engine, {session, 0, "tiny", ""});
  const auto result =
      sampled(engine, sample_body(sampler, 0, {4, 8, 15}, 1,
                                  R"(,"prompt_logprobs":true,"topk_prompt_logprobs":2,"topk_sample_logprobs":3,)"
                                  R"("target_prompt_logprobs":{"data":[1,-1,8,2],"dtype":"int64","shape":[2,2]})"));
  ASSERT_TRUE(result.prompt_logprobs);
  EXPECT_EQ(result.prompt_logprobs->size(), 3u);
  EXPECT_TRUE(std::isnan(result.prompt_logprobs->at(0)));
  ASSERT_TRUE(result.topk_prompt_logprobs);
  EXPECT_EQ(result.topk_prompt_logprobs->rows, 3);
  EXPECT_GE(result.topk_prompt_logprobs->logprobs[2], result.topk_prompt_logprobs->logprobs[3]);
  ASSERT_TRUE(result.sequences.at(0).top);
  EXPECT_EQ(result.sequences[0].top->k, 3);
  ASSERT_TRUE(result.target_prompt_logprobs);
  EXPECT_EQ(result.target_prompt_logprobs->logprobs[1], 0.0f);
  EXPECT_EQ(result.target_prompt_logprobs->logprobs.size(), 4u);
}

TEST(EngineSampling, ARepeatGetsTheSameRequestAndSequences) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string sampler = new_sampler(engine, {engine.session(), 0, "tiny", ""});
  const std::string body = sample_body(sampler, 5, {1, 2, 3}, 4, "", 3);
  const auto first = engine.sample(body), again = engine.sample(body);
  EXPECT_EQ(first.request_id, again.request_id);
  EXPECT_EQ(first.sequence_ids, again.sequence_ids);
  EXPECT_EQ(first.sequence_ids.size(), 3u);
  const auto answer = engine.wait(first.request_id);
  EXPECT_EQ(engine.sample(body).request_id, first.request_id);
  EXPECT_EQ(engine.wait(first.request_id).bytes, answer.bytes);
  EXPECT_EQ(decode_sample_result(answer.bytes).sequences.size(), 3u);
}

TEST(EngineSampling, ASamplerStaysAsItWasWhateverIsTrainedOverwrittenOrDeletedLater) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string model = trained(engine, session);
  const std::string frozen = ephemeral(engine, session, model, 3, 0);
  ASSERT_EQ(engine.run(Kind::save_weights_for_sampler, save_body(model, 4, "s", "", "save_weights_for_sampler")).state,
            State::done);
  const std::string path = "tinker://" + model + "/sampler_weights/s";
  const std::string named = new_sampler(engine, {session, 1, "", path});
  const auto before = sampled(engine, sample_body(frozen, 0, {1, 2, 3}, 6, "", 1, R"(,"seed":3,"stop":[])"));
  engine.submit(Kind::forward_backward, forward_backward_body(model, 5, test_data(9, {20})));
  engine.run(Kind::optim_step, optim_body(model, 6, 0.2));
  const auto overwritten = engine.run(Kind::save_weights_for_sampler,
                                      save_body(model, 7, "s", R"(,"overwrite":true)", "save_weights_for_sampler"));
  ASSERT_EQ(overwritten.state, State::done) << overwritten.error;
  const auto changed = new_sampler(engine, {session, 2, "", path});
  engine.ask<Nothing>([=](Engine& e, auto then) { e.delete_checkpoint("me", path, then); });
  const auto bits = [&](const std::string& sampler) {
    const auto result = sampled(engine, sample_body(sampler, 1, {1, 2, 3}, 6, "", 1, R"(,"seed":3,"stop":[])"));
    return raw(result.sequences.at(0).logprobs);
  };
  EXPECT_EQ(bits(frozen), raw(before.sequences[0].logprobs));
  EXPECT_EQ(bits(named), raw(before.sequences[0].logprobs));
  EXPECT_NE(bits(changed), raw(before.sequences[0].logprobs));
  EXPECT_THROW(new_sampler(engine, {session, 3, "", path}), Refused);
}

TEST(EngineSampling, ALongTrainingRequestDoesNotHoldSamplesUp) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string model = engine.create(session, 0, 5);
  const std::string sampler = new_sampler(engine, {session, 0, "tiny", ""});
  sampled(engine, sample_body(sampler, 0, {1, 2, 3}, 2));
  const auto data = test_data(1, std::vector<int64_t>(12, 1000));
  const auto pass = engine.submit(Kind::forward_backward, forward_backward_body(model, 1, data));
  const auto result = sampled(engine, sample_body(sampler, 1, {1, 2, 3}, 10, "", 1, R"(,"stop":[])"));
  EXPECT_EQ(result.sequences.at(0).tokens.size(), 10u);
  EXPECT_EQ(engine.poll(pass, 0).state, State::waiting);
  EXPECT_EQ(engine.wait(pass).state, State::done);
}

TEST(EngineSampling, WhatIsCancelledFailsAndTheOthersAreAnswered) {
  const Folder folder;
  auto options = small_options(folder);
  options.running_samples = 2;
  RunningEngine engine(folder.store(), options);
  const std::string sampler = new_sampler(engine, {engine.session(), 0, "tiny", ""});
  std::vector<std::string> ids;
  for (int64_t i = 0; i < 12; ++i)
    ids.push_back(engine.sample(sample_body(sampler, i, {1, 2, 3}, 200, "", 1, R"(,"stop":[])")).request_id);
  for (int64_t i = 0; i < 12; i += 2) engine.on_loop([&](Engine& e) { e.cancel("me", ids[size_t(i)]); });
  for (int64_t i = 0; i < 12; ++i) {
    const auto answer = engine.wait(ids[size_t(i)]);
    EXPECT_TRUE(answer.state == State::done || (i % 2 == 0 && answer.error == "sample: was cancelled")) << answer.error;
  }
  const auto status = engine.on_loop([](Engine& e) { return e.status(); });
  EXPECT_EQ(status.waiting_samples, 0);
  EXPECT_EQ(status.running_samples, 0);
}

TEST(EngineSampling, BadRequestsFailTheirFutureAndSayWhy) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string sampler = new_sampler(engine, {engine.session(), 0, "tiny", ""});
  const auto answer = engine.wait(engine.sample(sample_body(sampler, 0, {1, 5000}, 4)).request_id);
  EXPECT_EQ(answer.state, State::failed);
  EXPECT_EQ(answer.category, "user");
  EXPECT_NE(answer.error.find("5000"), std::string::npos) << answer.error;
  EXPECT_THROW(engine.sample(sample_body(sampler, 1, {}, 4)), Refused);
  EXPECT_THROW(engine.sample(sample_body("nobody:sample:0", 0, {1}, 4)), Refused);
  EXPECT_THROW(engine.sample(sample_body(sampler, 2, {1}, 4), "another"), Refused);
}

TEST(EngineSampling, ManyArePolledAtOnceByCursor) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string sampler = new_sampler(engine, {engine.session(), 0, "tiny", ""});
  const auto many = [&](int64_t cursor, int64_t hold) {
    return engine.ask<Completions>([=](Engine& e, auto then) {
      e.retrieve_many("me", sampler, 0, cursor, std::chrono::milliseconds(hold), {}, then);
    });
  };
  EXPECT_TRUE(many(0, 0).finished.empty());
  std::vector<std::string> ids;
  for (int64_t i = 0; i < 10; ++i) ids.push_back(engine.sample(sample_body(sampler, i, {1, 2}, 3)).request_id);
  engine.sample(sample_body(sampler, 1'000'000'000, {1, 2}, 3));  // another clone's
  std::vector<std::string> seen;
  int64_t cursor = 0;
  while (seen.size() < ids.size()) {
    const auto next = many(cursor, 5000);
    EXPECT_GT(next.cursor, cursor);
    cursor = next.cursor;
    for (const auto& one : next.finished) seen.push_back(one.request_id);
  }
  std::sort(seen.begin(), seen.end());
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(seen, ids);
  EXPECT_TRUE(many(cursor, 10).finished.empty());
  EXPECT_EQ(many(0, 0).finished.size(), 10u);  // an answer that was lost is asked for again
}

// Samplers of ended sessions can still be asked about, for ever; that must not bring them back into memory.
TEST(EngineSampling, WhatASessionSampledFromLeavesMemoryWithIt) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const auto status = [&] { return engine.on_loop([](Engine& e) { return e.status(); }); };
  for (int round = 0; round < 2; ++round) {
    const std::string session = engine.session();
    const std::string model = trained(engine, session);
    const std::string sampler = ephemeral(engine, session, model, 3, 1);
    const auto request = engine.sample(sample_body(sampler, 1, {5, 6}, 4)).request_id;
    ASSERT_EQ(engine.wait(request).state, State::done);
    EXPECT_EQ(status().samplers, 1);
    EXPECT_GT(status().sampler_bytes, 0);
    engine.ask<Nothing>([=](Engine& e, auto then) { e.finish_session("me", session, "success", "", then); });
    for (int i = 0; i < 500 && (status().sampler_bytes > 0 || status().models > 0); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(engine.wait(request).state, State::done);
    EXPECT_TRUE(
        engine.on_loop([&](Engine& e) { return std::holds_alternative<SamplerInfo>(e.sampler_info("me", sampler)); }));
    EXPECT_EQ(engine.on_loop([&](Engine& e) { return std::get<Refusal>(e.sampler_info("eve", sampler)).status; }), 404);
    EXPECT_EQ(status().samplers, 0);
    EXPECT_EQ(status().sampler_bytes, 0);
    EXPECT_EQ(status().models, 0);
  }
}

}  // namespace
}  // namespace hearth::server::test
