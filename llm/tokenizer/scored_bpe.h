// Scored BPE: SentencePiece's byte pair encoding, where the neighbours whose union has the highest score join first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "llm/tokenizer/subword_model.h"

namespace hearth::llm {

enum class PieceType { normal, unknown, control, user_defined, unused, byte };

struct ScoredPiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::normal;
};

struct ScoredModelOptions {
  int32_t unk_id = -1;
  bool byte_fallback = false;  // an unknown character becomes the byte pieces <0x00>..<0xFF>
  bool merge = true;           // false: SentencePiece's character model
  std::string space;           // what a space is in the pieces: U+2581 or " "
};

/// Builds the BPE or character model. Byte pieces are those of type byte, text <0xHH>.
std::unique_ptr<const SubwordModel> make_scored_bpe(const std::vector<ScoredPiece>& pieces,
                                                    const ScoredModelOptions& options);

/// Value of a piece text <0xHH>, or -1.
int byte_piece_value(std::string_view text);

/// Ids of the byte pieces by byte value, -1 where there is none.
std::vector<int32_t> byte_piece_table(const std::vector<ScoredPiece>& pieces);

}  // namespace hearth::llm
