// Unigram: the best segmentation by Viterbi's algorithm, left to right.
#include "llm/tokenizer/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hearth/core/error.h"
#include "llm/tokenizer/byte_trie.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

constexpr float unknown_penalty = 10.0f;

// The best way to reach a byte position: the piece that ends there and where it begins.
struct Arrival {
  float score = 0;
  int32_t id = -1;
  size_t begin = std::string_view::npos;  // npos: not reached
};

class Unigram : public SubwordModel {
 public:
  Unigram(const std::vector<ScoredPiece>& pieces, const ScoredModelOptions& options)
      : scores_(pieces.size()), byte_ids_(byte_piece_table(pieces)), options_(options) {
    float lowest = std::numeric_limits<float>::max(), highest = std::numeric_limits<float>::lowest();
    for (const ScoredPiece& piece : pieces) {
      check<ValueError>(std::isfinite(piece.score), "tokenizer: the score of piece \"", piece.text, "\" is not finite");
      if (piece.type != PieceType::normal) continue;
      lowest = std::min(lowest, piece.score);
      highest = std::max(highest, piece.score);
    }
    if (lowest > highest) lowest = highest = 0;
    unknown_score_ = lowest - unknown_penalty;
    for (size_t id = 0; id < pieces.size(); ++id) {
      const ScoredPiece& piece = pieces[id];
      const bool user = piece.type == PieceType::user_defined;
      if ((piece.type != PieceType::normal && !user) || piece.text.empty()) continue;
      // A user-defined piece must win against any segmentation of its text.
      scores_[id] = user ? static_cast<float>(piece.text.size()) * highest - 0.1f : piece.score;
      trie_.insert(piece.text, static_cast<int32_t>(id));
    }
  }

  void encode(std::string_view piece, std::vector<int32_t>& ids) const override {
    std::vector<Arrival> arrivals(piece.size() + 1);
    arrivals[0].begin = 0;
    for (size_t pos = 0; pos < piece.size();) {
      const size_t character = utf8_length(static_cast<unsigned char>(piece[pos]));
      step_from(piece, pos, character, arrivals);
      pos += character;
    }
    write_path(piece, arrivals, ids);
  }

 private:
  void step_from(std::string_view piece, size_t pos, size_t character, std::vector<Arrival>& arrivals) const {
    const float here = arrivals[pos].score;
    bool has_character = false;
    const auto arrive = [&](size_t end, float score, int32_t id) {
      Arrival& a = arrivals[end];
      if (a.begin == std::string_view::npos || score > a.score) a = {score, id, pos};
    };
    trie_.each_prefix(piece, pos, [&](int32_t id, size_t length) {
      arrive(pos + length, here + scores_[static_cast<size_t>(id)], id);
      has_character |= length == character;
    });
    if (!has_character) arrive(pos + character, here + unknown_score_, -1);
  }

  void write_path(std::string_view piece, const std::vector<Arrival>& arrivals, std::vector<int32_t>& ids) const {
    std::vector<size_t> ends;
    for (size_t end = piece.size(); end > 0; end = arrivals[end].begin) ends.push_back(end);
    bool after_unknown = false;
    for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
      const Arrival& arrival = arrivals[*end];
      const bool is_unknown = arrival.id < 0;
      if (!is_unknown) {
        ids.push_back(arrival.id);
      } else if (options_.byte_fallback) {
        for (size_t i = arrival.begin; i < *end; ++i) write_byte(static_cast<unsigned char>(piece[i]), ids);
      } else if (!after_unknown) {
        write_unknown(ids);
      }
      after_unknown = is_unknown;
    }
  }

  void write_byte(unsigned char byte, std::vector<int32_t>& ids) const {
    if (byte_ids_[byte] >= 0) {
      ids.push_back(byte_ids_[byte]);
    } else {
      write_unknown(ids);
    }
  }

  void write_unknown(std::vector<int32_t>& ids) const {
    check<ValueError>(options_.unk_id >= 0, "encode: a character has no piece and there is no unknown piece");
    ids.push_back(options_.unk_id);
  }

  std::vector<float> scores_;
  std::vector<int32_t> byte_ids_;
  ScoredModelOptions options_;
  ByteTrie trie_;
  float unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<const SubwordModel> make_unigram(const std::vector<ScoredPiece>& pieces,
                                                 const ScoredModelOptions& options) {
  return std::make_unique<Unigram>(pieces, options);
}

}  // namespace hearth::llm
