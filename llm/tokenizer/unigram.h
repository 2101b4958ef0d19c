// Unigram: SentencePiece's unigram model; the segmentation whose pieces have the highest sum of scores.
#pragma once

#include <memory>
#include <vector>

#include "llm/tokenizer/scored_bpe.h"
#include "llm/tokenizer/subword_model.h"

namespace hearth::llm {

/// Builds the model; an unknown character costs 10 more than the worst piece, as SentencePiece has it (Kudo 2018).
std::unique_ptr<const SubwordModel> make_unigram(const std::vector<ScoredPiece>& pieces,
                                                 const ScoredModelOptions& options);

}  // namespace hearth::llm
