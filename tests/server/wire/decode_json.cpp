// Tests of JSON requests: captures, every refusal, keys of broken bodies, names and paths.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "captures.h"
#include "hearth/core/error.h"
#include "server/wire/command.h"
#include "server/wire/tinker_path.h"
#include "server/wire/unknown_fields.h"
#include "tests/hearth/io/temporary_folder.h"

using namespace hearth;
using namespace hearth::server;
using namespace hearth::test;

namespace {

// A body with `change` put into it: members with the value null go, others come or take the place of old ones.
std::string changed(std::string_view base, std::string_view path, std::string_view value) {
  boost::json::value body = boost::json::parse({base.data(), base.size()});
  boost::json::object* object = &body.as_object();
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    object = &object->at({path.data(), dot}).as_object();
    path.remove_prefix(dot + 1);
  }
  if (value.empty()) {
    object->erase({path.data(), path.size()});
  } else {
    (*object)[{path.data(), path.size()}] = boost::json::parse({value.data(), value.size()});
  }
  return boost::json::serialize(body);
}

struct Case {
  const char *path, *value, *message;
};

void expect_refusals(CommandKind kind, std::string_view base, std::initializer_list<Case> cases) {
  EXPECT_EQ(error_of<ValueError>([&] { decode_training(kind, base); }), "");
  for (const Case& c : cases) {
    EXPECT_EQ(error_of<ValueError>([&] { decode_training(kind, changed(base, c.path, c.value)); }), c.message)
        << c.path << " = " << c.value;
  }
}

constexpr std::string_view create = R"({"session_id": "S1", "model_seq_id": 0, "base_model": "models/tiny",
  "user_metadata": {"k": 1.5}, "lora_config": {"rank": 8, "seed": 7, "train_unembed": true, "train_mlp": true,
  "train_attn": false}, "optimizer_config": {"type": "adamw"}, "type": "create_model"})";
constexpr std::string_view adam = R"({"adam_params": {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.95, "eps": 1e-12,
  "weight_decay": 0.5, "grad_clip_norm": 1}, "model_id": "S1:train:0", "seq_id": 2, "type": "optim_step"})";
constexpr std::string_view load =
    R"({"model_id": "S1:train:0", "seq_id": 11, "path": "tinker://S1:train:0/weights/0001",
  "optimizer": false, "type": "load_weights"})";
constexpr std::string_view load_new = R"({"session_id": "S1", "model_seq_id": 2, "optimizer": true,
  "path": "tinker://S1:train:0/weights/0001", "type": "load_weights"})";
constexpr std::string_view save = R"({"model_id": "S1:train:0", "path": "0001", "seq_id": 10, "ttl_seconds": 3600,
  "overwrite": false, "user_metadata": {"a": "b"}, "type": "save_weights"})";
constexpr std::string_view ephemeral = R"({"model_id": "S1:train:0", "sampling_session_seq_id": 3, "kind": "inflight",
  "seq_id": 13, "type": "save_weights_for_sampler"})";
constexpr std::string_view external = R"({"model_id": "S1:train:0", "path": "e", "seq_id": 15,
  "age_encryption_recipients": ["age1abc"], "type": "save_weights_external"})";

TEST(DecodeTraining, ReadsCreateModel) {
  const auto command = std::get<CreateModel>(decode_training(CommandKind::create_model, create));
  EXPECT_EQ(command.session_id, "S1");
  EXPECT_EQ(command.model_seq_id, 0);
  EXPECT_EQ(command.base_model, "models/tiny");
  EXPECT_EQ(command.rank, 8);
  EXPECT_EQ(command.seed, 7u);
  EXPECT_TRUE(command.train_mlp && command.train_unembed && !command.train_attn);
  EXPECT_EQ(command.user_metadata, R"({"k":1.5E0})");
  const auto seed = [](const char* text) {
    return *std::get<CreateModel>(decode_training(CommandKind::create_model, changed(create, "lora_config.seed", text)))
                .seed;
  };
  EXPECT_EQ(seed("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(seed("-1"), UINT64_MAX);
}

TEST(DecodeTraining, RefusesWrongCreateModel) {
  expect_refusals(
      CommandKind::create_model, create,
      {{"session_id", "", "create_model: session_id: is missing"},
       {"session_id", "7", "create_model: session_id: wants a string, is an integer"},
       {"model_seq_id", "-1", "create_model: model_seq_id: must be from 0 to 2147483647: -1"},
       {"model_seq_id", "\"0\"", "create_model: model_seq_id: wants an integer, is a string"},
       {"base_model", "\"\"", "create_model: base_model: is empty"},
       {"lora_config", "", "create_model: lora_config: is missing; only LoRA is offered"},
       {"lora_config.rank", "0", "create_model: lora_config: rank: must be from 1 to 65536: 0"},
       {"lora_config.rank", "true", "create_model: lora_config: rank: wants an integer, is a boolean"},
       {"lora_config.seed", "1.5", "create_model: lora_config: seed: wants an integer, is 1.5"},
       {"lora_config.train_mlp", "1", "create_model: lora_config: train_mlp: wants a boolean, is an integer"},
       {"lora_config.alpha", "64",
        "create_model: lora_config: alpha: is not known to this server, so it cannot be honoured"},
       {"lora_config", R"({"train_mlp":false,"train_attn":false,"train_unembed":false})",
        "create_model: lora_config: train_mlp, train_attn and train_unembed are all false: nothing to train"},
       {"optimizer_config.type", "\"dimuon\"",
        "create_model: optimizer_config: type: is not offered: \"dimuon\"; use \"adamw\""},
       {"user_metadata", "[]", "create_model: user_metadata: wants an object, is a list"},
       {"type", "\"optim_step\"", "create_model: type: wants \"create_model\", is \"optim_step\""}});
}

TEST(DecodeTraining, ReadsOptimStep) {
  const auto step = std::get<OptimStep>(decode_training(CommandKind::optim_step, adam));
  EXPECT_EQ(step.model_id, "S1:train:0");
  EXPECT_EQ(step.seq_id, 2);
  EXPECT_EQ(step.learning_rate, 0.001);
  EXPECT_EQ(step.beta1, 0.9);
  EXPECT_EQ(step.beta2, 0.95);
  EXPECT_EQ(step.eps, 1e-12);
  EXPECT_EQ(step.weight_decay, 0.5);
  EXPECT_EQ(step.grad_clip_norm, 1);
}

TEST(DecodeTraining, RefusesWrongOptimSteps) {
  expect_refusals(
      CommandKind::optim_step, adam,
      {{"adam_params", "", "optim_step: adam_params: is missing"},
       {"optimizer_params", R"({"type":"dimuon"})",
        "optim_step: optimizer_params: type: is not offered: \"dimuon\"; send adam_params"},
       {"seq_id", "0", "optim_step: seq_id: must be at least 1: 0"},
       {"adam_params.learning_rate", "-1e-3",
        "optim_step: adam_params: learning_rate: must be from 0 to 1e+30: -0.001"},
       {"adam_params.learning_rate", "\"NaN\"", "optim_step: adam_params: learning_rate: wants a number, is a string"},
       {"adam_params.eps", "null", "optim_step: adam_params: eps: wants a number, is null"},
       {"adam_params.beta1", "1", "optim_step: adam_params: beta1: must be less than 1: 1"},
       {"adam_params.beta2", "1.5", "optim_step: adam_params: beta2: must be from 0 to 1: 1.5"},
       {"adam_params.eps", "0", "optim_step: adam_params: eps: must be greater than 0: 0"},
       {"adam_params.weight_decay", "-1", "optim_step: adam_params: weight_decay: must be from 0 to 1e+30: -1"},
       {"adam_params.grad_clip_norm", "-1", "optim_step: adam_params: grad_clip_norm: must be from 0 to 1e+30: -1"},
       {"adam_params.amsgrad", "true",
        "optim_step: adam_params: amsgrad: is not known to this server, so it cannot be honoured"}});
}

TEST(DecodeTraining, RefusesNumbersThatAreNoNumbers) {
  for (const char* number : {"1e400", "NaN", "Infinity", "-Infinity", "0x1", "\"1\"", "[1]"}) {
    std::string body(adam);
    body.replace(body.find("0.001"), 5, number);
    const std::string message = error_of<ValueError>([&] { decode_training(CommandKind::optim_step, body); });
    EXPECT_TRUE(message.starts_with("optim_step:")) << number << ": " << message;
  }
}

TEST(DecodeTraining, ReadsAndRefusesLoads) {
  const auto old = std::get<LoadWeights>(decode_training(CommandKind::load_weights, load));
  EXPECT_FALSE(old.creates());
  EXPECT_EQ(old.seq_id, 11);
  const auto made = std::get<LoadWeights>(decode_training(CommandKind::load_weights, load_new));
  EXPECT_TRUE(made.creates() && made.optimizer);
  EXPECT_EQ(made.model_id, "S1:train:2");
  EXPECT_EQ(made.seq_id, 0);
  const char* grammar = "load_weights: path: wants tinker://RUN/weights/NAME (or sampler_weights, external_weights): ";
  expect_refusals(
      CommandKind::load_weights, load,
      {{"path", "\"/etc/passwd\"", (grammar + std::string("\"/etc/passwd\"")).c_str()},
       {"path", "\"tinker://a/sampler_weights/b\"",
        "load_weights: path: wants a training checkpoint (weights): \"tinker://a/sampler_weights/b\""},
       {"seq_id", "", "load_weights: seq_id: is missing"},
       {"model_seq_id", "1", "load_weights: model_seq_id: makes a new model, but model_id names an existing one"},
       {"base_model", "\"x\"", "load_weights: base_model: is not offered; the model has its base already"},
       {"weights_access_token", "\"t\"",
        "load_weights: weights_access_token: is not offered; publish the checkpoint or copy it"},
       {"optimizer", "\"yes\"", "load_weights: optimizer: wants a boolean, is a string"}});
  expect_refusals(CommandKind::load_weights, load_new,
                  {{"session_id", "", "load_weights: session_id: is missing"},
                   {"model_seq_id", "", "load_weights: model_seq_id: is missing"},
                   {"optimizer_config", R"({"type":"sgd"})",
                    "load_weights: optimizer_config: type: is not offered: \"sgd\"; use \"adamw\""}});
}

TEST(DecodeTraining, ReadsAndRefusesSaves) {
  const auto named = std::get<SaveWeights>(decode_training(CommandKind::save_weights, save));
  EXPECT_EQ(named.kind, SaveWeights::training);
  EXPECT_EQ(named.name, "0001");
  EXPECT_EQ(named.ttl_seconds, 3600);
  EXPECT_EQ(named.user_metadata, R"({"a":"b"})");
  const auto unnamed = std::get<SaveWeights>(decode_training(CommandKind::save_weights_for_sampler, ephemeral));
  EXPECT_EQ(unnamed.kind, SaveWeights::sampler);
  EXPECT_FALSE(unnamed.name.has_value());
  EXPECT_EQ(unnamed.sampling_session_seq_id, 3);
  const auto sealed = std::get<SaveWeights>(decode_training(CommandKind::save_weights_external, external));
  EXPECT_EQ(sealed.age_recipients, std::vector<std::string>{"age1abc"});
  const std::string rule =
      "save_weights: path: a name is 1 to 255 of letters, digits, '.', '_', '-', and not \".\" or \"..\": ";
  expect_refusals(CommandKind::save_weights, save,
                  {{"path", "\"..\"", (rule + "\"..\"").c_str()},
                   {"path", "\"a/b\"", (rule + "\"a/b\"").c_str()},
                   {"path", "\"a\\u0000b\"", (rule + "\"a\\x00b\"").c_str()},
                   {"path", "", "save_weights: path: is missing"},
                   {"ttl_seconds", "0", "save_weights: ttl_seconds: must be from 1 to 315619200: 0"},
                   {"user_metadata", R"({"a":1})", "save_weights: user_metadata: a: wants a string, is an integer"}});
  expect_refusals(
      CommandKind::save_weights_for_sampler, ephemeral,
      {{"sampling_session_seq_id", "", "save_weights_for_sampler: path: is missing, and so is sampling_session_seq_id"},
       {"path", "\"a\"",
        "save_weights_for_sampler: sampling_session_seq_id: is not offered; path gives the weights a name, "
        "so there is no ephemeral sampler"},
       {"kind", "\"new\"", "save_weights_for_sampler: kind: wants \"snapshot\" or \"inflight\": \"new\""}});
  expect_refusals(CommandKind::save_weights_external, external,
                  {{"age_encryption_recipients", "[\"ssh-rsa\"]",
                    "save_weights_external: age_encryption_recipients: wants X25519 keys (age1...): \"ssh-rsa\""},
                   {"age_encryption_recipients", "[1]",
                    "save_weights_external: age_encryption_recipients: wants strings, holds an integer"}});
}

TEST(DecodeTraining, KeepsMetadataSmall) {
  WireLimits limits;
  limits.metadata_bytes = 8;
  EXPECT_EQ(error_of<ValueError>([&] { decode_training(CommandKind::create_model, create, nullptr, limits); }),
            "create_model: user_metadata: is larger than 8 bytes: 11");
}

TEST(DecodeTraining, NotesUnknownFieldsOnce) {
  UnknownFields unknown;
  const std::string body = changed(changed(adam, "priority", "3"), "adam_params.nesterov", "false");
  decode_training(CommandKind::optim_step, body, &unknown);
  EXPECT_EQ(unknown.names(), (std::set<std::string>{"optim_step.adam_params.nesterov", "optim_step.priority"}));
  EXPECT_FALSE(unknown.note("optim_step", "priority"));
  for (int i = 0; i < 1000; ++i) unknown.note("x", std::to_string(i));
  EXPECT_EQ(unknown.names().size(), 256u);
}

// Every JSON request that the real client sent, with nothing left unread.
TEST(DecodeTraining, ReadsEveryCapture) {
  if (!has_captures()) GTEST_SKIP() << "shared data is absent: " << captures_folder();
  UnknownFields unknown;
  std::map<std::string, int> read;
  for (const char* file : {"full-run.jsonl", "flags-run.jsonl", "missing-sequence-ids-run.jsonl"}) {
    std::ifstream lines(captures_folder() + file);
    for (std::string line; std::getline(lines, line);) {
      const boost::json::value record = boost::json::parse(line);
      const std::string_view head = record.at("line").as_string();
      const std::string name(head.substr(13, head.find(' ', 13) - 13));
      const boost::json::value* fields = record.as_object().if_contains("body");
      if (fields == nullptr || !fields->is_object()) continue;
      const std::string body = boost::json::serialize(*fields);
      if (name == "asample") {
        decode_sample(body, &unknown);
      } else if (fields->as_object().contains("optimizer_params")) {
        EXPECT_NE(error_of<ValueError>([&] { decode_training(CommandKind::optim_step, body); }), "");
      } else if (name == "create_model" || name == "optim_step" || name.starts_with("save_") ||
                 name == "load_weights") {
        decode_training(command_kind(name), body, &unknown);
        EXPECT_TRUE(read_key(command_kind(name), body).has_value()) << body;
      } else {
        continue;
      }
      ++read[name];
    }
  }
  EXPECT_TRUE(unknown.names().empty()) << *unknown.names().begin();
  EXPECT_EQ(read.size(), 7u);
  EXPECT_GE(read["asample"], 10);
}

TEST(ReadKey, ReadsTheKeyOfBrokenBodies) {
  const auto key = [](CommandKind kind, std::string_view body) { return read_key(kind, body); };
  EXPECT_EQ(key(CommandKind::create_model, create), (OperationKey{"S1:train:0", 0, "S1"}));
  EXPECT_EQ(key(CommandKind::load_weights, load_new), (OperationKey{"S1:train:2", 0, "S1"}));
  EXPECT_EQ(key(CommandKind::load_weights, load), (OperationKey{"S1:train:0", 11, {}}));
  EXPECT_EQ(key(CommandKind::unload_model, R"({"model_id":"m"})"), (OperationKey{"m", -1, {}}));
  EXPECT_EQ(key(CommandKind::optim_step, R"({"model_id":"m","seq_id":4,"adam_params":{"beta1)"),
            (OperationKey{"m", 4, {}}));
  EXPECT_EQ(
      key(CommandKind::optim_step, R"({"seq_id":4,"adam_params":{"model_id":"x","seq_id":9},"model_id":"m"} ...)"),
      (OperationKey{"m", 4, {}}));
  EXPECT_EQ(key(CommandKind::optim_step, R"({"model_id":"m","seq_id":4.0,"x)"), (OperationKey{"m", 4, {}}));
  EXPECT_EQ(key(CommandKind::optim_step, R"({"model_id":"m","seq_id":4.5})"), std::nullopt);
  EXPECT_EQ(key(CommandKind::optim_step, R"({"model_id":"m","seq_id":"4"})"), std::nullopt);
  EXPECT_EQ(key(CommandKind::optim_step, "[]"), std::nullopt);
  EXPECT_EQ(key(CommandKind::optim_step, std::string(100000, '[')), std::nullopt);
}

TEST(CommandKind, HasANameAndBack) {
  for (const char* name : {"create_model", "load_weights", "forward_backward", "optim_step", "save_weights",
                           "save_weights_for_sampler", "save_weights_external", "unload_model"}) {
    EXPECT_EQ(command_name(command_kind(name)), name);
  }
  EXPECT_EQ(error_of<ValueError>([] { command_kind("forward"); }), "command: no such request: forward");
}

TEST(TinkerPath, HasThreePartsAndASafeName) {
  const TinkerPath path = parse_tinker_path("tinker://S:train:0/sampler_weights/a.b-c_9", "x");
  EXPECT_EQ(path, (TinkerPath{"S:train:0", "sampler_weights", "a.b-c_9"}));
  EXPECT_EQ(path.text(), "tinker://S:train:0/sampler_weights/a.b-c_9");
  for (const char* wrong : {"", "tinker://", "tinker://a", "tinker://a/weights", "tinker://a/weights/",
                            "tinker:///weights/a", "tinker://a/b/c", "tinker://a/weights/../x", "tinker://a/weights/..",
                            "http://a/weights/b", "tinker://a/weights/b/c", "tinker://a/weights/b%2f"}) {
    EXPECT_NE(error_of<ValueError>([&] { parse_tinker_path(wrong, "x"); }), "") << wrong;
  }
}

}  // namespace
