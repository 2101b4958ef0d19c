// Scored BPE: SentencePiece's byte pair encoding by the score of the union.
#include "llm/tokenizer/scored_bpe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hearth/core/error.h"
#include "llm/tokenizer/byte_trie.h"
#include "llm/tokenizer/merge.h"
#include "llm/tokenizer/utf8.h"
#include "llm/tokenizer/vocabulary.h"

namespace hearth::llm {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool can_be_produced(PieceType type) { return type == PieceType::normal || type == PieceType::user_defined; }

std::vector<std::string> producible_texts(const std::vector<ScoredPiece>& pieces) {
  std::vector<std::string> texts(pieces.size());
  for (size_t id = 0; id < pieces.size(); ++id)
    if (can_be_produced(pieces[id].type)) texts[id] = pieces[id].text;
  return texts;
}

// Ranks by falling score; equal scores share a rank, so that position decides between them.
std::vector<uint32_t> ranks_of(const std::vector<ScoredPiece>& pieces) {
  for (const ScoredPiece& piece : pieces)
    check<ValueError>(std::isfinite(piece.score), "tokenizer: the score of piece \"", piece.text, "\" is not finite");
  std::vector<int32_t> order(pieces.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return pieces[a].score > pieces[b].score; });
  std::vector<uint32_t> ranks(pieces.size());
  uint32_t rank = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && pieces[order[i]].score != pieces[order[i - 1]].score) ++rank;
    ranks[order[i]] = rank;
  }
  return ranks;
}

class ScoredBpe : public SubwordModel {
 public:
  ScoredBpe(const std::vector<ScoredPiece>& pieces, const ScoredModelOptions& options)
      : texts_(producible_texts(pieces)),
        ranks_(ranks_of(pieces)),
        byte_ids_(byte_piece_table(pieces)),
        options_(options) {
    for (size_t id = 0; id < pieces.size(); ++id) {
      const ScoredPiece& piece = pieces[id];
      if (piece.type == PieceType::user_defined) frozen_.insert(piece.text, static_cast<int32_t>(id));
      check<NotImplementedError>(piece.type != PieceType::unused || !options.merge,
                                 "sentencepiece: unused pieces in a BPE model are not supported");
      // A piece with a space behind another character could join two words, which then must not be cut apart.
      const size_t marker = options_.space.empty() ? piece.text.npos : piece.text.rfind(options_.space);
      if (marker != piece.text.npos && !all_spaces(piece.text.substr(0, marker))) cut_at_spaces_ = false;
      if (can_be_produced(piece.type)) longest_ = std::max(longest_, piece.text.size());
    }
    if (options_.space.empty()) cut_at_spaces_ = false;
  }

  void encode(std::string_view piece, std::vector<int32_t>& ids) const override {
    // Words are independent when no piece crosses from a character to a space; short words keep the heap in the cache.
    size_t begin = 0;
    if (cut_at_spaces_) {
      const std::string& space = options_.space;
      for (size_t at = piece.find(space, space.size()); at != piece.npos; at = piece.find(space, at + space.size())) {
        if (at - begin >= space.size() && piece.substr(at - space.size(), space.size()) == space) continue;
        encode_word(piece.substr(begin, at - begin), ids);
        begin = at;
      }
    }
    if (begin < piece.size()) encode_word(piece.substr(begin), ids);
  }

 private:
  bool all_spaces(std::string_view text) const {
    while (text.starts_with(options_.space)) text.remove_prefix(options_.space.size());
    return text.empty();
  }

  void encode_word(std::string_view word, std::vector<int32_t>& ids) const {
    thread_local MergeScratch scratch;
    scratch.start();
    for (size_t pos = 0; pos < word.size();) {
      const ByteTrie::Match match = frozen_.longest(word, pos);
      const size_t length = match.value >= 0 ? match.length : utf8_length(static_cast<unsigned char>(word[pos]));
      // A user-defined symbol never joins its neighbours; the other symbols get their id when they are written.
      scratch.push(match.value >= 0 ? match.value : -1, pos, length);
      pos += length;
    }
    if (options_.merge) {
      merge_symbols(scratch, [&](const MergeSymbol& l, const MergeSymbol& r, uint32_t& rank, int32_t& id) {
        if (l.id >= 0 || r.id >= 0 || size_t{l.length} + r.length > longest_) return false;
        const int32_t found = texts_.find(word.substr(l.begin, size_t{l.length} + r.length));
        if (found < 0) return false;
        rank = ranks_[static_cast<size_t>(found)];
        id = -1;
        return true;
      });
    }
    const size_t start = ids.size();
    for (int32_t i = 0; i >= 0; i = scratch.symbols[i].next) write(scratch.symbols[i], word, start, ids);
  }

  void write(const MergeSymbol& symbol, std::string_view word, size_t start, std::vector<int32_t>& ids) const {
    const std::string_view text = word.substr(symbol.begin, symbol.length);
    const int32_t id = symbol.id >= 0 ? symbol.id : texts_.find(text);
    if (id >= 0) {
      ids.push_back(id);
    } else if (options_.byte_fallback) {
      for (const char c : text) {
        const int32_t byte = byte_ids_[static_cast<unsigned char>(c)];
        ids.push_back(byte >= 0 ? byte : unknown(text));
      }
    } else if (ids.size() == start || ids.back() != unknown(text)) {
      ids.push_back(unknown(text));  // several unknown characters in a row are one unknown piece
    }
  }

  int32_t unknown(std::string_view text) const {
    check<ValueError>(options_.unk_id >= 0, "encode: no piece for \"", text, "\" and no unknown piece");
    return options_.unk_id;
  }

  Vocabulary texts_;
  std::vector<uint32_t> ranks_;
  std::vector<int32_t> byte_ids_;
  ScoredModelOptions options_;
  ByteTrie frozen_;
  size_t longest_ = 0;
  bool cut_at_spaces_ = true;
};

}  // namespace

int byte_piece_value(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return -1;
  const int high = hex_digit(text[3]), low = hex_digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::vector<int32_t> byte_piece_table(const std::vector<ScoredPiece>& pieces) {
  std::vector<int32_t> ids(256, -1);
  for (size_t id = 0; id < pieces.size(); ++id) {
    const int value = pieces[id].type == PieceType::byte ? byte_piece_value(pieces[id].text) : -1;
    if (value >= 0) ids[static_cast<size_t>(value)] = static_cast<int32_t>(id);
  }
  return ids;
}

std::unique_ptr<const SubwordModel> make_scored_bpe(const std::vector<ScoredPiece>& pieces,
                                                    const ScoredModelOptions& options) {
  return std::make_unique<ScoredBpe>(pieces, options);
}

}  // namespace hearth::llm
