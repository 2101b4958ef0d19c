// Workshop, forward and forward-backward: requests of many models over one base in one pass.
#include <chrono>

#include "hearth/core/error.h"
#include "server/engine/workshop.h"

namespace hearth::server {
namespace {

std::vector<float> as_floats(const LossInput& input) {
  if (!input.floats.empty() || input.integers.empty()) return input.floats;
  return {input.integers.begin(), input.integers.end()};
}

llm::TrainDatum train_datum(const Datum& datum, size_t index) {
  llm::TrainDatum out;
  out.tokens = datum.tokens;
  for (const auto& [name, input] : datum.inputs) {
    if (name != "target_tokens") {
      out.inputs[name] = as_floats(input);
      continue;
    }
    check<ValueError>(input.floats.empty(), "forward_backward: target_tokens must be integers: datum ", index);
    check<ValueError>(input.shape.size() == 1 || input.shape.size() == 2,
                      "forward_backward: target_tokens must have one or two dimensions: datum ", index, " has ",
                      input.shape.size());
    out.targets = input.integers;
    out.targets_per_token = input.shape.size() == 2 ? input.shape[1] : 1;
  }
  check<ValueError>(datum.inputs.count("target_tokens"), "forward_backward: target_tokens is missing: datum ", index);
  return out;
}

std::vector<int64_t> output_shape(const Datum& datum) { return datum.inputs.at("target_tokens").shape; }

// A request of a step: what the trainer reads must stay while the pass runs.
struct Prepared {
  const ForwardBackward* command = nullptr;
  std::vector<llm::TrainDatum> data;
  llm::LossSpec spec;
  Trainer* trainer = nullptr;
};

ForwardBackwardResult answer_of(const ForwardBackward& command, llm::LossResult& loss) {
  ForwardBackwardResult answer;
  for (size_t i = 0; i < command.data.size(); ++i)
    answer.outputs.push_back({output_shape(command.data[i]), std::move(loss.log_probs[i])});
  answer.metrics = std::move(loss.metrics);
  answer.metrics["loss:sum"] = loss.loss;
  return answer;
}

JobResult result_of(const Prepared& prepared, llm::PassOutcome outcome) {
  JobResult result;
  try {
    if (const auto* error = std::get_if<std::exception_ptr>(&outcome)) std::rethrow_exception(*error);
    result.payload = encode(answer_of(*prepared.command, std::get<llm::LossResult>(outcome)));
    result.tokens = tokens_of(prepared.command->data);
  } catch (...) {
    result.failure = failure_of(std::current_exception());
  }
  return result;
}

}  // namespace

int64_t tokens_of(const std::vector<Datum>& data) {
  int64_t tokens = 0;
  for (const auto& datum : data) tokens += static_cast<int64_t>(datum.tokens.size());
  return tokens;
}

std::vector<llm::TrainDatum> train_data(const std::vector<Datum>& data) {
  std::vector<llm::TrainDatum> out;
  for (size_t i = 0; i < data.size(); ++i) out.push_back(train_datum(data[i], i));
  return out;
}

llm::LossSpec loss_spec(const ForwardBackward& command) {
  llm::LossSpec spec{command.loss_fn, {}};
  for (const auto& [name, value] : command.config) {
    const double* number = std::get_if<double>(&value);
    check<ValueError>(number, "forward_backward: ", command.loss_fn, ": ", name, " wants a number, is a text");
    spec.config[name] = *number;
  }
  return spec;
}

StepReport Workshop::passes(const std::vector<Job>& jobs, const std::function<void()>& between) {
  StepReport report;
  beside_.clear();
  report.results.resize(jobs.size());
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Prepared> prepared(jobs.size());
  std::vector<llm::PassRequest> requests;
  std::vector<size_t> job_of;
  int64_t all_tokens = 0;
  for (size_t i = 0; i < jobs.size(); ++i) try {
      if (jobs[i].refused) {
        report.results[i].failure = jobs[i].refused;
        continue;
      }
      Prepared& p = prepared[i];
      p.command = &std::get<ForwardBackward>(*jobs[i].command);
      p.trainer = &need(jobs[i]);
      p.data = train_data(p.command->data);
      p.spec = loss_spec(*p.command);
      all_tokens += tokens_of(p.command->data);
      requests.push_back({&p.trainer->trainer, &p.data, &p.spec, p.command->forward_only});
      job_of.push_back(i);
    } catch (...) {
      report.results[i].failure = failure_of(std::current_exception());
    }
  try {
    auto outcomes = llm::forward_backward(requests, between);
    for (size_t k = 0; k < outcomes.size(); ++k)
      report.results[job_of[k]] = result_of(prepared[job_of[k]], std::move(outcomes[k]));
  } catch (...) {
    for (const size_t i : job_of) report.results[i].failure = failure_of(std::current_exception());
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  report.beside = beside_;
  for (const auto& [base, seconds] : beside_) report.seconds -= seconds;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const double share =
        all_tokens ? static_cast<double>(report.results[i].tokens) / static_cast<double>(all_tokens) : 0;
    note_work(jobs[i].model.id, jobs[i].seq_id, share * report.seconds);
  }
  report.memory = memory();
  return report;
}

}  // namespace hearth::server
