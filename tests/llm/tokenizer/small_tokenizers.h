// Small tokenizers: files of a few hundred bytes, built in memory, for tests and fuzzing.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "llm/tokenizer/bpe_trainer.h"

namespace hearth::llm {

/// A tokenizer.json trained on one sentence.
inline std::string small_tokenizer_json() {
  const std::string_view text = "the cat and the hat sat there and then the rat sat; \u00e9t\u00e9 \u00e9t\u00e9";
  return train_bpe({&text, 1}, {.vocab_size = 280, .special_tokens = {"<|endoftext|>", "<|user|>"}}).tokenizer_json;
}

/// The same with one part replaced, e.g. ("normalizer", R"({"type": "NFC"})").
inline std::string small_tokenizer_json_with(std::string_view part, std::string_view json) {
  boost::json::value root = boost::json::parse(small_tokenizer_json());
  root.as_object()[part] = boost::json::parse(json);
  return boost::json::serialize(root);
}

/// Protobuf wire format, as far as a SentencePiece file needs it.
inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string number_field(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}
inline std::string bytes_field(int field, std::string_view value) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(value.size()) + std::string(value);
}
inline std::string raw_bytes(const auto& value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}
inline std::string piece(std::string_view text, float score, int type) {
  return bytes_field(1,
                     bytes_field(1, text) + "\x15" + raw_bytes(score) + number_field(3, static_cast<uint64_t>(type)));
}

/// A SentencePiece file of type 1 (unigram) or 2 (BPE) with byte fallback, one user-defined piece and `normalizer`
/// fields.
inline std::string small_sentencepiece(int model_type, const std::string& normalizer = "") {
  std::string out = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("<sep>", 0, 4);
  const char digits[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) out += piece(std::string("<0x") + digits[b / 16] + digits[b % 16] + ">", 0, 6);
  float score = -1;
  for (const char* text : {"\u2581a", "ab", "\u2581ab", "\u2581", "a", "b", "c", "\u00e9", "\u2581\u2581"})
    out += piece(text, score--, 1);
  out += bytes_field(2, number_field(3, static_cast<uint64_t>(model_type)) + number_field(35, 1));
  return out + bytes_field(3, normalizer);
}

/// A llama2.c tokenizer file.
inline std::string small_llama2c() {
  std::string out = raw_bytes(int32_t{8});
  const auto add = [&](std::string_view text, float score) {
    out += raw_bytes(score) + raw_bytes(static_cast<int32_t>(text.size())) + std::string(text);
  };
  add("<unk>", 0);
  add("\n<s>\n", 0);
  add("\n</s>\n", 0);
  const char digits[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) add(std::string("<0x") + digits[b / 16] + digits[b % 16] + ">", 0);
  float score = -1;
  for (const char* text : {" a", "ab", " ab", " ", "a", "b", "\u00e9"}) add(text, score--);
  return out;
}

}  // namespace hearth::llm
