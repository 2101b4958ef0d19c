// Training through the engine: the bits of the trainer driven directly, order, duplicates, failures.
#include <gtest/gtest.h>

#include "llm/lora/fingerprint.h"
#include "llm/tune/lora_trainer.h"
#include "llm/weights/load.h"
#include "server/wire/result.h"
#include "tests/server/engine/running_engine.h"

namespace hearth::server::test {
namespace {

using State = FutureAnswer::State;
using Kind = CommandKind;

llm::TrainDatum as_train(const TestDatum& d) {
  llm::TrainDatum out;
  out.tokens = d.tokens;
  out.targets = d.targets;
  out.inputs = d.inputs;
  return out;
}

std::vector<llm::TrainDatum> as_train(const std::vector<TestDatum>& data) {
  std::vector<llm::TrainDatum> out;
  for (const auto& d : data) out.push_back(as_train(d));
  return out;
}

// A trainer driven directly.
struct Direct {
  explicit Direct(const Folder& folder, uint64_t seed)
      : base(load(folder)),
        trainer(base, llm::lora_config({.rank = 4}), seed, llm::base_fingerprint(base->named_parameters())) {}
  static std::shared_ptr<const llm::CausalLm> load(const Folder& folder) {
    auto model = llm::load_model(folder.model());
    model->requires_grad_(false);
    return model;
  }
  llm::LossResult pass(const std::vector<TestDatum>& data) {
    const auto train = as_train(data);
    const llm::LossSpec spec;
    auto outcome = llm::forward_backward({{&trainer, &train, &spec, false}})[0];
    return std::get<llm::LossResult>(std::move(outcome));
  }
  std::shared_ptr<const llm::CausalLm> base;
  llm::LoraTrainer trainer;
};

std::string state_hash(RunningEngine& engine, const std::string& request_id) {
  return engine.on_loop([&](Engine&) { return engine.store().read().operation(request_id)->state_hash; });
}

TEST(EngineTraining, GivesTheBitsOfTheTrainerDrivenDirectly) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session(), 0, 5);
  Direct direct(folder, 5);
  for (int64_t step = 0; step < 3; ++step) {
    const auto data = test_data(uint64_t(step), {9, 30, 4});
    const auto answer = engine.run(Kind::forward_backward, forward_backward_body(model, 2 * step + 1, data));
    ASSERT_EQ(answer.state, State::done) << answer.error;
    EXPECT_EQ(answer.content_type, "application/x-protobuf");
    const auto result = decode_forward_backward_result(answer.bytes);
    const auto expected = direct.pass(data);
    ASSERT_EQ(result.outputs.size(), 3u);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(raw(result.outputs[i].logprobs), raw(expected.log_probs[i]));
    EXPECT_EQ(result.metrics.at("loss:sum"), expected.loss);
    const auto stepped = engine.submit(Kind::optim_step, optim_body(model, 2 * step + 2));
    ASSERT_EQ(engine.wait(stepped).state, State::done);
    direct.trainer.optim_step({.learning_rate = 0.01});
    const std::string hash = state_hash(engine, stepped);
    EXPECT_EQ(hash, direct.trainer.state_hash());
  }
}

TEST(EngineTraining, MergedWithOtherModelsTheBitsStay) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  std::vector<std::string> models;
  for (int64_t m = 0; m < 5; ++m) models.push_back(engine.create(session, m, uint64_t(m)));
  // All wait for their first request, which comes last, so that whole queues are merged.
  for (const auto& model : models) {
    engine.submit(Kind::forward_backward, forward_backward_body(model, 2, test_data(2, {40, 3})));
    engine.submit(Kind::optim_step, optim_body(model, 3));
    engine.submit(Kind::forward_backward, forward_backward_body(model, 4, test_data(4, {17, 60})));
    engine.submit(Kind::optim_step, optim_body(model, 5));
  }
  const auto steps_before = engine.on_loop([](Engine& e) { return e.status().steps; });
  for (const auto& model : models)
    engine.submit(Kind::forward_backward, forward_backward_body(model, 1, test_data(1, {9, 30})));
  for (int64_t m = 0; m < 5; ++m) {
    EXPECT_EQ(engine.wait(models[size_t(m)] + ":op:5").state, State::done);
    Direct direct(folder, uint64_t(m));
    direct.pass(test_data(1, {9, 30}));
    direct.pass(test_data(2, {40, 3}));
    direct.trainer.optim_step({.learning_rate = 0.01});
    direct.pass(test_data(4, {17, 60}));
    direct.trainer.optim_step({.learning_rate = 0.01});
    EXPECT_EQ(state_hash(engine, models[size_t(m)] + ":op:5"), direct.trainer.state_hash()) << m;
  }
  // One by one it were 5 * 5 steps.
  EXPECT_LT(engine.on_loop([](Engine& e) { return e.status().steps; }) - steps_before, 25);
}

TEST(EngineTraining, RunsInTheOrderOfNumbersWhateverTheOrderOfArrival) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session(), 0, 5);
  Direct direct(folder, 5);
  const auto a = test_data(1, {9}), b = test_data(2, {12}), c = test_data(3, {7});
  // As clients send chunks: the first one last.
  const auto second = engine.submit(Kind::forward_backward, forward_backward_body(model, 2, b));
  const auto third = engine.submit(Kind::forward_backward, forward_backward_body(model, 3, c));
  const auto fourth = engine.submit(Kind::optim_step, optim_body(model, 4));
  const auto waiting = engine.poll(second, 20);
  EXPECT_EQ(waiting.state, State::waiting);
  EXPECT_EQ(waiting.queue_reason, "waits for seq_id 1, which has not arrived");
  const auto first = engine.submit(Kind::forward_backward, forward_backward_body(model, 1, a));
  for (const auto& id : {first, second, third, fourth}) ASSERT_EQ(engine.wait(id).state, State::done);
  for (const auto& data : {a, b, c}) direct.pass(data);
  direct.trainer.optim_step({.learning_rate = 0.01});
  const auto last = engine.run(Kind::forward_backward, forward_backward_body(model, 5, a));
  EXPECT_EQ(raw(decode_forward_backward_result(last.bytes).outputs[0].logprobs), raw(direct.pass(a).log_probs[0]));
}

TEST(EngineTraining, ARepeatGetsTheFirstAnswerAndIsNotDoneTwice) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const std::string model = engine.create(session, 0, 5);
  EXPECT_EQ(engine.submit(Kind::create_model, create_body(session, 0, 5)),
            engine.submit(Kind::create_model, create_body(session, 0, 5)));
  const auto data = test_data(1, {9});
  const auto first = engine.submit(Kind::forward_backward, forward_backward_body(model, 1, data));
  EXPECT_EQ(engine.submit(Kind::forward_backward, forward_backward_body(model, 1, data)), first);
  const auto step = engine.submit(Kind::optim_step, optim_body(model, 2));
  const auto done = engine.wait(step);
  EXPECT_EQ(engine.submit(Kind::optim_step, optim_body(model, 2)), step);
  EXPECT_EQ(engine.submit(Kind::forward_backward, forward_backward_body(model, 1, data)), first);
  EXPECT_EQ(engine.wait(step).bytes, done.bytes);
  // An ephemeral save that is repeated with a later number of sampling sessions gets the first sampler.
  const auto saved = engine.submit(Kind::save_weights_for_sampler, ephemeral_body(model, 3, 7));
  EXPECT_EQ(engine.submit(Kind::save_weights_for_sampler, ephemeral_body(model, 3, 8)), saved);
  EXPECT_NE(engine.wait(saved).bytes.find(session + ":sample:7"), std::string::npos);
  EXPECT_EQ(engine.submit(Kind::save_weights_for_sampler, ephemeral_body(model, 3, 9)), saved);
}

TEST(EngineTraining, AFailureIsTheFuturesAndLaterRequestsGoOn) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string model = engine.create(engine.session(), 0, 5);
  Direct direct(folder, 5);
  auto bad = test_data(1, {5});
  bad[0].tokens[3] = 5000;
  const auto failed = engine.run(Kind::forward_backward, forward_backward_body(model, 1, bad));
  EXPECT_EQ(failed.state, State::failed);
  EXPECT_EQ(failed.category, "user");
  EXPECT_NE(failed.error.find("datum 0"), std::string::npos) << failed.error;
  const auto unknown =
      engine.run(Kind::forward_backward, forward_backward_body(model, 2, test_data(1, {5}), "stable_reinforce"));
  EXPECT_EQ(unknown.category, "user");
  EXPECT_NE(unknown.error.find("importance_sampling"), std::string::npos) << unknown.error;
  // A body that is cut short still uses its number up.
  const auto broken = engine.run(Kind::optim_step, R"({"model_id":")" + model + R"(","seq_id":3,"adam_params":7})");
  EXPECT_EQ(broken.state, State::failed);
  EXPECT_EQ(broken.category, "user");
  const auto good = test_data(2, {6});
  const auto answer = engine.run(Kind::forward_backward, forward_backward_body(model, 4, good));
  ASSERT_EQ(answer.state, State::done) << answer.error;
  EXPECT_EQ(raw(decode_forward_backward_result(answer.bytes).outputs[0].logprobs), raw(direct.pass(good).log_probs[0]));
}

TEST(EngineTraining, AnUnknownBaseFailsTheFutureAndNamesWhatIsServed) {
  const Folder folder;
  RunningEngine engine(folder.store(), small_options(folder));
  const std::string session = engine.session();
  const auto answer = engine.run(Kind::create_model, create_body(session, 0, 1, "other"));
  EXPECT_EQ(answer.state, State::failed);
  EXPECT_EQ(answer.category, "user");
  EXPECT_NE(answer.error.find("tiny"), std::string::npos) << answer.error;
  const auto later = engine.run(Kind::optim_step, optim_body(session + ":train:0", 1));
  EXPECT_EQ(later.state, State::failed);
  EXPECT_NE(later.error.find("was not created"), std::string::npos) << later.error;
}

}  // namespace
}  // namespace hearth::server::test
