// llama2.c tokenizer: int32 longest piece, then per token float score, int32 length, bytes; scored BPE with byte
// fallback.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "hearth/core/error.h"
#include "llm/tokenizer/scored_bpe.h"
#include "llm/tokenizer/tokenizer_parts.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

constexpr int32_t bos_token = 1, eos_token = 2;
constexpr int32_t longest_piece_limit = 1 << 16;

class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& name) : rest_(bytes), name_(name) {}
  bool at_end() const { return rest_.empty(); }
  std::string_view take(size_t count) {
    check<ValueError>(count <= rest_.size(), name_, ": truncated: ", count, " bytes wanted, ", rest_.size(),
                      " are left");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  template <class T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::string_view rest_;
  const std::string& name_;
};

PieceType type_of(size_t id, const std::string& text) {
  if (id == 0) return PieceType::unknown;
  if (id == bos_token || id == eos_token) return PieceType::control;
  return byte_piece_value(text) >= 0 ? PieceType::byte : PieceType::normal;
}

std::vector<ScoredPiece> read_pieces(std::string_view bytes, const std::string& name) {
  Cursor cursor(bytes, name);
  const int32_t longest = cursor.read<int32_t>();
  check<ValueError>(longest > 0 && longest <= longest_piece_limit, name, ": longest piece of ", longest, " bytes");
  std::vector<ScoredPiece> pieces;
  while (!cursor.at_end()) {
    ScoredPiece piece;
    piece.score = cursor.read<float>();
    const int32_t length = cursor.read<int32_t>();
    check<ValueError>(length >= 0 && length <= longest_piece_limit, name, ": piece ", pieces.size(), " has ", length,
                      " bytes");
    piece.text = cursor.take(static_cast<size_t>(length));
    check<ValueError>(std::isfinite(piece.score), name, ": the score of piece ", pieces.size(), " is not finite");
    check<ValueError>(find_invalid_utf8(piece.text) == std::string::npos, name, ": piece ", pieces.size(),
                      " is not valid UTF-8");
    piece.type = type_of(pieces.size(), piece.text);
    // The file wraps the control tokens in newlines: "\n<s>\n".
    if (piece.type == PieceType::control) std::erase(piece.text, '\n');
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace

TokenizerParts read_llama2c_tokenizer(std::string_view bytes, const std::string& name, int32_t vocab_size) {
  const std::vector<ScoredPiece> pieces = read_pieces(bytes, name);
  check<ValueError>(pieces.size() > eos_token, name, ": ", pieces.size(), " pieces, no bos and eos among them");
  check<ValueError>(vocab_size <= 0 || static_cast<size_t>(vocab_size) == pieces.size(), name, ": ", pieces.size(),
                    " pieces, but the model has ", vocab_size);
  TokenizerParts parts;
  parts.name = name;
  parts.raw_added_tokens = true;
  for (const ScoredPiece& piece : pieces) {
    parts.tokens.push_back(piece.text);
    const int byte = piece.type == PieceType::byte ? byte_piece_value(piece.text) : -1;
    parts.bytes.push_back(byte >= 0 ? std::string(1, static_cast<char>(byte)) : piece.text);
  }
  for (const int32_t id : {bos_token, eos_token}) {
    const std::string& text = pieces[static_cast<size_t>(id)].text;
    check<ValueError>(!text.empty(), name, ": control token ", id, " is empty");
    parts.added.push_back({id, text, true});
  }
  parts.unk = 0;
  parts.bos = bos_token;
  parts.eos = eos_token;
  parts.wants_bos = true;
  parts.normalizer.add(SentencePieceRules{PrecompiledCharsmap(), true, false, {}, " "});
  parts.spaces_to_strip = 1;
  parts.model = make_scored_bpe(pieces, {0, true, true, " "});
  return parts;
}

}  // namespace hearth::llm
