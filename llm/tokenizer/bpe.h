// BPE: byte pair encoding by a list of ranked merges, over bytes or over characters.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "llm/tokenizer/subword_model.h"
#include "llm/tokenizer/vocabulary.h"

namespace hearth::llm {

struct BpeOptions {
  bool byte_level = true;      // symbols are bytes; otherwise characters
  bool ignore_merges = false;  // a piece that is a token is that token, whatever the merges say
  bool byte_fallback = false;  // an unknown character becomes its tokens <0x00>..<0xFF>, if they all exist
  int32_t unk_id = -1;
  bool fuse_unk = false;  // several unknown characters in a row become one unknown token
};

/// A merge: the tokens that join; its rank is its place in the list.
using Merge = std::pair<int32_t, int32_t>;

/// Builds the model. `tokens[id]` is the text that a token stands for (raw bytes if `byte_level`; empty: cannot be
/// produced). `merged[i]` is the token that `merges[i]` makes. `byte_tokens[b]` is the id of <0xBB> or -1 (only for
/// `byte_fallback`). Encoding throws ValueError when a byte or character has no token and there is no unknown token.
std::unique_ptr<const SubwordModel> make_bpe(std::vector<std::string> tokens, const std::vector<Merge>& merges,
                                             const std::vector<int32_t>& merged, std::vector<int32_t> byte_tokens,
                                             const BpeOptions& options);

}  // namespace hearth::llm
