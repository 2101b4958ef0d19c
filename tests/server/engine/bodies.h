// Bodies of requests as clients send them, for tests of the engine.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace hearth::server::test {

/// A writer of protobuf's wire format, enough for forward_backward.
class ProtoWriter {
 public:
  ProtoWriter& varint(int field, uint64_t value) {
    number(uint64_t(field) << 3);
    number(value);
    return *this;
  }
  ProtoWriter& bytes(int field, const std::string& value) {
    number(uint64_t(field) << 3 | 2);
    number(value.size());
    out_ += value;
    return *this;
  }
  ProtoWriter& fixed(int field, double value) {
    number(uint64_t(field) << 3 | 1);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  const std::string& text() const { return out_; }

 private:
  void number(uint64_t value) {
    for (; value >= 128; value >>= 7) out_ += char(value | 128);
    out_ += char(value);
  }
  std::string out_;
};

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// One sequence with everything that any loss wants.
struct TestDatum {
  std::vector<int32_t> tokens;
  std::vector<int64_t> targets;
  std::map<std::string, std::vector<float>> inputs;
};

inline TestDatum test_datum(std::mt19937_64& engine, int64_t tokens, bool reinforce = false) {
  const auto unit = [&] { return float(engine() >> 40) / 16777216.0f; };
  TestDatum d;
  for (int64_t t = 0; t < tokens; ++t) {
    d.tokens.push_back(int32_t(engine() % 101));
    d.targets.push_back(int64_t(engine() % 101));
    if (reinforce) {
      d.inputs["logprobs"].push_back(-4 - unit());
      d.inputs["advantages"].push_back(2 * unit() - 1);
    } else {
      d.inputs["weights"].push_back(2 * unit() - 0.5f);
    }
  }
  return d;
}

inline std::vector<TestDatum> test_data(uint64_t seed, const std::vector<int64_t>& lengths) {
  std::mt19937_64 engine(seed);
  std::vector<TestDatum> data;
  for (const int64_t length : lengths) data.push_back(test_datum(engine, length));
  return data;
}

inline std::string forward_backward_body(const std::string& model_id, int64_t seq_id,
                                         const std::vector<TestDatum>& data, const std::string& loss = "cross_entropy",
                                         bool forward_only = false, const std::map<std::string, double>& config = {}) {
  ProtoWriter request;
  request.bytes(1, model_id).varint(2, uint64_t(seq_id));
  for (const auto& d : data) {
    ProtoWriter datum;
    datum.bytes(1, ProtoWriter().bytes(1, ProtoWriter().bytes(1, raw(d.tokens)).text()).text());
    const auto tensor = [&](const std::string& name, const std::string& content, int type, size_t length) {
      const auto shape = ProtoWriter().varint(4, length).text();
      datum.bytes(2, ProtoWriter()
                         .bytes(1, name)
                         .bytes(2, ProtoWriter().bytes(1, content).varint(3, uint64_t(type)).text() + shape)
                         .text());
    };
    tensor("target_tokens", raw(d.targets), 2, d.targets.size());
    for (const auto& [name, values] : d.inputs) tensor(name, raw(values), 1, values.size());
    request.bytes(3, datum.text());
  }
  request.bytes(4, loss);
  for (const auto& [name, value] : config) request.bytes(5, ProtoWriter().bytes(1, name).fixed(2, value).text());
  if (forward_only) request.varint(6, 1);
  return request.text();
}

inline std::string create_body(const std::string& session_id, int64_t model_seq_id, uint64_t seed,
                               const std::string& base = "tiny", int64_t rank = 4) {
  return R"({"session_id":")" + session_id + R"(","model_seq_id":)" + std::to_string(model_seq_id) +
         R"(,"base_model":")" + base + R"(","lora_config":{"rank":)" + std::to_string(rank) + R"(,"seed":)" +
         std::to_string(seed) + R"(,"train_unembed":true,"train_mlp":true,"train_attn":true},"type":"create_model"})";
}

inline std::string optim_body(const std::string& model_id, int64_t seq_id, double rate = 0.01) {
  return R"({"adam_params":{"learning_rate":)" + std::to_string(rate) +
         R"(,"beta1":0.9,"beta2":0.95,"eps":1e-12,"weight_decay":0.0,"grad_clip_norm":0.0},"model_id":")" + model_id +
         R"(","seq_id":)" + std::to_string(seq_id) + R"(,"type":"optim_step"})";
}

inline std::string save_body(const std::string& model_id, int64_t seq_id, const std::string& name,
                             const std::string& more = "", const std::string& type = "save_weights") {
  return R"({"model_id":")" + model_id + R"(","path":")" + name + R"(","seq_id":)" + std::to_string(seq_id) + more +
         R"(,"type":")" + type + R"("})";
}

inline std::string ephemeral_body(const std::string& model_id, int64_t seq_id, int64_t sampling_session_seq_id) {
  return R"({"model_id":")" + model_id + R"(","sampling_session_seq_id":)" + std::to_string(sampling_session_seq_id) +
         R"(,"seq_id":)" + std::to_string(seq_id) + R"(,"type":"save_weights_for_sampler"})";
}

inline std::string load_body(const std::string& model_id, int64_t seq_id, const std::string& path, bool optimizer) {
  return R"({"model_id":")" + model_id + R"(","seq_id":)" + std::to_string(seq_id) + R"(,"path":")" + path +
         R"(","optimizer":)" + (optimizer ? "true" : "false") + R"(,"type":"load_weights"})";
}

inline std::string load_new_body(const std::string& session_id, int64_t model_seq_id, const std::string& path,
                                 bool optimizer) {
  return R"({"session_id":")" + session_id + R"(","model_seq_id":)" + std::to_string(model_seq_id) + R"(,"path":")" +
         path + R"(","optimizer":)" + (optimizer ? "true" : "false") + R"(,"type":"load_weights"})";
}

inline std::string sample_body(const std::string& sampler_id, int64_t seq_id, const std::vector<int32_t>& prompt,
                               int64_t max_tokens, const std::string& more = "", int64_t count = 1,
                               const std::string& params = "") {
  std::string tokens;
  for (const int32_t token : prompt) tokens += (tokens.empty() ? "" : ",") + std::to_string(token);
  return R"({"num_samples":)" + std::to_string(count) + R"(,"prompt":{"chunks":[{"tokens":[)" + tokens +
         R"(],"type":"encoded_text"}]},"sampling_params":{"max_tokens":)" + std::to_string(max_tokens) +
         R"(,"temperature":1.0,"top_k":-1,"top_p":1.0)" + params + R"(},"sampling_session_id":")" + sampler_id +
         R"(","seq_id":)" + std::to_string(seq_id) + more + R"(,"type":"sample"})";
}

}  // namespace hearth::server::test
