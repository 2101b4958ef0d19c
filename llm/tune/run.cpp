// A fine-tuning run from options to files.
#include "llm/tune/run.h"

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "hearth/autograd/engine.h"
#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/safetensors.h"
#include "hearth/optim/adamw.h"
#include "hearth/optim/clip.h"
#include "llm/models/config.h"
#include "llm/tune/batches.h"
#include "llm/tune/checkpoint.h"
#include "llm/tune/output_folder.h"
#include "llm/tune/schedule.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"

namespace hearth::llm {

namespace fs = std::filesystem;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Names of options in which two runs differ.
std::string differences(const std::string& a, const std::string& b) {
  const boost::json::value first = boost::json::parse(a), second = boost::json::parse(b);
  std::string out;
  for (const auto& [key, value] : first.as_object()) {
    const boost::json::value* other = second.as_object().if_contains(key);
    if (!other || boost::json::serialize(*other) != boost::json::serialize(value))
      out += (out.empty() ? "" : ", ") + std::string(key);
  }
  return out;
}

class TuneRun {
 public:
  TuneRun(const TuneOptions& options, const TuneEvents& events) : options_(options), events_(events) {
    validate(options_);
    output_.emplace("tune", options_.out, options_.resume);
    auto model = load_model(options_.model, dtype_from_name(options_.dtype));
    model_parameters_ = parameter_count(model->config());
    const Tokenizer tokenizer = load_model_tokenizer(options_.model, model->config());
    if (options_.max_length == 0) options_.max_length = model->config().max_position_embeddings + 1;
    if (options_.learning_rate == 0) options_.learning_rate = options_.full ? 2e-5 : 2e-4;
    load_data(tokenizer);
    trainable_ = std::make_unique<Trainable>(std::move(model), options_);
    batches_->compute_reference(*trainable_);
    optimizer_ = std::make_unique<optim::AdamW>(
        trainable_->parameters(),
        optim::AdamWOptions{.lr = options_.learning_rate, .weight_decay = options_.weight_decay});
    plan_steps();
    resume();
    base_ = fs::absolute(options_.model).lexically_normal();
  }

  TuneResult train() {
    announce();
    MetricsLog metrics(options_.out + "/metrics.jsonl", step_);
    const double begun = now();
    TuneResult result;
    while (step_ < total_ && !result.interrupted) {
      StepMetrics m = one_step();
      m.seconds = now() - begun;
      if (step_ % eval_every_ == 0 || step_ == total_) m.validation_loss = batches_->validate(*trainable_);
      output_->keep();
      metrics.add(m);
      result.loss = m.loss;
      if (m.validation_loss) result.validation_loss = *m.validation_loss;
      if (events_.on_step) events_.on_step(m);
      result.interrupted = step_ < total_ && events_.should_stop && events_.should_stop();
      if (step_ % options_.save_every == 0 || step_ == total_ || result.interrupted) checkpoint();
    }
    finish(metrics);
    result.steps = step_;
    return result;
  }

 private:
  void load_data(const Tokenizer& tokenizer) {
    TuneData train = load_tune_data(options_.data, tokenizer, options_), validation;
    if (!train.note.empty()) plan_.notes.push_back(train.note);
    if (!options_.validation_data.empty()) {
      validation = load_tune_data(options_.validation_data, tokenizer, options_);
      check<ValueError>(validation.kind == train.kind,
                        "tune: validation data is of another kind: ", example_kind_name(validation.kind),
                        ", training data ", example_kind_name(train.kind));
    } else if (options_.validation_split > 0 && train.examples.size() >= 20) {
      validation = hold_out(train);
    }
    plan_.kind = example_kind_name(train.kind);
    drop_unusable(validation);
    batches_ = std::make_unique<TuneBatches>(std::move(train), std::move(validation), options_);
    const PackingReport& report = batches_->report();
    plan_.examples = report.kept;
    plan_.validation_examples = batches_->validation_examples();
    if (report.kept != report.examples || report.truncated > 0) plan_.notes.push_back(report.text(options_.max_length));
  }

  TuneData hold_out(TuneData& train) const {
    TuneData validation;
    validation.kind = train.kind;
    auto parts = train_validation_split(std::move(train.examples), options_.validation_split, options_.seed);
    train.examples = std::move(parts.first);
    validation.examples = std::move(parts.second);
    if (!train.rejected.empty()) {
      auto rejected = train_validation_split(std::move(train.rejected), options_.validation_split, options_.seed);
      train.rejected = std::move(rejected.first);
      validation.rejected = std::move(rejected.second);
    }
    return validation;
  }

  /// Validation rows follow the same rule as training rows: too long or empty ones are an error, or counted and left
  /// out.
  void drop_unusable(TuneData& data) {
    TuneData kept;
    kept.kind = data.kind;
    int64_t dropped = 0;
    for (size_t i = 0; i < data.examples.size(); ++i) {
      const TokenExample& e = data.examples[i];
      const bool long_one = int64_t(e.tokens.size()) > options_.max_length;
      double weight = 0;
      for (size_t j = 1; j < e.weights.size(); ++j) weight += double(e.weights[j]);
      const bool bad = long_one || weight <= 0;
      check<ValueError>(!bad || (long_one ? options_.on_too_long : options_.on_empty) != BadExample::error,
                        "tune: a validation example is ", long_one ? "longer than max_length" : "empty", ": number ",
                        i + 1, ", ", e.tokens.size(), " tokens; see --too-long and --empty");
      if (bad) {
        ++dropped;
        continue;
      }
      kept.examples.push_back(e);
      if (!data.rejected.empty()) kept.rejected.push_back(data.rejected[i]);
    }
    if (dropped > 0)
      plan_.notes.push_back(std::to_string(dropped) + " validation examples left out (too long or empty)");
    data = std::move(kept);
  }

  void plan_steps() {
    total_ = options_.steps > 0 ? options_.steps
                                : int64_t(std::ceil(options_.epochs * double(batches_->batches_in_epoch())));
    if (options_.warmup_steps < 0) options_.warmup_steps = total_ / 20;
    eval_every_ = options_.eval_every > 0 ? options_.eval_every : std::max<int64_t>(total_ / 10, 1);
  }

  void resume() {
    if (!options_.resume) return;
    const std::optional<std::string> folder = newest_checkpoint(options_.out);
    if (!folder) {
      plan_.notes.push_back("no checkpoint in " + options_.out + ": beginning anew");
      return;
    }
    nn::StateDict optimizer;
    const TuneState state = read_checkpoint(*folder, optimizer);
    const std::string other = differences(options_json(options_), state.options);
    check<ValueError>(other.empty(), "tune: cannot resume: these options differ from the run's: ", other);
    trainable_->restore(*folder);
    optimizer_->load_state_dict(optimizer);
    batches_->seek(state.position);
    step_ = state.step;
  }

  void announce() {
    plan_.steps = total_;
    plan_.first_step = step_;
    plan_.model_parameters = model_parameters_;
    for (const Tensor& p : trainable_->parameters()) plan_.trainable_parameters += p.numel();
    if (events_.on_plan) events_.on_plan(plan_);
  }

  StepMetrics one_step() {
    const double begun = now();
    const TuneBatches::Step step = batches_->next();
    StepMetrics m;
    m.step = step_ + 1;
    m.tokens = step.tokens();
    m.learning_rate = scheduled_rate(options_.schedule, options_.learning_rate, step_, options_.warmup_steps, total_);
    optimizer_->zero_grad();
    const Tensor loss = batches_->loss(*trainable_, step, {.active = true, .seed = options_.seed, .step = step_});
    m.loss = loss.item();
    check<ValueError>(std::isfinite(m.loss), "tune: loss is not finite at step ", m.step, ": ", m.loss, "; ",
                      kept_note());
    backward(loss);
    m.gradient_norm = optim::clip_grad_norm(trainable_->parameters(), options_.clip > 0 ? options_.clip : INFINITY);
    check<ValueError>(std::isfinite(m.gradient_norm), "tune: gradient is not finite at step ", m.step, ": norm ",
                      m.gradient_norm, "; ", kept_note());
    optimizer_->set_lr(m.learning_rate);
    optimizer_->step();
    ++step_;
    m.tokens_per_second = double(m.tokens) / std::max(now() - begun, 1e-9);
    return m;
  }

  std::string kept_note() const {
    const std::optional<std::string> folder = newest_checkpoint(options_.out);
    return folder ? "the last good checkpoint is " + *folder
                  : "no checkpoint was written yet; try a lower learning rate";
  }

  void checkpoint() {
    save_checkpoint(options_.out, {step_, batches_->position(), options_json(options_)}, *trainable_,
                    optimizer_->state_dict(), base_);
  }

  void finish(const MetricsLog& metrics) {
    trainable_->save(options_.out, base_);
    save_safetensors(options_.out + "/optimizer.safetensors", optimizer_->state_dict());
    write_file_atomic(options_.out + "/loss.svg",
                      loss_curve_svg(metrics.steps(), "Fine-tuning " + fs::path(base_).filename().string()));
  }

  TuneOptions options_;
  const TuneEvents& events_;
  TunePlan plan_;
  int64_t model_parameters_ = 0;
  std::string base_;
  std::optional<OutputFolder> output_;
  std::unique_ptr<Trainable> trainable_;
  std::unique_ptr<TuneBatches> batches_;
  std::unique_ptr<optim::AdamW> optimizer_;
  int64_t step_ = 0, total_ = 0, eval_every_ = 1;
};

}  // namespace

TuneResult tune(const TuneOptions& options, const TuneEvents& events) { return TuneRun(options, events).train(); }

}  // namespace hearth::llm
