// Pretraining: a small model from scratch, with a tokenizer learnt from the same text.
#include "llm/tune/pretrain.h"

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "hearth/autograd/engine.h"
#include "hearth/core/error.h"
#include "hearth/data/examples.h"
#include "hearth/data/text_dataset.h"
#include "hearth/io/file.h"
#include "hearth/ops/create.h"
#include "hearth/optim/adamw.h"
#include "hearth/optim/clip.h"
#include "llm/loss/token_log_probs.h"
#include "llm/models/config.h"
#include "llm/tokenizer/bpe_trainer.h"
#include "llm/tune/checkpoint.h"
#include "llm/tune/output_folder.h"
#include "llm/tune/schedule.h"
#include "llm/weights/save.h"

namespace hearth::llm {

namespace fs = std::filesystem;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void validate(const PretrainOptions& o) {
  check<ValueError>(o.vocab_size >= 260,
                    "pretrain: vocab_size must be at least 260 (the bytes and a few more): ", o.vocab_size);
  check<ValueError>(o.hidden_size > 0 && o.layers > 0 && o.heads > 0 && o.kv_heads > 0,
                    "pretrain: sizes must be positive");
  check<ValueError>(o.hidden_size % o.heads == 0 && o.hidden_size / o.heads % 2 == 0,
                    "pretrain: hidden_size must be an even multiple of heads: ", o.hidden_size, ", ", o.heads);
  check<ValueError>(o.heads % o.kv_heads == 0, "pretrain: heads must be a multiple of kv_heads: ", o.heads, ", ",
                    o.kv_heads);
  check<ValueError>(
      o.context >= 8 && o.batch_size > 0 && o.steps >= 0 && o.epochs > 0 && o.save_every > 0 && o.eval_every >= 0,
      "pretrain: context must be at least 8; batch_size, epochs and save_every positive");
  check<ValueError>(o.learning_rate > 0 && o.weight_decay >= 0 && o.clip >= 0,
                    "pretrain: learning_rate must be positive");
  check<ValueError>(o.validation_split >= 0 && o.validation_split < 1,
                    "pretrain: validation_split must be in [0, 1): ", o.validation_split);
}

DecoderConfig make_config(const PretrainOptions& o, const Tokenizer& tokenizer) {
  DecoderConfig c;
  c.model_type = "llama";
  c.vocab_size = tokenizer.vocab_size();
  c.hidden_size = o.hidden_size;
  c.intermediate_size = o.intermediate_size > 0 ? o.intermediate_size : (o.hidden_size * 8 / 3 + 31) / 32 * 32;
  c.num_hidden_layers = o.layers;
  c.num_attention_heads = o.heads;
  c.num_key_value_heads = o.kv_heads;
  c.head_dim = o.hidden_size / o.heads;
  c.max_position_embeddings = o.context;
  c.rms_norm_eps = 1e-5;
  c.tie_word_embeddings = true;
  c.bos_token_id = *tokenizer.eos_id();
  c.eos_token_ids = {*tokenizer.eos_id()};
  return c;
}

std::string run_json(const PretrainOptions& o) {
  return boost::json::serialize(boost::json::object{{"data", o.data},
                                                    {"vocab_size", o.vocab_size},
                                                    {"hidden_size", o.hidden_size},
                                                    {"layers", o.layers},
                                                    {"heads", o.heads},
                                                    {"kv_heads", o.kv_heads},
                                                    {"intermediate_size", o.intermediate_size},
                                                    {"context", o.context},
                                                    {"batch_size", o.batch_size},
                                                    {"steps", o.steps},
                                                    {"epochs", o.epochs},
                                                    {"learning_rate", o.learning_rate},
                                                    {"weight_decay", o.weight_decay},
                                                    {"clip", o.clip},
                                                    {"validation_split", o.validation_split},
                                                    {"seed", o.seed}});
}

class PretrainRun {
 public:
  PretrainRun(const PretrainOptions& options, const TuneEvents& events) : options_(options), events_(events) {
    validate(options_);
    output_.emplace("pretrain", options_.out, options_.resume);
    find_checkpoint();
    load_data();
    make_model();
    resume();
  }

  TuneResult train() {
    announce();
    MetricsLog metrics(options_.out + "/metrics.jsonl", step_);
    const double begun = now();
    TuneResult result;
    while (step_ < total_ && !result.interrupted) {
      StepMetrics m = one_step();
      m.seconds = now() - begun;
      if ((step_ % eval_every_ == 0 || step_ == total_) && validation_) m.validation_loss = validation_loss();
      output_->keep();
      metrics.add(m);
      result.loss = m.loss;
      if (m.validation_loss) result.validation_loss = *m.validation_loss;
      if (events_.on_step) events_.on_step(m);
      result.interrupted = step_ < total_ && events_.should_stop && events_.should_stop();
      if (step_ % options_.save_every == 0 || step_ == total_ || result.interrupted)
        save_checkpoint(options_.out, {step_, train_->position(), run_json(options_)}, *trainable_,
                        optimizer_->state_dict(), options_.out);
    }
    save_model(trainable_->model(), options_.out, dtype_from_name(options_.dtype), "");
    write_file_atomic(options_.out + "/loss.svg", loss_curve_svg(metrics.steps(), "Pretraining"));
    result.steps = step_;
    return result;
  }

 private:
  void load_data() {
    const ExampleFile file = read_examples(options_.data);
    check<ValueError>(file.kind == ExampleKind::text,
                      "pretrain: DATA must be plain text or {\"text\"} lines: ", options_.data, " has ",
                      example_kind_name(file.kind), " rows");
    std::vector<std::string_view> texts;
    for (const Example& row : file.examples) texts.push_back(row.text);
    // A run that goes on keeps the tokenizer that it began with.
    if (!checkpoint_) write_tokenizer(train_bpe(texts, {.vocab_size = options_.vocab_size}), options_.out);
    tokenizer_.emplace(load_tokenizer(options_.out));
    const auto parts =
        split_indices(int64_t(texts.size()), texts.size() >= 20 ? options_.validation_split : 0, options_.seed);
    const TextDatasetOptions shape = {
        .context = options_.context, .batch_size = options_.batch_size, .seed = options_.seed, .shift = true};
    train_.emplace(tokens_of(texts, parts.first), shape);
    if (!parts.second.empty())
      validation_.emplace(
          tokens_of(texts, parts.second),
          TextDatasetOptions{.context = options_.context, .batch_size = options_.batch_size, .shuffle = false});
    plan_.kind = "text";
    plan_.examples = int64_t(parts.first.size());
    plan_.validation_examples = int64_t(parts.second.size());
    plan_.notes.push_back(std::to_string(train_->targets()) + " training tokens, vocabulary of " +
                          std::to_string(tokenizer_->vocab_size()));
  }

  /// Documents end to end, each behind an end-of-text token, which so also begins a text.
  std::vector<int32_t> tokens_of(const std::vector<std::string_view>& texts, const std::vector<int64_t>& which) const {
    std::vector<int32_t> tokens;
    for (int64_t i : which) {
      tokens.push_back(*tokenizer_->eos_id());
      const std::vector<int32_t> ids = tokenizer_->encode(texts[size_t(i)]);
      tokens.insert(tokens.end(), ids.begin(), ids.end());
    }
    tokens.push_back(*tokenizer_->eos_id());
    return tokens;
  }

  void make_model() {
    auto model = std::make_unique<CausalLm>(make_config(options_, *tokenizer_));
    model->initialize(options_.seed);
    plan_.model_parameters = plan_.trainable_parameters = parameter_count(model->config());
    TuneOptions full;
    full.full = true;
    trainable_ = std::make_unique<Trainable>(std::move(model), full);
    // Decay belongs to matrices; norms are left alone.
    TensorList matrices, vectors;
    for (const Tensor& p : trainable_->parameters()) (p.dim() > 1 ? matrices : vectors).push_back(p);
    optimizer_ = std::make_unique<optim::AdamW>(
        std::vector<optim::ParamGroup>{{matrices, options_.learning_rate, options_.weight_decay},
                                       {vectors, options_.learning_rate, 0}},
        optim::AdamWOptions{.lr = options_.learning_rate, .beta2 = 0.95});
    total_ =
        options_.steps > 0 ? options_.steps : int64_t(std::ceil(options_.epochs * double(train_->batches_in_epoch(0))));
    eval_every_ = options_.eval_every > 0 ? options_.eval_every : std::max<int64_t>(total_ / 10, 1);
  }

  /// Looks before anything is written: a run with other options must leave the folder as it is.
  void find_checkpoint() {
    if (options_.resume) checkpoint_ = newest_checkpoint(options_.out);
    if (!checkpoint_) return;
    state_ = read_checkpoint(*checkpoint_, optimizer_state_);
    check<ValueError>(boost::json::parse(state_.options) == boost::json::parse(run_json(options_)),
                      "pretrain: cannot resume: the options differ from the run's, which were ", state_.options);
  }

  void resume() {
    if (!checkpoint_) return;
    train_->seek(state_.position);
    trainable_->restore(*checkpoint_);
    optimizer_->load_state_dict(optimizer_state_);
    optimizer_state_.clear();
    step_ = state_.step;
  }

  void announce() {
    plan_.steps = total_;
    plan_.first_step = step_;
    if (events_.on_plan) events_.on_plan(plan_);
  }

  StepMetrics one_step() {
    const double begun = now();
    const PackedBatch batch = train_->next();
    StepMetrics m;
    m.step = step_ + 1;
    m.tokens = batch.size();
    m.learning_rate =
        scheduled_rate("cosine", options_.learning_rate, step_, std::max<int64_t>(total_ / 50, 1), total_);
    optimizer_->zero_grad();
    const Tensor loss = batch_cross_entropy(trainable_->model(), batch);
    m.loss = loss.item();
    check<ValueError>(std::isfinite(m.loss), "pretrain: loss is not finite at step ", m.step, ": ", m.loss,
                      "; try a lower --lr");
    backward(loss);
    m.gradient_norm = optim::clip_grad_norm(trainable_->parameters(), options_.clip > 0 ? options_.clip : INFINITY);
    optimizer_->set_lr(m.learning_rate);
    optimizer_->step();
    ++step_;
    m.tokens_per_second = double(m.tokens) / std::max(now() - begun, 1e-9);
    return m;
  }

  double validation_loss() {
    NoGrad guard;
    double total = 0, tokens = 0;
    validation_->seek({.fingerprint = validation_->position().fingerprint});
    for (int64_t i = validation_->batches_in_epoch(0); i > 0; --i) {
      for (float lp : to_vector<float>(token_log_probs(trainable_->model(), validation_->next())))
        total -= double(lp), ++tokens;
    }
    return total / tokens;
  }

  PretrainOptions options_;
  const TuneEvents& events_;
  TunePlan plan_;
  std::optional<OutputFolder> output_;
  std::optional<std::string> checkpoint_;
  TuneState state_;
  nn::StateDict optimizer_state_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<TextDataset> train_, validation_;
  std::unique_ptr<Trainable> trainable_;
  std::unique_ptr<optim::AdamW> optimizer_;
  int64_t step_ = 0, total_ = 0, eval_every_ = 1;
};

}  // namespace

TuneResult pretrain(const PretrainOptions& options, const TuneEvents& events) {
  return PretrainRun(options, events).train();
}

}  // namespace hearth::llm
