// TuneOptions: checks, and the JSON that a checkpoint keeps.
#include "llm/tune/options.h"

#include <boost/json.hpp>

#include "hearth/core/error.h"

namespace hearth::llm {

void validate(const TuneOptions& o) {
  check<ValueError>(o.steps >= 0, "tune: steps must be 0 (by epochs) or more: ", o.steps);
  check<ValueError>(o.epochs > 0, "tune: epochs must be positive: ", o.epochs);
  check<ValueError>(o.batch_size >= 0 && o.batch_tokens >= 0 && o.batch_size + o.batch_tokens > 0,
                    "tune: batch_size or batch_tokens must be positive: ", o.batch_size, ", ", o.batch_tokens);
  check<ValueError>(o.max_length >= 0, "tune: max_length must be 0 (the model's context) or more: ", o.max_length);
  check<ValueError>(o.learning_rate >= 0, "tune: learning_rate must be 0 (default) or more: ", o.learning_rate);
  check<ValueError>(o.validation_split >= 0 && o.validation_split < 1,
                    "tune: validation_split must be in [0, 1): ", o.validation_split);
  check<ValueError>(o.weight_decay >= 0, "tune: weight_decay must be 0 or more: ", o.weight_decay);
  check<ValueError>(o.clip >= 0, "tune: clip must be 0 (off) or more: ", o.clip);
  check<ValueError>(o.dpo_beta > 0, "tune: dpo_beta must be positive: ", o.dpo_beta);
  check<ValueError>(o.save_every > 0, "tune: save_every must be positive: ", o.save_every);
  check<ValueError>(o.eval_every >= 0, "tune: eval_every must be 0 (automatic) or more: ", o.eval_every);
  check<ValueError>(o.schedule == "cosine" || o.schedule == "linear" || o.schedule == "constant",
                    "tune: schedule must be cosine, linear or constant: '", o.schedule, "'");
  check<ValueError>(o.format == "auto" || o.format == "chat" || o.format == "plain",
                    "tune: format must be auto, chat or plain: '", o.format, "'");
  check<ValueError>(o.dtype == "float32" || o.dtype == "bfloat16", "tune: dtype must be float32 or bfloat16: '",
                    o.dtype, "'");
  check<ValueError>(!o.full || o.dtype == "float32",
                    "tune: full fine-tuning keeps float32 weights; small updates would be lost in ", o.dtype);
}

std::string options_json(const TuneOptions& o) {
  boost::json::object json;
  json["model"] = o.model;
  json["data"] = o.data;
  json["validation_data"] = o.validation_data;
  json["validation_split"] = o.validation_split;
  json["full"] = o.full;
  if (!o.full) {
    json["rank"] = o.lora.rank;
    json["alpha"] = o.lora.alpha;
    json["dropout"] = o.lora.dropout;
    json["rank_stabilized"] = o.lora.rank_stabilized;
    json["target_modules"] = boost::json::value_from(o.lora.target_modules);
  }
  json["dtype"] = o.dtype;
  json["steps"] = o.steps;
  json["epochs"] = o.epochs;
  json["batch_size"] = o.batch_size;
  json["batch_tokens"] = o.batch_tokens;
  json["max_length"] = o.max_length;
  json["on_too_long"] = int(o.on_too_long);
  json["on_empty"] = int(o.on_empty);
  json["learning_rate"] = o.learning_rate;
  json["schedule"] = o.schedule;
  json["warmup_steps"] = o.warmup_steps;
  json["weight_decay"] = o.weight_decay;
  json["clip"] = o.clip;
  json["dpo_beta"] = o.dpo_beta;
  json["train_on_prompt"] = o.train_on_prompt;
  json["format"] = o.format;
  json["limit"] = o.limit;
  json["max_chars"] = o.max_chars;
  json["add_eos"] = o.add_eos;
  json["seed"] = o.seed;
  return boost::json::serialize(json);
}

}  // namespace hearth::llm
