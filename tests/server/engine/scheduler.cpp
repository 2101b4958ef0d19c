// The scheduler alone: its rules as properties over random queues.
#include "server/engine/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace hearth::server {
namespace {

using namespace std::chrono_literals;

struct Simulation {
  explicit Simulation(uint64_t seed) : engine(seed) {}

  int64_t draw(int64_t below) { return int64_t(engine() % uint64_t(below)); }

  // Adds a model whose requests 0..count-1 arrive in a random order.
  void add_model(const std::string& name, int64_t count) {
    std::vector<int64_t> order;
    for (int64_t seq = 0; seq < count; ++seq) order.push_back(seq);
    std::shuffle(order.begin(), order.end(), engine);
    for (const int64_t seq : order) {
      PendingOperation operation;
      operation.pass = seq > 0 && draw(3) > 0;
      operation.tokens = operation.pass ? 1 + draw(3000) : 0;
      arrivals.push_back({{name, seq}, operation});
    }
    pending.models[name].base = draw(4) ? "a" : "b";
  }

  void arrive() {
    const auto [reference, operation] = arrivals.front();
    arrivals.erase(arrivals.begin());
    kinds[reference.model][reference.seq] = operation;
    add_operation(pending, shares, reference.model, reference.seq, operation);
  }

  // Does one step; returns false when there was nothing to do.
  bool step() {
    const Step step = next_step(pending, shares);
    if (const auto* pass = std::get_if<PassStep>(&step)) {
      check(*pass);
      charge_training(pending, shares, 1);
      for (const auto& reference : pass->operations) finish(reference);
      return true;
    }
    if (const auto* barrier = std::get_if<BarrierStep>(&step)) {
      EXPECT_FALSE(kinds[barrier->operation.model][barrier->operation.seq].pass);
      charge_training(pending, shares, 0.1);
      finish(barrier->operation);
      return true;
    }
    return false;
  }

  void check(const PassStep& pass) {
    int64_t tokens = 0;
    std::map<std::string, int64_t> next;
    ASSERT_FALSE(pass.operations.empty());
    for (const auto& reference : pass.operations) {
      const auto& model = pending.models.at(reference.model);
      EXPECT_EQ(model.base, pass.base);
      const int64_t wanted = next.count(reference.model) ? next[reference.model] : model.next;
      EXPECT_EQ(reference.seq, wanted);
      next[reference.model] = reference.seq + 1;
      EXPECT_TRUE(kinds[reference.model][reference.seq].pass);
      tokens += kinds[reference.model][reference.seq].tokens;
    }
    EXPECT_TRUE(tokens <= shares.token_budget || pass.operations.size() == 1);
  }

  void finish(const OperationRef& reference) {
    EXPECT_EQ(reference.seq, done[reference.model]);
    done[reference.model] = reference.seq + 1;
    finish_operation(pending, reference);
  }

  std::mt19937_64 engine;
  Pending pending;
  Shares shares;
  std::vector<std::pair<OperationRef, PendingOperation>> arrivals;
  std::map<std::string, std::map<int64_t, PendingOperation>> kinds;
  std::map<std::string, int64_t> done;
};

std::vector<OperationRef> passes_of(const Step& step) { return std::get<PassStep>(step).operations; }

TEST(Scheduler, EveryRequestRunsOnceInTheOrderOfItsModelWhateverTheOrderOfArrival) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Simulation simulation(seed);
    const int64_t models = 1 + simulation.draw(6);
    std::map<std::string, int64_t> counts;
    for (int64_t m = 0; m < models; ++m) {
      const std::string name = "m" + std::to_string(m);
      counts[name] = 1 + simulation.draw(20);
      simulation.add_model(name, counts[name]);
    }
    // Arrivals of all models mixed.
    std::shuffle(simulation.arrivals.begin(), simulation.arrivals.end(), simulation.engine);
    while (!simulation.arrivals.empty()) {
      simulation.arrive();
      if (simulation.draw(2)) simulation.step();
    }
    while (simulation.step()) {
    }
    for (const auto& [name, count] : counts) EXPECT_EQ(simulation.done[name], count) << name << ", seed " << seed;
  }
}

TEST(Scheduler, TheSameQueueGivesTheSameStep) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Simulation a(seed), b(seed);
    for (Simulation* s : {&a, &b}) {
      s->add_model("x", 8);
      s->add_model("y", 8);
      while (!s->arrivals.empty()) s->arrive();
    }
    const Step first = next_step(a.pending, a.shares), second = next_step(b.pending, b.shares);
    ASSERT_EQ(first.index(), second.index());
    const auto* pass = std::get_if<PassStep>(&first);
    EXPECT_TRUE(!pass || pass->operations == std::get<PassStep>(second).operations);
  }
}

PendingOperation pass_of(int64_t tokens) {
  PendingOperation operation;
  operation.pass = true;
  operation.tokens = tokens;
  return operation;
}

TEST(Scheduler, PassesOfManyModelsMergeUpToTheBudgetAndStopAtBarriers) {
  Pending pending;
  Shares shares;
  shares.token_budget = 1000;
  for (const std::string name : {"a", "b", "c"}) {
    pending.models[name].base = name == "c" ? "other" : "base";
    add_operation(pending, shares, name, 0, pass_of(300));
    add_operation(pending, shares, name, 1, pass_of(300));
    add_operation(pending, shares, name, 2, {});
    add_operation(pending, shares, name, 3, pass_of(10));
  }
  const auto step = std::get<PassStep>(next_step(pending, shares));
  EXPECT_EQ(step.operations, (std::vector<OperationRef>{{"a", 0}, {"b", 0}, {"a", 1}}));
  add_operation(pending, shares, "d", 0, pass_of(5000));
  pending.models["d"].base = "base";
  for (const auto& done : step.operations) finish_operation(pending, done);
  std::vector<int64_t> sizes;
  for (int i = 0; i < 20; ++i) {
    const Step next = next_step(pending, shares);
    if (const auto* pass = std::get_if<PassStep>(&next)) {
      for (const auto& reference : pass->operations)
        EXPECT_TRUE(reference.model != "d" || pass->operations.size() == 1);
      for (const auto& reference : pass->operations) finish_operation(pending, reference);
    } else if (const auto* barrier = std::get_if<BarrierStep>(&next)) {
      finish_operation(pending, barrier->operation);
    }
  }
  for (const auto& [name, model] : pending.models) EXPECT_TRUE(model.waiting.empty()) << name;
}

TEST(Scheduler, NoModelIsServedMuchMoreThanAnotherThatWaits) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 engine(seed);
    Pending pending;
    Shares shares;
    std::map<std::string, int64_t> next;
    std::map<std::string, double> tokens;
    const auto refill = [&](const std::string& name, int64_t size) {
      while ((next[name] - pending.models[name].next) * size < 20000) {
        add_operation(pending, shares, name, next[name]++, pass_of(size));
      }
    };
    const std::map<std::string, int64_t> sizes{{"small", 50}, {"middle", 700}, {"large", 4000}};
    for (int step = 0; step < 400; ++step) {
      for (const auto& [name, size] : sizes) {
        pending.models[name].base = "base";
        refill(name, size);
      }
      const auto pass = std::get<PassStep>(next_step(pending, shares));
      for (const auto& reference : pass.operations) {
        tokens[reference.model] += double(sizes.at(reference.model));
        finish_operation(pending, reference);
      }
    }
    const auto [low, high] = std::minmax_element(tokens.begin(), tokens.end(),
                                                 [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_LE(high->second - low->second, 3 * 4096) << low->first << " " << high->first;
  }
}

TEST(Scheduler, AModelThatWasIdleHasNoCreditAndIsNotBehind) {
  Pending pending;
  Shares shares;
  pending.models["busy"].base = pending.models["late"].base = "base";
  for (int64_t seq = 0; seq < 100; ++seq) {
    add_operation(pending, shares, "busy", seq, pass_of(4096));
    if (seq < 50) finish_operation(pending, {"busy", seq});
  }
  for (int64_t seq = 0; seq < 100; ++seq) add_operation(pending, shares, "late", seq, pass_of(4096));
  std::map<std::string, int> served;
  for (int i = 0; i < 20; ++i)
    for (const auto& reference : passes_of(next_step(pending, shares))) {
      ++served[reference.model];
      finish_operation(pending, reference);
    }
  EXPECT_NEAR(served["late"], served["busy"], 1);
}

TEST(Scheduler, TrainingAndSamplingShareTheMeasuredTime) {
  for (const double share : {0.2, 0.5, 0.8}) {
    Pending pending;
    Shares shares;
    shares.training_share = share;
    pending.models["m"].base = "base";
    add_samples(pending, shares, "base", 100);
    double training = 0, sampling = 0;
    int64_t next = 0;
    for (int i = 0; i < 5000; ++i) {
      add_operation(pending, shares, "m", next, pass_of(100));
      const Step step = next_step(pending, shares);
      if (const auto* sample = std::get_if<SampleStep>(&step)) {
        EXPECT_TRUE(sample->training_waits);
        charge_sampling(pending, shares, "base", 0.05);
        sampling += 0.05;
      } else {
        charge_training(pending, shares, 1.7);
        training += 1.7;
        for (const auto& reference : std::get<PassStep>(step).operations) finish_operation(pending, reference);
        ++next;
      }
    }
    EXPECT_NEAR(training / (training + sampling), share, 0.02);
  }
}

TEST(Scheduler, ASideThatHadNothingToDoHasNoCredit) {
  Pending pending;
  Shares shares;
  pending.models["m"].base = "base";
  for (int64_t seq = 0; seq < 1000; ++seq) add_operation(pending, shares, "m", seq, pass_of(4096));
  for (int i = 0; i < 100; ++i) {
    charge_training(pending, shares, 10);
    for (const auto& reference : passes_of(next_step(pending, shares))) finish_operation(pending, reference);
  }
  add_samples(pending, shares, "base", 1);
  double sampling = 0;
  int turns = 0;
  for (int i = 0; i < 200 && turns < 3; ++i) {
    const Step step = next_step(pending, shares);
    if (std::holds_alternative<SampleStep>(step)) {
      charge_sampling(pending, shares, "base", 0.05);
      sampling += 0.05;
    } else {
      ++turns;
      charge_training(pending, shares, 1);
      for (const auto& reference : std::get<PassStep>(step).operations) finish_operation(pending, reference);
    }
  }
  EXPECT_EQ(turns, 3);
  EXPECT_LE(sampling, 3.5);
}

TEST(Scheduler, AloneEachSideHasAllOfTheTime) {
  Pending pending;
  Shares shares;
  EXPECT_TRUE(std::holds_alternative<Idle>(next_step(pending, shares)));
  add_samples(pending, shares, "a", 1);
  add_samples(pending, shares, "b", 1);
  std::set<std::string> bases;
  for (int i = 0; i < 10; ++i) {
    const auto step = std::get<SampleStep>(next_step(pending, shares));
    EXPECT_FALSE(step.training_waits);
    bases.insert(step.base);
    charge_sampling(pending, shares, step.base, 1);
  }
  EXPECT_EQ(bases, (std::set<std::string>{"a", "b"}));
}

TEST(Scheduler, AGapStopsItsModelOnlyAndIsGivenUpInTime) {
  Pending pending;
  Shares shares;
  const auto start = Clock::now();
  PendingOperation operation = pass_of(10);
  operation.arrived = start;
  pending.models["gap"].base = pending.models["whole"].base = "base";
  add_operation(pending, shares, "gap", 0, operation);
  add_operation(pending, shares, "gap", 2, operation);
  add_operation(pending, shares, "gap", 5, operation);
  add_operation(pending, shares, "whole", 0, operation);
  for (const auto& reference : passes_of(next_step(pending, shares))) finish_operation(pending, reference);
  EXPECT_TRUE(std::holds_alternative<Idle>(next_step(pending, shares)));
  const auto gaps = find_gaps(pending, 330s);
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].model, "gap");
  EXPECT_EQ(gaps[0].missing, 1);
  EXPECT_EQ(gaps[0].give_up_at, start + 330s);
  EXPECT_EQ(close_gap(pending.models["gap"]), (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(pending.models["gap"].next, 6);
  add_operation(pending, shares, "gap", 6, operation);
  EXPECT_TRUE(std::holds_alternative<PassStep>(next_step(pending, shares)));
}

TEST(Scheduler, RestoringComesBeforeAModelsRequestsAndUnloadingAfterThem) {
  Pending pending;
  Shares shares;
  PendingModel& model = pending.models["m"];
  model.base = "base";
  model.restore = model.unload = true;
  model.next = 4;
  add_operation(pending, shares, "m", 4, pass_of(10));
  add_operation(pending, shares, "m", 6, pass_of(10));
  EXPECT_EQ(std::get<RestoreStep>(next_step(pending, shares)).model, "m");
  model.restore = false;
  EXPECT_TRUE(std::holds_alternative<PassStep>(next_step(pending, shares)));
  finish_operation(pending, {"m", 4});
  EXPECT_EQ(std::get<UnloadStep>(next_step(pending, shares)).model, "m");
}

}  // namespace
}  // namespace hearth::server
