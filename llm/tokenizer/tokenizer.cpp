// Tokenizer: text to token ids and back.
#include "llm/tokenizer/tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "hearth/core/error.h"
#include "llm/tokenizer/tokenizer_parts.h"
#include "llm/tokenizer/utf8.h"
#include "llm/tokenizer/vocabulary.h"

namespace hearth::llm {

namespace {

constexpr size_t text_limit = (size_t{1} << 31) - 1;  // symbols and offsets of a text are 32 bits wide

bool is_token(const std::vector<std::string>& tokens, int32_t id) {
  return id >= 0 && static_cast<size_t>(id) < tokens.size();
}

}  // namespace

int32_t TokenizerParts::find(std::string_view token) const {
  if (token.empty()) return -1;
  for (const AddedToken& a : added)
    if (a.content == token) return a.id;
  for (size_t id = 0; id < tokens.size(); ++id)
    if (tokens[id] == token) return static_cast<int32_t>(id);
  return -1;
}

void TokenizerParts::add_token(AddedToken token) {
  check<ValueError>(!token.content.empty(), name, ": added token ", token.id, " is empty");
  check<ValueError>(token.id >= 0 && token.id < id_limit(tokens.size() + added.size()), name, ": added token \"",
                    token.content, "\" has id ", token.id, " in a vocabulary of ", tokens.size());
  if (raw_added_tokens) token.normalized = false;
  const size_t place = static_cast<size_t>(token.id);
  if (place >= tokens.size()) {
    tokens.resize(place + 1);
    bytes.resize(place + 1);
  }
  check<ValueError>(tokens[place].empty() || tokens[place] == token.content, name, ": id ", token.id, " is both \"",
                    tokens[place], "\" and \"", token.content, "\"");
  const auto known = std::find_if(added.begin(), added.end(), [&](const AddedToken& a) { return a.id == token.id; });
  if (tokens[place].empty() || known == added.end()) bytes[place] = token.content;
  tokens[place] = token.content;
  if (known != added.end()) {
    *known = std::move(token);
  } else {
    added.push_back(std::move(token));
  }
}

struct Tokenizer::Frozen {
  TokenizerParts parts;  // the token strings have moved into `vocabulary`
  Vocabulary vocabulary;
  std::vector<bool> special;
  AddedTokenMatcher before_normalizing, after_normalizing;
};

Tokenizer::Tokenizer(TokenizerParts parts) {
  auto frozen = std::make_shared<Frozen>();
  check<ValueError>(parts.model != nullptr && parts.bytes.size() == parts.tokens.size(), parts.name,
                    ": the tokenizer is not complete");
  for (const std::vector<int32_t>* ids : {&parts.prefix, &parts.suffix})
    for (const int32_t id : *ids)
      check<ValueError>(is_token(parts.tokens, id), parts.name, ": the post-processor uses id ", id,
                        " outside the vocabulary of ", parts.tokens.size());
  frozen->special.resize(parts.tokens.size());
  for (const AddedToken& token : parts.added) {
    if (token.special) frozen->special[static_cast<size_t>(token.id)] = true;
    if (token.normalized) {
      frozen->after_normalizing.add(token, parts.normalizer.apply(token.content));
    } else {
      frozen->before_normalizing.add(token, token.content);
    }
  }
  frozen->vocabulary = Vocabulary(std::move(parts.tokens));
  frozen->parts = std::move(parts);
  frozen_ = std::move(frozen);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const TokenizerParts& parts = frozen_->parts;
  check<ValueError>(text.size() <= text_limit, "encode: the text has ", text.size(), " bytes, more than ", text_limit);
  const size_t broken = find_invalid_utf8(text);
  check<ValueError>(broken == text.npos, "encode: the text is not valid UTF-8 at byte ", broken);
  std::vector<int32_t> ids;
  if (options.add_bos) {
    check<ValueError>(!parts.prefix.empty(), "encode: ", parts.name, " has no bos token");
    ids = parts.prefix;
  }
  encode_text(text, options.parse_special, ids);
  if (options.add_eos) {
    check<ValueError>(!parts.suffix.empty(), "encode: ", parts.name, " has no eos token");
    ids.insert(ids.end(), parts.suffix.begin(), parts.suffix.end());
  }
  return ids;
}

void Tokenizer::encode_text(std::string_view text, bool parse_special, std::vector<int32_t>& ids) const {
  const Frozen& f = *frozen_;
  for (const TextPart& outer : f.before_normalizing.split(text, parse_special)) {
    if (outer.id >= 0) {
      ids.push_back(outer.id);
      continue;
    }
    const std::string normal =
        f.parts.normalizer.apply(text.substr(outer.range.begin, outer.range.end - outer.range.begin));
    for (const TextPart& part : f.after_normalizing.split(normal, parse_special)) {
      if (part.id >= 0) {
        ids.push_back(part.id);
        continue;
      }
      const bool at_start = outer.range.begin == 0 && part.range.begin == 0;
      const CutText cut =
          f.parts.pre_tokenizer.apply(normal.substr(part.range.begin, part.range.end - part.range.begin), at_start);
      for (const ByteRange& piece : cut.pieces)
        f.parts.model->encode(std::string_view(cut.text).substr(piece.begin, piece.end - piece.begin), ids);
    }
  }
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  StreamDecoder stream(*this, skip_special);
  std::string text;
  for (const int32_t id : ids) text += stream.push(id);
  return text += stream.flush();
}

int32_t Tokenizer::vocab_size() const { return frozen_->vocabulary.size(); }
std::optional<int32_t> Tokenizer::bos_id() const { return frozen_->parts.bos; }
std::optional<int32_t> Tokenizer::eos_id() const { return frozen_->parts.eos; }
std::optional<int32_t> Tokenizer::pad_id() const { return frozen_->parts.pad; }
std::optional<int32_t> Tokenizer::unk_id() const { return frozen_->parts.unk; }
int Tokenizer::spaces_to_strip() const { return frozen_->parts.spaces_to_strip; }
bool Tokenizer::wants_bos() const { return frozen_->parts.wants_bos; }
bool Tokenizer::wants_eos() const { return frozen_->parts.wants_eos; }
const std::string& Tokenizer::chat_template() const { return frozen_->parts.chat_template; }

std::string_view Tokenizer::token_bytes(int32_t id) const {
  check<IndexError>(is_token(frozen_->parts.bytes, id), "token: id ", id, " is outside the vocabulary of ",
                    vocab_size());
  return frozen_->parts.bytes[static_cast<size_t>(id)];
}

const std::string& Tokenizer::id_to_token(int32_t id) const {
  check<IndexError>(is_token(frozen_->parts.bytes, id), "token: id ", id, " is outside the vocabulary of ",
                    vocab_size());
  return frozen_->vocabulary[id];
}

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  const int32_t id = frozen_->vocabulary.find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

bool Tokenizer::is_special(int32_t id) const {
  check<IndexError>(is_token(frozen_->parts.bytes, id), "token: id ", id, " is outside the vocabulary of ",
                    vocab_size());
  return frozen_->special[static_cast<size_t>(id)];
}

}  // namespace hearth::llm
