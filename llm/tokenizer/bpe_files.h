// BPE files: the vocabulary and merges that tokenizer.json and vocab.json + merges.txt have in common.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "llm/tokenizer/bpe.h"
#include "llm/tokenizer/tokenizer_parts.h"

namespace hearth::llm {

using MergeText = std::pair<std::string, std::string>;

/// {"token": id, …} -> tokens by id. Throws ValueError for ids that clash, are negative or lie far outside the
/// vocabulary.
std::vector<std::string> read_vocabulary(const boost::json::object& vocabulary, const std::string& where);

/// Splits "a b"; throws ValueError for anything but two parts.
MergeText split_merge(std::string_view line, size_t number, const std::string& where);

/// Makes `parts.model` from `parts.tokens` and the merges. Throws ValueError when a merge names a token that does not
/// exist.
void build_bpe(const std::vector<MergeText>& merges, const BpeOptions& options, const std::string& where,
               TokenizerParts& parts);

/// Sets `parts.bytes` as a ByteLevel decoder has it: tokens spelled in the byte alphabet are bytes, others stay text.
void decode_byte_level(TokenizerParts& parts);

}  // namespace hearth::llm
