// SampleBatch: the same tokens and bits whoever runs beside a request and however little room there is; the same
// log-probabilities as in training; queue, budget, cancelling, failures.
#include "llm/sample/sample_batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "hearth/backend/cpu/parallel.h"
#include "llm/blocks/kv_cache.h"
#include "llm/sample/small_model.h"

namespace hearth::llm {
namespace {

/// Restores the number of threads.
struct Threads {
  explicit Threads(int count) : before(cpu::num_threads()) { cpu::set_num_threads(count); }
  ~Threads() { cpu::set_num_threads(before); }
  int before;
};

class Batch : public testing::Test {
 protected:
  /// Bytes of so many pages of the cache.
  int64_t pages(int64_t count) const {
    return count * KvCache::page_size * model->config().num_hidden_layers * 2 * (12 + 16) * 4;
  }
  /// Requests of every kind: lengths, adapters, samples, scores, stops.
  std::vector<SampleRequest> many_requests(int64_t count) {
    std::vector<SampleRequest> requests;
    for (int64_t i = 0; i < count; ++i) {
      SampleRequest r;
      // Several begin alike, so that pages are shared.
      r.prompt = some_prompt(1 + i * 37 % 150, i % 3 == 0 ? 1 : i);
      r.params = {.temperature = i % 5 == 0 ? 0 : 0.6 + 0.2 * double(i % 3),
                  .top_k = i % 4 == 1 ? 20 : 0,
                  .top_p = i % 4 == 2 ? 0.9 : 1,
                  .seed = uint64_t(i),
                  .max_tokens = 1 + i * 13 % 30};
      if (i % 7 == 3) r.params.stop = {"t", "the"};
      r.num_samples = 1 + i % 3;
      r.adapter = adapters[size_t(i) % adapters.size()];
      r.ignore_eos = i % 2 == 0;
      r.text = i % 2 == 1;
      r.prompt_logprobs = i % 3 != 0;
      r.topk_prompt_logprobs = i % 4 == 0 ? 3 : 0;
      r.topk_sample_logprobs = i % 4 == 3 ? 2 : 0;
      r.prompt_alt_tokens_k = i % 6 == 5 ? 4 : 0;
      requests.push_back(r);
    }
    return requests;
  }

  std::unique_ptr<CausalLm> model = small_model();
  Tokenizer tokenizer = small_tokenizer();
  std::vector<std::shared_ptr<const LoraAdapter>> adapters = {nullptr, random_adapter(*model, 1),
                                                              random_adapter(*model, 2, 3)};
};

TEST_F(Batch, NeighboursPiecesThreadsAndLackOfRoomChangeNothing) {
  const std::vector<SampleRequest> requests = many_requests(64);
  std::vector<SampleResult> alone;
  for (const SampleRequest& r : requests) alone.push_back(run_alone(*model, &tokenizer, r, {.step_tokens = 1000}));
  const std::vector<SampleLimits> limits = {{.running = 64},
                                            {.running = 200, .step_tokens = 5},
                                            {.running = 7, .step_tokens = 33, .kept_sequences = 0},
                                            // Hardly more than the longest needs: sequences lose their pages often.
                                            {.running = 40, .step_tokens = 64, .cache_bytes = pages(6)}};
  std::mt19937 random(5);
  for (int threads : {1, 2})
    for (const SampleLimits& limit : limits) {
      Threads guard(threads);
      SCOPED_TRACE(testing::Message() << threads << " threads, " << limit.running << " at once");
      SampleBatch batch(*model, &tokenizer, limit);
      std::map<uint64_t, size_t> index;
      size_t next = 0, finished = 0;
      while (next < requests.size() || !batch.empty()) {
        // They join at any step.
        for (auto join = random() % 4; join > 0 && next < requests.size(); --join)
          index[batch.add(requests[next])] = next, ++next;
        for (FinishedSample& f : batch.step()) {
          SCOPED_TRACE(testing::Message() << "request " << index.at(f.id));
          ASSERT_EQ(f.error, nullptr);
          expect_same(f.result, alone[index.at(f.id)]);
          ++finished;
        }
        EXPECT_LE(batch.bytes(), limit.cache_bytes);
        if (testing::Test::HasFailure()) return;
      }
      EXPECT_EQ(finished, requests.size());
      EXPECT_EQ(batch.running() + batch.waiting(), 0);
    }
}

TEST_F(Batch, LogProbabilitiesAreThoseOfTraining) {
  for (const auto& adapter : adapters)
    for (const SamplingParams& params :
         {SamplingParams{.seed = 3, .max_tokens = 20}, SamplingParams{.temperature = 0, .max_tokens = 20},
          SamplingParams{.top_k = 5, .top_p = 0.8, .max_tokens = 20}}) {
      const SampleRequest request{.prompt = some_prompt(90, 4),
                                  .params = params,
                                  .num_samples = 2,
                                  .adapter = adapter,
                                  .ignore_eos = true,
                                  .prompt_logprobs = true};
      const SampleResult result = run_alone(*model, &tokenizer, request, {.step_tokens = 32});
      for (const SampledSequence& s : result.sequences) {
        std::vector<int32_t> all = request.prompt;
        all.insert(all.end(), s.tokens.begin(), s.tokens.end());
        std::vector<int64_t> targets(all.begin() + 1, all.end());
        targets.push_back(0);
        NoGrad guard;
        const Tensor hidden = model->hidden(pack({all}), adapter.get());
        const Tensor target = from_values<int64_t>(std::span<const int64_t>(targets), {int64_t(targets.size())});
        std::vector<float> trained = to_vector<float>(model->log_probs(hidden, target, adapter.get()));
        trained.pop_back();
        std::vector<float> sampled(result.prompt_logprobs.begin() + 1, result.prompt_logprobs.end());
        sampled.insert(sampled.end(), s.logprobs.begin(), s.logprobs.end());
        EXPECT_EQ(bits(sampled), bits(trained));
        EXPECT_TRUE(std::isnan(result.prompt_logprobs[0]));
        EXPECT_EQ(result.prompt_logprobs.size(), request.prompt.size());
      }
    }
}

TEST_F(Batch, TemperatureDividesDifferencesOfLogProbabilities) {
  SampleRequest request{.prompt = some_prompt(20, 2), .params = {.max_tokens = 1}, .topk_sample_logprobs = 300};
  const auto by_token = [&](double temperature) {
    request.params.temperature = temperature;
    const SampleResult result = run_alone(*model, nullptr, request);
    const TokenTable& top = result.sequences[0].top;
    std::vector<double> values(300);
    for (size_t i = 0; i < 300; ++i) values[size_t(top.tokens[i])] = double(top.logprobs[i]);
    double sum = 0;
    for (double v : values) sum += std::exp(v);
    EXPECT_NEAR(sum, 1, 1e-5) << "the whole vocabulary";
    EXPECT_EQ(float(values[size_t(result.sequences[0].tokens[0])]), result.sequences[0].logprobs[0]);
    return values;
  };
  const std::vector<double> one = by_token(1), zero = by_token(0);
  EXPECT_EQ(one, zero) << "greedy gives those of temperature 1";
  for (double temperature : {0.25, 0.7, 3.0, 1e-30}) {
    const std::vector<double> scaled = by_token(temperature);
    for (size_t i = 1; i < 300 && temperature > 0.1; ++i)
      EXPECT_NEAR(scaled[i] - scaled[0], (one[i] - one[0]) / temperature, 1e-4 / temperature);
  }
}

TEST_F(Batch, SamplesHaveSeedsOfTheirOwn) {
  SampleRequest request{
      .prompt = some_prompt(70, 9), .params = {.seed = 40, .max_tokens = 12}, .num_samples = 9, .ignore_eos = true};
  const SampleResult together = run_alone(*model, &tokenizer, request, {.running = 4});
  ASSERT_EQ(together.sequences.size(), 9u);
  request.num_samples = 1;
  for (size_t i = 0; i < 9; ++i, ++request.params.seed) {
    const SampleResult one = run_alone(*model, &tokenizer, request);
    EXPECT_EQ(one.sequences[0].tokens, together.sequences[i].tokens);
    EXPECT_EQ(bits(one.sequences[0].logprobs), bits(together.sequences[i].logprobs));
    EXPECT_TRUE(i == 0 || together.sequences[i].tokens != together.sequences[0].tokens);
  }
}

TEST_F(Batch, TokensOutsideTheTokenizerAreNeverChosen) {
  SampleRequest request{.prompt = {1, 2}, .params = {.temperature = 50, .max_tokens = 400}, .ignore_eos = true};
  const auto most = [&](const Tokenizer* t) {
    const SampleResult result = run_alone(*model, t, request);
    return *std::max_element(result.sequences[0].tokens.begin(), result.sequences[0].tokens.end());
  };
  EXPECT_LT(most(&tokenizer), tokenizer.vocab_size());
  EXPECT_GE(most(nullptr), tokenizer.vocab_size()) << "the model does choose them when it may";
}

TEST_F(Batch, RoomInTheContext) {
  SampleRequest request{.prompt = some_prompt(500, 1), .params = {.temperature = 0}, .ignore_eos = true};
  for (int64_t asked : {int64_t(100), SampleRequest::to_context}) {
    request.params.max_tokens = asked;
    const SampleResult result = run_alone(*model, nullptr, request);
    EXPECT_EQ(result.sequences[0].tokens.size(), 12u);
    EXPECT_EQ(result.sequences[0].reason, FinishReason::length);
  }
  // As much as the cache holds, when nobody says how much.
  request.prompt.resize(100);
  EXPECT_EQ(run_alone(*model, nullptr, request, {.cache_bytes = pages(3)}).sequences[0].tokens.size(), 3u * 64 - 100);
  SampleBatch batch(*model, nullptr, {.cache_bytes = pages(3)});
  request.params.max_tokens = 93;
  EXPECT_THROW(batch.add(request), ValueError) << "more than the cache holds";
  request.prompt = some_prompt(512, 1);
  try {
    batch.add(request);
    FAIL();
  } catch (const ValueError& e) {
    EXPECT_NE(std::string(e.what()).find("512 tokens, the model's context is 512"), std::string::npos) << e.what();
  }
  EXPECT_TRUE(batch.empty());
}

TEST_F(Batch, NothingToChoose) {
  SampleRequest request{.prompt = some_prompt(40, 1), .params = {.max_tokens = 0}, .num_samples = 2};
  SampleResult result = run_alone(*model, nullptr, request);
  ASSERT_EQ(result.sequences.size(), 2u);
  EXPECT_TRUE(result.sequences[0].tokens.empty());
  request.prompt_logprobs = true;
  result = run_alone(*model, nullptr, request, {.step_tokens = 7});
  request.params.max_tokens = 1;
  EXPECT_EQ(bits(result.prompt_logprobs), bits(run_alone(*model, nullptr, request).prompt_logprobs));
}

TEST_F(Batch, BeginningsAreComputedOnce) {
  SampleBatch batch(*model, &tokenizer, {.step_tokens = 50});
  SampleRequest request{.prompt = some_prompt(200, 1), .params = {.max_tokens = 5}, .ignore_eos = true};
  const SampleResult alone = run_alone(*model, &tokenizer, request);
  // Eight at once wait for the first of them; a ninth comes later.
  for (int i = 0; i < 8; ++i) batch.add(request);
  for (const auto& [id, result] : drain(batch)) {
    expect_same(result, alone);
    EXPECT_EQ(result.cached_tokens, id == 1 ? 0 : 199);
  }
  EXPECT_LE(batch.cached_tokens(), 20 * 64);
  const uint64_t ninth = batch.add(request);
  EXPECT_EQ(drain(batch).at(ninth).cached_tokens, 199);
  request.adapter = adapters[1];
  const uint64_t other = batch.add(request);
  EXPECT_EQ(drain(batch).at(other).cached_tokens, 0) << "another adapter computes another cache";
  request.prompt_logprobs = true;
  request.prompt_logprobs_last_n = 10;
  const uint64_t scored = batch.add(request);
  const SampleResult result = drain(batch).at(scored);
  EXPECT_EQ(result.cached_tokens, 189) << "what is scored must be computed";
  expect_same(result, run_alone(*model, &tokenizer, request));
  batch.trim();
  EXPECT_EQ(batch.bytes(), 0);
  EXPECT_EQ(batch.cached_tokens(), 0);
}

TEST_F(Batch, CancelGivesPagesBack) {
  SampleBatch batch(*model, nullptr, {.running = 2, .kept_sequences = 0});
  SampleRequest request{
      .prompt = some_prompt(100, 1), .params = {.max_tokens = 50}, .num_samples = 3, .ignore_eos = true};
  const uint64_t first = batch.add(request), second = batch.add(request);
  request.num_samples = 1;
  const uint64_t third = batch.add(request), fourth = batch.add(request);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(batch.step().empty());
  EXPECT_GT(batch.cached_tokens(), 0);
  EXPECT_EQ(batch.waiting(), 2);
  EXPECT_TRUE(batch.cancel(first));
  EXPECT_FALSE(batch.cancel(first));
  EXPECT_EQ(batch.cached_tokens(), 0);
  EXPECT_TRUE(batch.cancel(second));
  EXPECT_TRUE(batch.cancel(fourth)) << "it waits";
  EXPECT_FALSE(batch.cancel(99));
  const auto results = drain(batch);
  ASSERT_EQ(results.size(), 1u);
  expect_same(results.at(third), run_alone(*model, nullptr, request));
  EXPECT_FALSE(batch.cancel(third)) << "it is finished";
}

TEST_F(Batch, CancelFromACallback) {
  SampleBatch batch(*model, nullptr);
  SampleRequest request{
      .prompt = some_prompt(10, 1), .params = {.max_tokens = 9}, .num_samples = 4, .ignore_eos = true};
  const SampleRequest plain = request;
  int calls = 0;
  uint64_t own = 0, waiting = 0;
  request.on_token = [&](const SampledToken&) { return ++calls != 6 || (batch.cancel(own) && batch.cancel(waiting)); };
  own = batch.add(request);
  const uint64_t other = batch.add(plain);
  batch.step();
  waiting = batch.add(plain);
  const auto results = drain(batch);
  EXPECT_EQ(calls, 6) << "none after it";
  ASSERT_EQ(results.size(), 1u);
  expect_same(results.at(other), run_alone(*model, nullptr, plain));
}

TEST_F(Batch, CallbacksSeeEveryTokenAndMayEnd) {
  SampleRequest request{.prompt = some_prompt(10, 1),
                        .params = {.max_tokens = 9},
                        .num_samples = 2,
                        .ignore_eos = true,
                        .text = true,
                        .topk_sample_logprobs = 2};
  const SampleResult all = run_alone(*model, &tokenizer, request);
  std::vector<SampledSequence> seen(2);
  request.on_token = [&](const SampledToken& t) {
    SampledSequence& s = seen[size_t(t.sample)];
    s.tokens.push_back(t.token);
    s.logprobs.push_back(t.logprob);
    s.text += t.text;
    s.top.tokens.insert(s.top.tokens.end(), t.top_tokens.begin(), t.top_tokens.end());
    return t.sample == 0 || s.tokens.size() < 4;
  };
  const SampleResult cut = run_alone(*model, &tokenizer, request);
  EXPECT_EQ(seen[0].tokens, all.sequences[0].tokens);
  EXPECT_EQ(bits(seen[0].logprobs), bits(all.sequences[0].logprobs));
  EXPECT_EQ(seen[0].text, all.sequences[0].text);
  EXPECT_EQ(seen[0].top.tokens, all.sequences[0].top.tokens);
  EXPECT_EQ(cut.sequences[0].tokens, all.sequences[0].tokens);
  EXPECT_EQ(cut.sequences[1].tokens.size(), 4u);
}

TEST_F(Batch, OneFailureIsOneRequests) {
  const auto broken = random_adapter(*model, 8);
  {
    NoGrad guard;
    fill_(broken->parameters()[0], std::nan(""));
  }
  std::vector<SampleRequest> requests = many_requests(12);
  for (size_t i : {1, 4, 5}) requests[i].adapter = broken;
  requests[7].on_token = [](const SampledToken& t) -> bool {
    if (t.sample == 1) throw std::runtime_error("the caller's own");
    return true;
  };
  SampleBatch batch(*model, &tokenizer, {.cache_bytes = pages(8)});
  for (const SampleRequest& r : requests) batch.add(r);
  std::vector<uint64_t> failed;
  while (!batch.empty())
    for (FinishedSample& f : batch.step()) {
      const SampleRequest& r = requests[f.id - 1];
      if (f.error)
        failed.push_back(f.id);
      else
        expect_same(f.result, run_alone(*model, &tokenizer, r));
    }
  std::sort(failed.begin(), failed.end());
  EXPECT_EQ(failed, (std::vector<uint64_t>{2, 5, 6, 8}));
}

TEST_F(Batch, RefusesBadRequests) {
  SampleBatch batch(*model, nullptr);
  const SampleRequest good{.prompt = {1, 2, 3}};
  const auto bad = [&](auto change) {
    SampleRequest r = good;
    change(r);
    return r;
  };
  EXPECT_THROW(batch.add(bad([](auto& r) { r.prompt.clear(); })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.prompt = {1, 300}; })), IndexError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.prompt = {-1}; })), IndexError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.num_samples = 0; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.num_samples = 4097; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.params.top_p = 2; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.params.stop = {"x"}; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.text = true; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.prompt_logprobs_last_n = -1; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.topk_prompt_logprobs = 301; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.topk_sample_logprobs = -1; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.prompt_alt_tokens_k = 5000; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.target_prompt = {1, 2, 3}, r.target_prompt_k = 2; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.target_prompt = {1, 2}; })), ValueError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.target_prompt = {1, 300}, r.target_prompt_k = 1; })), IndexError);
  EXPECT_THROW(batch.add(bad([](auto& r) { r.target_prompt = {1, -2}, r.target_prompt_k = 1; })), IndexError);
  DecoderConfig other = model->config();
  other.num_hidden_layers = 1;
  const auto foreign = random_adapter(CausalLm(other), 1);
  EXPECT_THROW(batch.add(bad([&](auto& r) { r.adapter = foreign; })), ValueError);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.add(good), 1u);
  EXPECT_THROW(SampleBatch(*model, nullptr, {.running = 0}), ValueError);
  EXPECT_THROW(SampleBatch(*model, nullptr, {.step_tokens = 0}), ValueError);
  EXPECT_THROW(SampleBatch(*model, nullptr, {.cache_bytes = 1000}), ValueError);
  EXPECT_THROW(SampleBatch(*model, nullptr, {.kept_sequences = -1}), ValueError);
}

}  // namespace
}  // namespace hearth::llm
